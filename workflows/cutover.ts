import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { readCarried } from './carried.ts';
import type { Abort } from './decide.ts';
import { checkStart, type RunInput } from './input.ts';
import { approveSignal, descriptions, resolveSignal, statusQuery } from './messages.ts';
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

  setHandler(approveSignal, (payload) => void run.inbox.push({ name: 'approve', payload }), {
    description: descriptions.approve,
  });
  setHandler(resolveSignal, (payload) => void run.inbox.push({ name: 'resolve', payload }), {
    description: descriptions.resolve,
  });
  setDefaultSignalHandler((signal, payload) => void run.inbox.push({ name: 'unknown', signal, payload }));
  setHandler(statusQuery, () => view(run.state), { description: descriptions.status });
  // A cancel request is one more message: it stops the run where it stands, and must not tear down what is running.
  void CancellationScope.current().cancelRequested.catch(() => run.inbox.push({ name: 'cancel', payload: null }));

  return CancellationScope.nonCancellable(() => live(run));
}

async function live(run: Run): Promise<Status> {
  try {
    if (run.state.target === null) run.apply({ type: 'targetRead', target: await readTarget(run.state.input.app) });
    const abort = await performSequence(run);
    run.apply({ type: 'ended', outcome: abort ? aborted(run, abort) : completed });
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
function aborted(run: Run, { by, reason }: Abort) {
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
