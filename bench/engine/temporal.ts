import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { connect } from '../../rehearsal/connect.ts';
import { startWorkerProcess, type WorkerProcess } from '../../rehearsal/worker-process.ts';
import { started, type Place } from '../measurement.ts';
import type { Engine } from './engine.ts';
import type { TemporalServer } from './temporal-servers.ts';
import type { EngineOrder } from './worker.ts';

const entry = fileURLToPath(new URL('worker.ts', import.meta.url));
const taskQueue = 'bench-engine';

/** Temporal as an engine: a server, and a worker in a process of its own. */
export function temporalEngine({ name, start }: TemporalServer): Engine {
  return {
    name,
    async open(place) {
      const server = await started(place, name, () => start(place));
      const worker = await started(place, `the worker of ${name}`, () => startEngineWorker(place, server.address));
      const { connection, close } = await connect(server.address);
      place.teardown.layer().add('the connection to Temporal', close);
      const client = new Client({ connection });
      return {
        async perform(workflowId, steps) {
          await client.workflow.execute('stepsThatDoNothing', { taskQueue, workflowId, args: [steps] });
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

async function startEngineWorker(place: Place, address: string): Promise<WorkerProcess> {
  const worker = startWorkerProcess({ env: {}, logFile: path.join(place.dir, 'engine-worker.log'), entry });
  place.guard.watchGroup(worker.pid);
  const said = (word: string): Promise<void> =>
    new Promise((resolve, reject) => {
      worker.process.on('message', (message) => message === word && resolve());
      void worker.ended.then(() => reject(new Error(`the worker has ended; see ${place.dir}/engine-worker.log`)));
    });
  await said('loaded');
  const running = said('running');
  const order: EngineOrder = { address, taskQueue };
  worker.process.send(order);
  await running;
  return worker;
}
