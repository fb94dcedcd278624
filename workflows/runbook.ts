import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  TimeoutFailure,
  condition,
  workflowInfo,
} from '@temporalio/workflow';
import type { Abort } from './decide.ts';
import { failures, isFailureType } from './failures.ts';
import type { Plan, PullRequestFacts } from './facts.ts';
import { passGate, waitForDecision } from './gates.ts';
import { callStep } from './proxies.ts';
import type { Run } from './run.ts';
import type { Item } from './sop.ts';
import type { StepCall, StepResult } from './steps.ts';
import { evidenceOf, nextItem } from './view.ts';

type StepItem = Extract<Item, { kind: 'step' }>;

/** Takes the items of the sequence one by one until the last is done, or until a person ends the run. */
export async function performSequence(run: Run): Promise<Abort | undefined> {
  for (let item = nextItem(run.state); item !== undefined; item = nextItem(run.state)) {
    const abort = item.kind === 'gate' ? await passGate(run, item.id) : await performStep(run, item);
    if (abort !== undefined) return abort;
  }
  return undefined;
}

/**
 * Performs one step, once. When it fails for good before anything was written the run is refused; later it is parked
 * until a person decides, because a production cutover that stops half way must not simply end.
 *
 * @throws ApplicationFailure of the step's own type, where the run is refused
 */
async function performStep(run: Run, item: StepItem): Promise<Abort | undefined> {
  // A run that continued as new while this step was parked goes on waiting for the same decision.
  if (run.state.stage !== 'parked') {
    const settled = await attemptStep(run, item);
    if ('abort' in settled) return settled.abort;
    if ('result' in settled) {
      run.apply({ type: 'stepDone', step: item.id, ...settled.result });
      return undefined;
    }
    if (item.phase === 'preflight' && settled.failure.handling === 'refused') {
      throw ApplicationFailure.nonRetryable(settled.failure.message, settled.failure.type);
    }
    const { type, message } = settled.failure;
    run.apply({ type: 'stepFailed', step: item.id, failure: { type, message } });
  }
  return waitForDecision(run);
}

interface StepFailure {
  readonly type: string;
  readonly message: string;
  readonly handling: 'refused' | 'parked' | 'retried';
}
type Settled = { result: StepResult<unknown> } | { failure: StepFailure } | { abort: Abort };

async function attemptStep(run: Run, item: StepItem): Promise<Settled> {
  const attempt = (run.state.steps[item.id]?.attempt ?? 0) + 1;
  run.apply({ type: 'stepStarted', step: item.id, attempt });

  const scope = new CancellationScope();
  let settled: Settled | undefined;
  void scope
    .run(() => callStep(stepCall(run, item, attempt)))
    .then(
      (result) => (settled = readResult(result)),
      (error: unknown) => (settled = { failure: readFailure(error) }),
    );

  let abort: Abort | undefined;
  while (settled === undefined) {
    await condition(() => settled !== undefined || run.inbox.length > 0);
    // What the step did after a cancellation is unknown until it is probed, so its own end is awaited first.
    abort ??= run.takeMessages();
    if (abort !== undefined && settled === undefined) {
      scope.cancel();
      await condition(() => settled !== undefined);
    }
  }
  if (abort !== undefined && 'result' in settled) run.apply({ type: 'stepDone', step: item.id, ...settled.result });
  return abort === undefined ? settled : { abort };
}

function stepCall(run: Run, item: StepItem, attempt: number): StepCall {
  const { state } = run;
  const approved = item.matrixOf && evidenceOf<Plan>(state, item.matrixOf)?.facts;
  const pullRequest = item.planFor && evidenceOf<PullRequestFacts>(state, 'inspect-pull-request');
  return {
    app: state.input.app,
    step: item.id,
    attempt,
    run: workflowInfo().firstExecutionRunId,
    since: state.steps[item.id]?.startedAt ?? 0,
    targetDigest: state.target?.digest ?? '',
    ...(item.freshDynos === undefined ? {} : { freshDynos: item.freshDynos }),
    ...(item.asRole === undefined ? {} : { asRole: item.asRole }),
    ...(item.planFor === undefined ? {} : { gate: item.planFor }),
    ...(approved === undefined ? {} : { matrixDigest: approved.matrixDigest }),
    ...(pullRequest === undefined ? {} : { pullRequest }),
  };
}

/** What an activity answered. A result that cannot be read (see payload-converter.ts) must not pass for one that can. */
function readResult(result: unknown): Settled {
  if (typeof result === 'object' && result !== null && 'did' in result && 'evidence' in result) {
    return { result: result as StepResult<unknown> };
  }
  const message =
    'The result of the step cannot be read; its worker may encode payloads in another way. See that all workers are alike, then try again.';
  return { failure: { type: 'PlatformAnswerUnexpected', message, handling: 'parked' } };
}

/** A failure as the runbook handles it. What was never answered is unknown, not failed: the next attempt probes. */
function readFailure(error: unknown): StepFailure {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    const type = cause.type ?? 'Unknown';
    return { type, message: cause.message, handling: isFailureType(type) ? failures[type].handling : 'refused' };
  }
  if (cause instanceof TimeoutFailure) {
    return { type: 'OutcomeUnknown', message: `No answer in time (${cause.timeoutType}).`, handling: 'retried' };
  }
  return { type: 'OutcomeUnknown', message: cause instanceof Error ? cause.message : 'no answer', handling: 'retried' };
}
