import { proxyActivities, proxyLocalActivities, type ActivityOptions } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { KnownSender, Sender } from './messages.ts';
import type { Notice } from './notice.ts';
import { steps, type StepCall, type StepResult, type WorkClass } from './steps.ts';

/**
 * Heartbeats come every 2 s, so that a dead worker is noticed within 8 s and a cancellation arrives within 2 s.
 * Attempts are many because a probe comes first: another attempt costs a look, and does nothing twice.
 */
const backoff = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s' };
const common = {
  heartbeatTimeout: '8s',
  // Said here because the SDK's own default is TRY_CANCEL, whatever its documentation says [ran: 1.24.0]: the run would
  // end while its last step still writes, and the next run could begin beside it.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { ...backoff, maximumAttempts: 12 },
} satisfies ActivityOptions;

/** `startToCloseTimeout` bounds one attempt; an activity ends itself a little before it (see `perform`). */
export const optionsFor: Record<WorkClass, ActivityOptions> = {
  // A look takes seconds; when an account's rate limit is used up, it waits for its turn within one attempt.
  read: { ...common, startToCloseTimeout: '10 minutes' },
  write: { ...common, startToCloseTimeout: '10 minutes' },
  migration: { ...common, startToCloseTimeout: '1 hour' },
  smoke: { ...common, startToCloseTimeout: '1 hour' },
  // People merge a pull request when they do. One attempt polls for a day and adds no history; then the next one does. So
  // many are months of waiting, and less than half an hour of a service that does not answer.
  poll: { ...common, startToCloseTimeout: '24 hours', retry: { ...backoff, maximumAttempts: 100 } },
};

/** Of a step that may wait while the others go on: a person decides about it in the end. */
const attemptsOfWhatMayWait = 5;

/**
 * Performs one step. The one-line summary stands beside the activity in the Web UI.
 *
 * @param mayWait whether the procedure goes on without it
 */
export function callStep(call: StepCall, mayWait = false): Promise<StepResult<unknown>> {
  const { activity, work, title } = steps[call.step];
  const options = optionsFor[work];
  const retry = mayWait ? { ...options.retry, maximumAttempts: attemptsOfWhatMayWait } : options.retry;
  const proxy = proxyActivities<Activities>({ ...options, ...(retry ? { retry } : {}), summary: title });
  return proxy[activity](call) as Promise<StepResult<unknown>>;
}

const local = { startToCloseTimeout: '10s', retry: { maximumAttempts: 3 } } as const;

/** Reads the target file: a local activity, since it makes no request and ends in milliseconds. */
export const { readTarget } = proxyLocalActivities<Pick<Activities, 'readTarget'>>({
  ...local,
  summary: 'Read the target file',
});

/** Whether writes may begin now. Where time zones and their changes are known is not the workflow's to say. */
export const { readWindow } = proxyLocalActivities<Pick<Activities, 'readWindow'>>({
  ...local,
  summary: 'Look whether a change window is open',
});

/** The digest by which people name a question that opens on no plan. */
export const { digestOf } = proxyLocalActivities<Pick<Activities, 'digestOf'>>({
  ...local,
  summary: 'Work out the digest of a question',
});

/** Who sent a message, by the history of this run. */
export function identifySender(sender: Sender): Promise<KnownSender> {
  const summary = `Read in the history who sent ${sender.name}`;
  return proxyActivities<Activities>({
    ...common,
    startToCloseTimeout: '30s',
    retry: { ...backoff, maximumAttempts: 5 },
    summary,
  }).identifySender(sender);
}

/** Minutes, with every retry, for a receiver that is away for a moment: nothing waits for it but the run's end, and not so long. */
export function tellPeople(notice: Notice): Promise<unknown> {
  const proxy = proxyActivities<Activities>({
    heartbeatTimeout: '8s',
    startToCloseTimeout: '15s',
    scheduleToCloseTimeout: '5 minutes',
    retry: { ...backoff, maximumAttempts: 12 },
    summary: `Tell people: ${noticeSummaries[notice.event]}`,
  });
  return proxy.tellPeople(notice);
}

const noticeSummaries: Record<Notice['event'], string> = {
  'gate-opened': 'a gate is open',
  reminder: 'a question still waits for an answer',
  parked: 'a decision is wanted',
  'kill-switch': 'the kill switch was pulled',
  'undo-rm-11': 'the undo of RM-11 was asked for',
  'way-back-refused': 'the way back is refused',
  soak: 'the soak has turned red or green, or has a gap',
  ended: 'the run has ended',
};
