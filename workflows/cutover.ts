import { ActivityFailure, ApplicationFailure, CancellationScope, setHandler, workflowInfo } from '@temporalio/workflow';
import { readCarried } from './carried.ts';
import type { Wish } from './decide.ts';
import { openDoors } from './doors.ts';
import { checkStart, type RunInput } from './input.ts';
import { statusDescription, statusQuery } from './messages.ts';
import { readTarget } from './proxies.ts';
import { createRun, type Run } from './run.ts';
import { performSequence } from './runbook.ts';
import { initialState, type RunState } from './state.ts';
import { view, type Status } from './view.ts';

/**
 * The production cutover of one app, from preflight to the end of RM-11.
 *
 * @param input `{ app, requestedBy, mode? }`; see `input.ts`
 * @param carried only continue-as-new passes it
 * @returns the final status; its `outcome` says how the run ended
 * @throws ApplicationFailure of the type that refused the run, before anything was changed
 */
export async function productionCutover(input: RunInput, carried?: RunState): Promise<Status> {
  const started = checkStart(input, workflowInfo());
  if ('problem' in started) throw ApplicationFailure.nonRetryable(started.problem.message, started.problem.type);
  const run = createRun(readCarried(carried) ?? initialState(started.input, Date.now()));

  openDoors(run);
  setHandler(statusQuery, () => view(run.state), { description: statusDescription });
  // A cancel request is one more message: it stops the run where it stands, and must not tear down what is running.
  void CancellationScope.current().cancelRequested.catch(() => run.inbox.push({ name: 'cancel' }));

  return CancellationScope.nonCancellable(() => live(run));
}

async function live(run: Run): Promise<Status> {
  try {
    if (run.state.target === null) run.apply({ type: 'targetRead', target: await readTarget(run.state.input.app) });
    const wish = await performSequence(run);
    await run.senders.settled();
    run.apply({ type: 'ended', outcome: wish ? aborted(run, wish) : completed });
    return view(run.state);
  } catch (error) {
    const cause = error instanceof ActivityFailure ? error.cause : error;
    if (!(cause instanceof ApplicationFailure)) throw error;
    run.apply({ type: 'ended', outcome: { result: 'refused', reason: `${cause.type}: ${cause.message}`, by: null } });
    throw ApplicationFailure.nonRetryable(cause.message, cause.type);
  }
}

const completed = { result: 'completed', reason: 'every step is done and verified', by: null } as const;

/** An abort undoes nothing by itself: it says exactly what it leaves in place. */
function aborted(run: Run, { by, reason }: Wish) {
  const { items } = view(run.state);
  const inPlace = items.filter((item) => item.did === 'acted' || item.did === 'settled').map((item) => item.id);
  const unsettled = items.filter((item) => item.attempt !== undefined && item.state !== 'done').map((item) => item.id);
  return {
    result: 'aborted',
    by,
    reason:
      `${reason}. In place: ${inPlace.join(', ') || 'nothing was changed'}.` +
      (unsettled.length > 0 ? ` Interrupted, so not known until looked at: ${unsettled.join(', ')}.` : ''),
  } as const;
}
