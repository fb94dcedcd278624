import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { inputs } from '../workflows/input.ts';

/** Open runs that are looked at: one for each app is the rule. */
const runsAtMost = 500;
/** A long poll ends within a minute or so, and another one follows it: what has not asked for so long is gone. */
export const goneAfterMs = 120_000;
const types = Object.keys(inputs)
  .map((type) => `'${type}'`)
  .join(', ');

/** What the server says of an open run. */
export interface OpenRun {
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly memo: Record<string, unknown> | undefined;
  /** Search attributes that it sets by itself where workers have builds [ran: server 1.29.1]. */
  readonly searchAttributes: {
    readonly TemporalWorkerDeploymentVersion?: readonly unknown[];
    readonly TemporalWorkflowVersioningBehavior?: readonly unknown[];
  };
}

/** A worker that has asked for work within the last minutes. */
export interface Poller {
  readonly lastAccessTime?: { readonly seconds?: { toString(): string } | null } | null;
  readonly deploymentOptions?: { readonly deploymentName?: string | null; readonly buildId?: string | null } | null;
}

/** The open runs of a namespace, and who asks for work on their task queues. */
export interface OpenRuns {
  readonly runs: readonly OpenRun[];
  readonly pollers: ReadonlyMap<string, readonly Poller[]>;
}

/**
 * Reads the open runs of every task queue: one that was started with a misspelt queue is on another one than its worker.
 *
 * @throws whatever the client throws, where the server does not answer
 */
export async function readOpenRuns(client: Client): Promise<OpenRuns> {
  const runs: OpenRun[] = [];
  for await (const run of client.workflow.list({
    query: `WorkflowType IN (${types}) AND ExecutionStatus='Running'`,
  })) {
    const { workflowId, taskQueue, memo } = run;
    runs.push({ workflowId, taskQueue, memo, searchAttributes: run.searchAttributes as OpenRun['searchAttributes'] });
    if (runs.length === runsAtMost) break;
  }
  const queues = [...new Set(runs.map(({ taskQueue }) => taskQueue))];
  const read = async (queue: string) => [queue, await pollersOf(client, queue)] as const;
  return { runs, pollers: new Map(await Promise.all(queues.map(read))) };
}

async function pollersOf(client: Client, name: string): Promise<readonly Poller[]> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name },
    taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  return pollers;
}

/** A run whose tasks nobody takes, and a sentence about it for people. */
export interface OrphanedRun {
  readonly run: OpenRun;
  readonly why: string;
}

/**
 * The runs whose tasks nobody takes: on a task queue that no worker asks, or pinned to a build of which none is left, where a
 * worker of another build does not help. Runs without a build, or that move to the current one, are any worker's.
 *
 * @param now milliseconds since 1970
 */
export function findOrphaned({ runs, pollers }: OpenRuns, now: number): OrphanedRun[] {
  return runs.flatMap((run) => {
    const alive = (pollers.get(run.taskQueue) ?? []).filter(
      ({ lastAccessTime }) => now - 1_000 * Number(lastAccessTime?.seconds?.toString() ?? 0) <= goneAfterMs,
    );
    if (alive.length === 0) return [{ run, why: noWorker(run) }];
    const { TemporalWorkflowVersioningBehavior: behaviour, TemporalWorkerDeploymentVersion: version } =
      run.searchAttributes;
    const build = String(version?.[0]);
    const isThere = alive.some(({ deploymentOptions: its }) => its && `${its.deploymentName}:${its.buildId}` === build);
    return behaviour?.[0] === 'Pinned' && !isThere ? [{ run, why: noBuild(run, build) }] : [];
  });
}

function noWorker({ workflowId, taskQueue, memo }: OpenRun): string {
  const seen = `The run ${workflowId} is on the task queue ${taskQueue}, and no worker asks for work there.`;
  const unlessMisspelt = `start a worker with CUTOVER_TASK_QUEUE=${taskQueue}`;
  return memo?.['stage'] === undefined
    ? `${seen} It has not begun: if the queue is misspelt, terminate the run and start it anew; otherwise ${unlessMisspelt}.`
    : `${seen} It stands still until there is one: ${unlessMisspelt}.`;
}

function noBuild({ workflowId }: OpenRun, build: string): string {
  return `The run ${workflowId} stays on the build ${build}, of which no worker is left. Start one, or move the run as docs/on-call.md says.`;
}
