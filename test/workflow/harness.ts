import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { NativeConnection, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { buildWorkflowBundle } from '../../worker/bundle.ts';
import type { productionCutover } from '../../workflows/index.ts';
import type { Status } from '../../workflows/view.ts';
import type { FakeWorld } from './fake-activities.ts';

export type CutoverHandle = WorkflowHandle<typeof productionCutover>;

export interface Harness {
  readonly client: Client;
  /** Runs `test` beside a worker that has the fake world's activities, on a task queue of its own. */
  withWorker<T>(world: FakeWorld, test: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface Session {
  /** Starts a run for an app that no other test uses. */
  start(options?: StartOptions): Promise<CutoverHandle>;
  /** Stops the worker, runs `meanwhile`, and starts another one on the same queue. */
  withoutWorker<T>(meanwhile: () => Promise<T>): Promise<T>;
}

interface StartOptions {
  readonly input?: unknown;
  readonly carried?: unknown;
  readonly workflowId?: string;
  readonly options?: Record<string, unknown>;
}

let bundle: Promise<WorkflowBundleWithSourceMap> | undefined;

export async function createHarness(): Promise<Harness> {
  const address = process.env['RC_TEST_TEMPORAL_ADDRESS'] ?? '';
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const client = new Client({ connection });

  return {
    client,
    async withWorker(world, test) {
      const taskQueue = `test-${randomUUID()}`;
      let running = await runWorker(native, taskQueue, world);
      try {
        return await test({
          start: (options) => start(client, taskQueue, options),
          async withoutWorker(meanwhile) {
            await running.stop();
            const result = await meanwhile();
            running = await runWorker(native, taskQueue, world);
            return result;
          },
        });
      } finally {
        await running.stop();
      }
    },
    async close() {
      await native.close();
      await connection.close();
    },
  };
}

function start(client: Client, taskQueue: string, { input, carried, workflowId, options }: StartOptions = {}): Promise<CutoverHandle> {
  const chosen = input ?? { app: `app-${randomUUID().slice(0, 8)}`, requestedBy: 'Rita' };
  return client.workflow.start('productionCutover', {
    taskQueue,
    workflowId: workflowId ?? `cutover-${(chosen as { app?: string }).app}`,
    args: carried === undefined ? [chosen] : [chosen, carried],
    ...options,
  }) as Promise<CutoverHandle>;
}

async function runWorker(connection: NativeConnection, taskQueue: string, world: FakeWorld): Promise<{ stop: () => Promise<void> }> {
  bundle ??= buildWorkflowBundle(silent);
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: await bundle,
    activities: world.activities,
    stickyQueueScheduleToStartTimeout: '1s',
    maxHeartbeatThrottleInterval: '200ms',
    defaultHeartbeatThrottleInterval: '200ms',
  });
  const ended = worker.run();
  return {
    async stop() {
      worker.shutdown();
      await ended;
    },
  };
}

const silent = {
  log: () => undefined,
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** The status of a run once it satisfies a condition; each look is a query, so there is nothing to sleep for. */
export async function statusWhen(handle: CutoverHandle, condition: (status: Status) => boolean): Promise<Status> {
  for (;;) {
    const status = await handle.query<Status>('status');
    if (condition(status)) return status;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const atGate = (gate: string) => (status: Status) => status.stage === 'waiting' && status.waitingFor?.message['gate'] === gate;

/** Approves a gate as soon as it is open, and answers the status it was approved on. */
export async function approveGate(handle: CutoverHandle, gate: string, by = 'Ada'): Promise<Status> {
  const status = await statusWhen(handle, atGate(gate));
  await handle.signal('approve', { ...status.waitingFor?.message, by });
  return status;
}
