import { types } from 'node:util';
import { CancelledFailure, type Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { steps, type StepCall, type StepId, type StepResult } from '../workflows/steps.ts';
import { classify } from './classify.ts';
import { ServiceError } from './clients/errors.ts';
import { fail } from './fail.ts';
import { withScope, type Progress } from './scope.ts';
import { Secrets, type Leak } from './secrets.ts';

/** Milliseconds between two heartbeats. */
const heartbeatEveryMs = 2_000;
/** An attempt ends itself this many milliseconds before the server gives it up, so that it never runs beside its successor. */
const marginMs = 5_000;
/** Attempts of a step whose failure the procedure goes on without. */
const toleratedAttempts = 3;

/** Called when an activity gets further; besides the heartbeat, the worker's log listens. */
export type ProgressListener = (activity: { type: string; step: string; attempt: number }, progress: Progress) => void;

export interface BoundaryOptions {
  readonly listener: ProgressListener;
  /** Told each secret that an activity learns. */
  readonly onSecret?: (secret: string) => void;
  /** Cleans a failure's texts of what the process knows besides: they are no payloads, so that no codec sees them. */
  readonly lastNet?: (text: string) => string;
  /** Throws where the activity may not write any more; see `lease.ts`. Nothing is asked where it is missing. */
  readonly proveLease?: (context: Context) => Promise<void>;
}

/**
 * The boundary around every activity: heartbeats, deadline, a check of the evidence, classification of what went wrong,
 * and redaction of all that leaves. Nothing behind it has to remember any of these.
 *
 * @throws CancelledFailure when the run asked it to stop
 * @throws ApplicationFailure redacted, of a type of `failures.ts`
 */
export async function atBoundary(
  context: Context,
  args: readonly unknown[],
  { listener, onSecret, lastNet = same, proveLease = () => Promise.resolve() }: BoundaryOptions,
  work: () => Promise<unknown>,
): Promise<unknown> {
  const { info } = context;
  const secrets = new Secrets(onSecret);
  // What the run said itself is in its history already: app, step, digest.
  secrets.keepPlain(args);
  guardHeartbeat(context, secrets);
  const deadline = AbortSignal.timeout(Math.max(1_000, info.startToCloseTimeoutMs - marginMs));
  const signal = AbortSignal.any([context.cancellationSignal, deadline]);
  const step = stepOf(args) ?? info.activityType;

  if (info.attempt > 1) countRetry(context, step);

  let progress: Progress = 'begun';
  const report = (next: Progress): void => {
    progress = next;
    if (!info.isLocal) context.heartbeat(next);
    listener({ type: info.activityType, step, attempt: info.attempt }, next);
  };
  const heart = info.isLocal ? undefined : setInterval(() => context.heartbeat(progress), heartbeatEveryMs);
  try {
    return await withScope({ signal, secrets, report, proveLease: () => proveLease(context) }, async () => {
      report('begun');
      const result = await work();
      // First, so that a leak is noticed in what the definition leaves out as well.
      const leak = secrets.find(result);
      if (leak !== undefined) throw leakFailure(leak);
      return checkEvidence(step, result);
    });
  } catch (error) {
    if (context.cancellationSignal.aborted)
      throw new CancelledFailure('stopped on request; what the step did is settled by its next look');
    // A refusal that was waited out to the end is known: nothing of the last request has happened.
    if (deadline.aborted && !(error instanceof ServiceError && error.isRateLimit)) {
      throw fail(
        'OutcomeUnknown',
        `The attempt ran out of time while ${progress}; the next one settles it by looking.`,
      );
    }
    const failure = redactFailure(classify(error), secrets, lastNet);
    throw isTolerated(failure, args, info.attempt)
      ? ApplicationFailure.fromError(failure, { nonRetryable: true })
      : failure;
  } finally {
    clearInterval(heart);
  }
}

/** By step, as the runbook names it, or by the activity where it is none of a step: never by what anybody sent. */
function countRetry({ metricMeter, info }: Context, step: string): void {
  metricMeter
    .createCounter('cutover_activity_retries', undefined, 'Attempts of activities after their first')
    .add(1, { step: Object.hasOwn(steps, step) ? step : info.activityType });
}

/** Whether the procedure goes on without the step, so that a few attempts are enough: while PostgreSQL is down, users wait. */
function isTolerated({ type }: ApplicationFailure, args: readonly unknown[], attempt: number): boolean {
  const { tolerates = [] } = (args[0] ?? {}) as Partial<Pick<StepCall, 'tolerates'>>;
  return attempt >= toleratedAttempts && tolerates.some((one) => one === type);
}

/**
 * The result of a step with its evidence as the step's definition has it: what that does not name is left out, so that
 * nothing enters a history by the way.
 *
 * @throws ApplicationFailure `InvalidTransition` where something that it names is missing, or of another type
 */
function checkEvidence(step: string, result: unknown): unknown {
  if (!Object.hasOwn(steps, step)) return result;
  const { did, evidence, drift } = result as StepResult<unknown>;
  const checked = steps[step as StepId].evidence.safeParse(evidence);
  if (checked.success) return { did, evidence: checked.data as unknown, ...(drift ? { drift } : {}) };
  const problems = checked.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw fail(
    'InvalidTransition',
    `The evidence of ${step} is not as its definition says (${problems.join('; ')}): a mistake in the runbook, not in the target. ` +
      'What the step did stands. Please report it, mend the worker, then try again.',
  );
}

/** An activity may heartbeat by itself, past `report`: what it says goes through the same guard. */
function guardHeartbeat(context: Context, secrets: Secrets): void {
  const heartbeat = context.heartbeat.bind(context);
  Object.defineProperty(context, 'heartbeat', {
    value: (details?: unknown) => heartbeat(secrets.redactValue(details)),
  });
}

function leakFailure({ field, what, variable }: Leak) {
  const remedy =
    variable === undefined
      ? 'The step must not report that field: mend it before the run goes on.'
      : `If that value is no secret, name ${variable} in plainConfigVars of the target file; else the step must not report that field.`;
  return fail(
    'SecretLeak',
    `The step was about to report ${what} in ${field}; expected evidence without secrets. The result was withheld; nothing left the worker. ${remedy}`,
  );
}

function stepOf(args: readonly unknown[]): string | undefined {
  const step = (args[0] as { step?: unknown } | undefined)?.step;
  return typeof step === 'string' ? step : undefined;
}

const same = (text: string): string => text;

/** The failure rebuilt without secrets: message, type, details, stack and the whole chain of causes. */
export function redactFailure(failure: ApplicationFailure, secrets: Secrets, lastNet = same): ApplicationFailure {
  const redact = (text: string): string => lastNet(secrets.redact(text));
  const rebuilt = ApplicationFailure.create({
    message: redact(failure.message),
    type: redact(failure.type ?? 'Unknown'),
    nonRetryable: failure.nonRetryable ?? false,
    details: secrets.redactValue(failure.details ?? []) as unknown[],
    ...(failure.nextRetryDelay == null ? {} : { nextRetryDelay: failure.nextRetryDelay }),
    ...(types.isNativeError(failure.cause) ? { cause: redactCause(failure.cause, redact) } : {}),
  });
  rebuilt.stack = redact(failure.stack ?? '');
  return rebuilt;
}

function redactCause(error: Error, redact: (text: string) => string, depth = 0): Error {
  const plain = new Error(redact(error.message));
  plain.name = redact(error.name);
  plain.stack = redact(error.stack ?? '');
  if (types.isNativeError(error.cause) && depth < 5) plain.cause = redactCause(error.cause, redact, depth + 1);
  return plain;
}
