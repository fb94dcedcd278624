import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { inputs } from '../workflows/input.ts';

/** Open runs that are looked at: one for each app is the rule. */
const runsAtMost = 500;
const types = Object.keys(inputs)
  .map((type) => `'${type}'`)
  .join(', ');

export interface OpenRun {
  readonly memo: Record<string, unknown> | undefined;
  readonly version: VersionedRun;
}

/** The open runs of a task queue, and who asks for work there. */
export async function readOpenRuns(
  client: Client,
  taskQueue: string,
): Promise<{ runs: readonly OpenRun[]; pollers: readonly Poller[] }> {
  const runs: OpenRun[] = [];
  const query = `WorkflowType IN (${types}) AND ExecutionStatus='Running' AND TaskQueue='${taskQueue}'`;
  for await (const { memo, searchAttributes } of client.workflow.list({ query })) {
    runs.push({ memo, version: searchAttributes as VersionedRun });
    if (runs.length === runsAtMost) break;
  }
  // Where no run has a build nobody need be asked.
  if (!runs.some(({ version }) => version.TemporalWorkerDeploymentVersion)) return { runs, pollers: [] };
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  return { runs, pollers };
}

/** A long poll ends within a minute or so, and another one follows it: what has not asked for so long is gone. */
export const goneAfterMs = 120_000;

/** What the server says of an open run, in search attributes that it sets by itself [ran: server 1.29.1]. */
export interface VersionedRun {
  readonly TemporalWorkerDeploymentVersion?: readonly unknown[];
  readonly TemporalWorkflowVersioningBehavior?: readonly unknown[];
}

/** A worker that has asked for work within the last minutes. */
export interface Poller {
  readonly lastAccessTime?: { readonly seconds?: { toString(): string } | null } | null;
  readonly deploymentOptions?: { readonly deploymentName?: string | null; readonly buildId?: string | null } | null;
}

/**
 * How many runs stay on a build of which no worker asks for work any more: nothing that is sent to them is taken, and a
 * worker of another build will not help. Runs without a build, or that move to the current one, are anybody's.
 *
 * @param now milliseconds since 1970
 */
export function countOrphaned(runs: readonly VersionedRun[], pollers: readonly Poller[], now: number): number {
  const alive = new Set(
    pollers
      .filter(({ lastAccessTime }) => now - 1_000 * Number(lastAccessTime?.seconds?.toString() ?? 0) <= goneAfterMs)
      .flatMap(({ deploymentOptions: build }) => (build ? [`${build.deploymentName}:${build.buildId}`] : [])),
  );
  return runs.filter((run) => {
    const [version] = run.TemporalWorkerDeploymentVersion ?? [];
    return run.TemporalWorkflowVersioningBehavior?.[0] === 'Pinned' && !alive.has(String(version));
  }).length;
}
