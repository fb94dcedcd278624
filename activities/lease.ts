import type { Context } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/common';
import { fail } from './fail.ts';

/** Milliseconds that Temporal has to answer. */
const answerWithinMs = 5_000;

/**
 * Asks Temporal, right before a write, whether the write is still wanted: the run is open, and this attempt of the
 * activity is the one that it waits for. A worker that was frozen, or cut off from Temporal, may wake up when its run was
 * terminated and a way back has begun, or when another worker has taken the step over. Its next heartbeat would tell
 * it, and a write may come before that.
 *
 * @throws ApplicationFailure `Superseded`; `OutcomeUnknown` where Temporal does not answer, for then nothing is proven
 */
export async function proveLease({ client, info }: Pick<Context, 'client' | 'info'>): Promise<void> {
  const { workflowId, runId } = info.workflowExecution ?? { workflowId: '', runId: '' };
  const describe = () => client.workflow.getHandle(workflowId, runId).describe();
  let described: Awaited<ReturnType<typeof describe>>;
  try {
    described = await client.withDeadline(Date.now() + answerWithinMs, describe);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw superseded('its run is gone');
    const message = `Temporal did not say whether the run is still open, so nothing was written: ${(error as Error).message}`;
    throw fail('OutcomeUnknown', message);
  }
  const { status, raw } = described;
  if (status.name !== 'RUNNING') throw superseded(`its run is ${status.name.toLowerCase()}`);
  const pending = raw.pendingActivities?.find((one) => one.activityId === info.activityId);
  if (pending == null) throw superseded('its run does not wait for it any more');
  if (pending.attempt !== info.attempt) throw superseded(`attempt ${pending.attempt} has taken over`);
}

function superseded(why: string) {
  return fail('Superseded', `This attempt may not write, for ${why}. Nothing was written by it from here on.`);
}
