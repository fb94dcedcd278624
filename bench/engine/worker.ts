// A worker with a workflow and an activity of the benchmark's own, and production's options.
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { tuning } from '../../worker/create-worker.ts';

/** In what the worker differs from production's. */
export interface WorkerChanges {
  /** Requests for workflow tasks, and for activity tasks, that wait at the server at once. */
  readonly pollers?: number;
  readonly runsInMemory?: number;
}

export interface EngineOrder extends WorkerChanges {
  readonly address: string;
  readonly taskQueue: string;
}

const say = (): void => undefined;
const logger = { log: say, trace: say, debug: say, info: say, warn: console.error, error: console.error };
Runtime.install({ logger });
process.once('message', (order: EngineOrder) => void serve(order).then(() => process.exit(0)));
process.once('disconnect', () => process.exit(0));
process.send?.('loaded');

async function serve({ address, taskQueue, pollers, runsInMemory }: EngineOrder): Promise<void> {
  const workflowsPath = fileURLToPath(new URL('workflow.ts', import.meta.url));
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger });
  const connection = await NativeConnection.connect({ address });
  const activities = { doNothing: () => Promise.resolve(null) };
  const worker = await Worker.create({
    ...{ connection, taskQueue, workflowBundle, activities },
    ...tuning,
    ...(pollers === undefined
      ? {}
      : { maxConcurrentWorkflowTaskPolls: pollers, maxConcurrentActivityTaskPolls: pollers }),
    ...(runsInMemory === undefined ? {} : { maxCachedWorkflows: runsInMemory }),
  });
  process.send?.('running');
  await worker.run();
  await connection.close();
}
