import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { connect } from '../../rehearsal/connect.ts';
import { startWorkerProcess, type WorkerProcess } from '../../rehearsal/worker-process.ts';
import { started, type Place } from '../measurement.ts';
import type { Engine } from './engine.ts';
import type { TemporalServer } from './temporal-servers.ts';
import type { EngineOrder, WorkerChanges } from './worker.ts';
import type { StepKind } from './workflow.ts';

const entry = fileURLToPath(new URL('worker.ts', import.meta.url));
const taskQueue = 'bench-engine';

/** What is otherwise than the runbook has it. */
export interface EngineChanges extends WorkerChanges {
  /** An activity unless given. */
  readonly kind?: StepKind;
}

/** Temporal as an engine: a server, and a worker in a process of its own. */
export function temporalEngine({ name, start }: TemporalServer, changes: EngineChanges = {}): Engine {
  const { kind = 'activity', ...workerChanges } = changes;
  return {
    name,
    async open(place) {
      const server = await started(place, name, () => start(place));
      const worker = await started(place, `the worker of ${name}`, () =>
        startEngineWorker(place, { address: server.address, taskQueue, ...workerChanges }),
      );
      const { connection, close } = await connect(server.address);
      place.teardown.layer().add('the connection to Temporal', close);
      const client = new Client({ connection });
      return {
        async perform(workflowId, steps) {
          await client.workflow.execute('stepsThatDoNothing', { taskQueue, workflowId, args: [steps, kind] });
        },
        async stop() {
          await worker.stop();
          await close();
          await server.stop();
        },
      };
    },
  };
}

async function startEngineWorker(place: Place, order: EngineOrder): Promise<WorkerProcess> {
  const worker = startWorkerProcess({ env: {}, logFile: path.join(place.dir, 'engine-worker.log'), entry });
  place.guard.watchGroup(worker.pid);
  const said = (word: string): Promise<void> =>
    new Promise((resolve, reject) => {
      worker.process.on('message', (message) => message === word && resolve());
      void worker.ended.then(() => reject(new Error(`the worker has ended; see ${place.dir}/engine-worker.log`)));
    });
  await said('loaded');
  const running = said('running');
  worker.process.send(order);
  await running;
  return worker;
}
