import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  TimeoutFailure,
  condition,
  workflowInfo,
} from '@temporalio/workflow';
import { baselineOf } from './baseline.ts';
import type { Wish } from './decide.ts';
import { failures, isFailureType, type Handling } from './failures.ts';
import type { Plan, PlanGate, PullRequestFacts } from './facts.ts';
import { passGate, voidGate, waitForDecision, waitForWindow } from './gates.ts';
import { callStep } from './proxies.ts';
import type { Run } from './run.ts';
import { identifyWaiting } from './senders.ts';
import { gateBefore, sequence, type Item } from './sop.ts';
import type { Drift } from './state.ts';
import { steps, type StepCall, type StepId, type StepResult } from './steps.ts';
import { evidenceOf, known, nextItem } from './view.ts';

type StepItem = Extract<Item, { kind: 'step' }>;

/** Takes the items of the sequence one by one until the last is done, or until a person ends the run. */
export async function performSequence(run: Run): Promise<Wish | undefined> {
  for (let item = nextItem(run.state); item !== undefined; item = nextItem(run.state)) {
    const wish = item.kind === 'gate' ? await passGate(run, item.id) : await performStep(run, item);
    if (wish !== undefined) return wish;
  }
  return undefined;
}

/**
 * Performs one step, once. When it fails for good before anything was written the run is refused; later it is parked
 * until a person decides, because a production cutover that stops half way must not simply end.
 *
 * @throws ApplicationFailure of the step's own type, where the run is refused
 */
async function performStep(run: Run, item: StepItem): Promise<Wish | undefined> {
  // A run that continued as new while this step was parked goes on waiting for the same decision.
  if (run.state.stage === 'parked') return waitForDecision(run);
  const gate = gateBefore(sequence(known(run.state)), item.id);
  if (isWrite(item)) {
    const wish = await waitForWindow(run, item.id);
    if (wish !== undefined) return wish;
    if (gate !== undefined && hasExpired(run, gate)) {
      voidGate(run, gate, 'the approval has expired');
      return undefined;
    }
  }
  const settled = await attemptStep(run, item, gate);
  if ('wish' in settled) return settled.wish;
  if ('result' in settled) {
    finishStep(run, item, settled.result);
    return undefined;
  }
  const { type, message, handling } = settled.failure;
  if (handling === 'voided' && gate !== undefined) {
    voidGate(run, gate, message);
    return undefined;
  }
  if (item.phase === 'preflight' && handling === 'refused') throw ApplicationFailure.nonRetryable(message, type);
  run.apply({ type: 'stepFailed', step: item.id, failure: { type, message } });
  return waitForDecision(run);
}

/** A step that changes the world, and so waits for its time and its approval. */
function isWrite(item: StepItem): boolean {
  return steps[item.id].writes && item.phase !== 'preflight';
}

function hasExpired({ state }: Run, gate: PlanGate): boolean {
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

async function attemptStep(run: Run, item: StepItem, gate: PlanGate | undefined): Promise<Settled> {
  const attempt = (run.state.steps[item.id]?.attempt ?? 0) + 1;
  run.apply({ type: 'stepStarted', step: item.id, attempt });

  const scope = new CancellationScope();
  let settled: Exclude<Settled, { wish: Wish }> | undefined;
  void scope
    .run(() => callStep(stepCall(run, item, attempt, gate)))
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

function stepCall(run: Run, item: StepItem, attempt: number, gate: PlanGate | undefined): StepCall {
  const { state } = run;
  const baseline = gate && isWrite(item) ? baselineOf(state, gate) : undefined;
  const approved = item.matrixOf && evidenceOf<Plan>(state, item.matrixOf)?.facts;
  const needsPull = item.planFor !== undefined || item.confirms !== undefined;
  const pullRequest = needsPull && evidenceOf<PullRequestFacts>(state, 'inspect-pull-request');
  const planFor = item.planFor ?? item.confirms;
  return {
    app: state.input.app,
    step: item.id,
    attempt,
    run: workflowInfo().firstExecutionRunId,
    since: state.steps[item.id]?.startedAt ?? 0,
    targetDigest: state.target?.digest ?? '',
    ...(item.freshDynos === undefined ? {} : { freshDynos: item.freshDynos }),
    ...(item.asRole === undefined ? {} : { asRole: item.asRole }),
    ...(planFor === undefined ? {} : { gate: planFor }),
    ...(item.confirms === undefined ? {} : { approved: state.gates[item.confirms]?.digest ?? '' }),
    ...(approved === undefined ? {} : { matrixDigest: approved.matrixDigest }),
    ...(pullRequest ? { pullRequest } : {}),
    ...(baseline === undefined ? {} : { baseline, inPlace: inPlace(run) }),
  };
}

/** The writes that this run has seen in place: whoever takes one of them away has changed what the next rests on. */
function inPlace({ state }: Run): StepId[] {
  return sequence(known(state)).flatMap((item) =>
    item.kind === 'step' && isWrite(item) && state.steps[item.id]?.did ? [item.id] : [],
  );
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
