import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  TimeoutFailure,
  condition,
} from '@temporalio/workflow';
import type { Wish } from './decide.ts';
import { failures, isFailureType, type Handling } from './failures.ts';
import type { SurveyedGate } from './facts.ts';
import { passGate, voidGate, waitForDecision, waitForWindow } from './gates.ts';
import { allItems, itemsOf, leftOver, nextItem, returnOf } from './procedures.ts';
import { callStep } from './proxies.ts';
import type { Run } from './run.ts';
import { identifyWaiting } from './senders.ts';
import { gateBefore, type StepItem } from './sop.ts';
import type { Drift, Failure } from './state.ts';
import { isForwardWrite, launchedBy, stepCall } from './step-calls.ts';
import type { StepResult } from './steps.ts';

/**
 * Takes the items of a procedure one by one until the last is done, or until a person ends the run. A wish for the way
 * back changes the procedure, and the run goes on with that.
 */
export async function performSequence(run: Run): Promise<Wish | undefined> {
  for (;;) {
    const wish = await performNext(run);
    if (wish === 'done') return undefined;
    if (wish === undefined) continue;
    if (wish.kind === 'abort' || !hasWritten(run)) return wish;
    const { kind, by, reason } = wish;
    run.apply({ type: 'killed', kind, by, reason });
  }
}

async function performNext(run: Run): Promise<Wish | undefined | 'done'> {
  const item = nextItem(run.state);
  if (item !== undefined) return item.kind === 'step' ? performStep(run, item) : passGate(run, item);

  const left = leftOver(run.state);
  const failure = left && run.state.steps[left.id]?.failure;
  if (left !== undefined && failure != null) {
    run.apply({ type: 'stepFailed', step: left.id, failure });
    return waitForDecision(run);
  }
  const back = returnOf(run.state);
  if (back !== undefined) {
    run.apply(back);
    return undefined;
  }
  const { wayBack } = run.state;
  if (wayBack?.refused == null) return 'done';
  if (wayBack.from === null) throw ApplicationFailure.nonRetryable(wayBack.refused.message, wayBack.refused.type);
  return resume(run, wayBack.refused);
}

/** Back to the cutover, whose way back was refused. A step that was interrupted for it waits for a decision. */
async function resume(run: Run, refused: Failure): Promise<Wish | undefined> {
  run.apply({ type: 'resumed' });
  const next = nextItem(run.state);
  if (next?.kind !== 'step' || run.state.steps[next.id] === undefined) return undefined;
  const failure = {
    type: refused.type,
    message: `The way back was refused, and the step was interrupted: ${refused.message}`,
  };
  run.apply({ type: 'stepFailed', step: next.id, failure });
  return waitForDecision(run);
}

/** Whether the cutover of this run has begun to write: before that there is nothing to take back. */
function hasWritten({ state }: Run): boolean {
  if (state.wayBack !== null) return true;
  return allItems(state).some(
    (item) => item.kind === 'step' && isForwardWrite(item) && state.steps[item.id] !== undefined,
  );
}

/**
 * Performs one step, once. When it fails for good before anything was written the run is refused; later it is parked
 * until a person decides, because a production cutover that stops half way must not simply end.
 *
 * @throws ApplicationFailure of the step's own type, where the run is refused
 */
async function performStep(run: Run, item: StepItem): Promise<Wish | undefined> {
  // A run that continued as new while this step was parked goes on waiting for the same decision.
  if (run.state.stage === 'parked' || run.state.stage === 'seal-parked') return waitForDecision(run);
  const gate = gateBefore(itemsOf(run.state), item.id);
  // One that continued as new while it waited for a window goes on waiting for that.
  if (isForwardWrite(item) && (run.state.stage === 'working' || run.state.stage === 'waiting')) {
    const wish = await waitForWindow(run, item.id);
    if (wish !== undefined) return wish;
    if (gate !== undefined && hasExpired(run, gate)) {
      voidGate(run, gate, 'the approval has expired');
      return undefined;
    }
  }
  if (item.seals === true && run.state.stage === 'working') run.apply({ type: 'sealing', by: launchedBy(run.state) });
  const settled = await attemptStep(run, item, gate);
  if ('wish' in settled) return settled.wish;
  if ('result' in settled) {
    finishStep(run, item, settled.result);
    return undefined;
  }
  return handleFailure(run, item, gate, settled.failure);
}

function handleFailure(
  run: Run,
  item: StepItem,
  gate: SurveyedGate | undefined,
  { type, message, handling }: StepFailure,
): Promise<Wish | undefined> | undefined {
  const failure = { type, message };
  if (handling === 'voided' && gate !== undefined) {
    voidGate(run, gate, message);
    return undefined;
  }
  if (item.onFailure !== undefined || item.tolerates?.some((one) => one === type)) {
    run.apply({ type: 'stepGivenUp', step: item.id, failure });
    return undefined;
  }
  if (item.refuses === true && handling === 'refused') {
    run.apply({ type: 'rollbackRefused', failure });
    return undefined;
  }
  if (item.phase === 'preflight' && handling === 'refused') throw ApplicationFailure.nonRetryable(message, type);
  run.apply({ type: 'stepFailed', step: item.id, failure });
  return waitForDecision(run);
}

function hasExpired({ state }: Run, gate: SurveyedGate): boolean {
  const passedAt = state.gates[gate]?.passedAt;
  return passedAt != null && passedAt + (state.target?.policy.expiresAfterMs ?? Infinity) < Date.now();
}

function finishStep(run: Run, { id }: StepItem, { did, evidence, drift = [] }: StepResult<unknown>): void {
  // Every later write sees it again: it is told once.
  const news = drift.filter((one) => !run.state.drift.some((known) => sameDrift(known, one)));
  if (news.length > 0) run.apply({ type: 'drifted', step: id, drift: news });
  run.apply({ type: 'stepDone', step: id, did, evidence });
}

function sameDrift(a: Drift, b: Drift): boolean {
  return a.release === b.release && a.what === b.what;
}

interface StepFailure {
  readonly type: string;
  readonly message: string;
  readonly handling: Handling;
}
type Settled = { result: StepResult<unknown> } | { failure: StepFailure } | { wish: Wish };

async function attemptStep(run: Run, item: StepItem, gate: SurveyedGate | undefined): Promise<Settled> {
  const attempt = (run.state.steps[item.id]?.attempt ?? 0) + 1;
  run.apply({ type: 'stepStarted', step: item.id, attempt });

  const scope = new CancellationScope();
  let settled: Exclude<Settled, { wish: Wish }> | undefined;
  void scope
    .run(() => callStep(stepCall(run.state, item, gate), item.onFailure === 'later'))
    .then(
      (result) => (settled = readResult(result)),
      (error: unknown) => (settled = { failure: readFailure(error) }),
    );

  let wish: Wish | undefined;
  while (settled === undefined) {
    await condition(() => settled !== undefined || run.inbox.length > 0);
    await identifyWaiting(run);
    // What the step did after a cancellation is unknown until it is probed, so its own end is awaited first.
    wish ??= run.takeMessages();
    if (wish !== undefined && settled === undefined) {
      scope.cancel();
      await condition(() => settled !== undefined);
    }
  }
  if (wish !== undefined && 'result' in settled) finishStep(run, item, settled.result);
  return wish === undefined ? settled : { wish };
}

/** What an activity answered. A result that cannot be read (see payload-converter.ts) must not pass for one that can. */
function readResult(result: unknown): Exclude<Settled, { wish: Wish }> {
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
