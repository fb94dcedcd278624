import { ActivityFailure, ApplicationFailure, CancellationScope, setHandler, workflowInfo } from '@temporalio/workflow';
import { readCarried } from './carried.ts';
import { openDoors } from './doors.ts';
import { checkStart, type WorkflowType } from './input.ts';
import { statusDescription, statusQuery } from './messages.ts';
import { outcomeOf, stoppedBy } from './outcome.ts';
import { rollbackProblem } from './policy.ts';
import { identifySender, readTarget } from './proxies.ts';
import { keepRecord } from './record.ts';
import { createRun, type Run } from './run.ts';
import { performSequence } from './runbook.ts';
import { initialState } from './state.ts';
import { view, type Status } from './view.ts';

/**
 * The life of a run of any workflow type: check its start, perform its procedure to the end, say how it ended.
 *
 * @param input as `inputs` has it for the type
 * @param carried only continue-as-new passes it
 * @throws ApplicationFailure of the type that refused the run, before anything was changed
 */
export async function liveThrough(workflowType: WorkflowType, input: unknown, carried: unknown): Promise<Status> {
  const started = checkStart(input, { ...workflowInfo(), workflowType });
  if ('problem' in started) throw ApplicationFailure.nonRetryable(started.problem.message, started.problem.type);
  const run = createRun(readCarried(carried) ?? initialState(started.input, Date.now(), workflowType));

  openDoors(run);
  setHandler(statusQuery, () => view(run.state), { description: statusDescription });
  // A cancel request is one more message: it stops the run where it stands, and must not tear down what is running.
  void CancellationScope.current().cancelRequested.catch(() => run.inbox.push({ name: 'cancel' }));

  return CancellationScope.nonCancellable(() => live(run));
}

async function live(run: Run): Promise<Status> {
  try {
    if (run.state.target === null) {
      run.apply({ type: 'targetRead', target: await readTarget(run.state.input.app) });
      await authorise(run);
    }
    const wish = await performSequence(run);
    await run.senders.settled();
    run.apply({ type: 'ended', outcome: wish ? stoppedBy(run.state, wish) : outcomeOf(run.state) });
    await run.notices.settled();
    await keepRecord();
    return view(run.state);
  } catch (error) {
    const cause = error instanceof ActivityFailure ? error.cause : error;
    if (!(cause instanceof ApplicationFailure)) throw error;
    await run.senders.settled();
    run.apply({ type: 'ended', outcome: { result: 'refused', reason: `${cause.type}: ${cause.message}`, by: null } });
    await run.notices.settled();
    await keepRecord();
    throw ApplicationFailure.nonRetryable(cause.message, cause.type);
  }
}

/** A run that is started for a way back is a decision in itself, so not everybody who can start one may. */
async function authorise(run: Run): Promise<void> {
  const { input, target, wayBack } = run.state;
  if (target === null) return;
  const sender = { door: 'start', name: 'start' } as const;
  if (wayBack !== null) {
    const verified = target.policy.requireVerifiedIdentity ? (await identifySender(sender)).principal !== null : true;
    const problem =
      rollbackProblem(target.policy, input.requestedBy) ??
      (verified ? undefined : 'the server does not say who started the run, and the policy wants a verified identity');
    if (problem !== undefined) {
      const remedy = 'Nothing was changed; let one of them start it.';
      throw ApplicationFailure.nonRetryable(`The ${wayBack.kind} was refused: ${problem}. ${remedy}`, 'NotAuthorised');
    }
    if (wayBack.kind === 'kill-switch' && !target.hasRollback) {
      throw ApplicationFailure.nonRetryable(
        `The target file of ${input.app} has no block rollback, so it does not say how to go back to SQLite. Nothing was changed; ` +
          'add it on every worker, or go back by hand as docs/on-call.md says.',
        'TargetFileInvalid',
      );
    }
  }
  run.senders.note(run, { message: 'start', by: input.requestedBy, sender });
}
