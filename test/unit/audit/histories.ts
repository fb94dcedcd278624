import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inOrder, readHistories, type HistoryEvent, type RunHistory } from '../../../audit/history.ts';

const saved = fileURLToPath(new URL('../../histories', import.meta.url));

/** Every chain of runs whose histories are kept, by release and behaviour. */
export const savedChains: Readonly<Record<string, readonly RunHistory[]>> = Object.fromEntries(
  readdirSync(saved, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: release }) => {
      const files = readdirSync(join(saved, release)).filter((file) => file.endsWith('.json'));
      const behaviours = [...new Set(files.map((file) => file.replace(/\.\d+\.json$/, '')))];
      return behaviours.map((behaviour) => {
        const own = files.filter((file) => file.replace(/\.\d+\.json$/, '') === behaviour);
        const runs = own.flatMap((file) => readHistories(readFileSync(join(saved, release, file), 'utf8'), file));
        return [`${release}/${behaviour}`, inOrder(runs)] as const;
      });
    }),
);

export function payload(value: unknown): unknown {
  return {
    metadata: { encoding: Buffer.from('json/plain').toString('base64') },
    data: Buffer.from(JSON.stringify(value)).toString('base64'),
  };
}

export const payloads = (...values: unknown[]): unknown => ({ payloads: values.map(payload) });

/** An event without its number and its time. */
export type Written = Readonly<Record<string, unknown>> & { readonly eventType: string };

/** Events of each type as servers write them, with the fields that a record reads. */
export const written = {
  started: (input: unknown, rest: object = {}, carried?: unknown): Written => ({
    eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED',
    workflowExecutionStartedEventAttributes: {
      workflowType: { name: 'productionCutover' },
      input: carried === undefined ? payloads(input) : payloads(input, carried),
      identity: '7@starter',
      workflowId: 'cutover-written',
      ...rest,
    },
  }),
  journal: (seq: number, event: string, text: string, data?: unknown): Written => ({
    eventType: 'EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED',
    workflowPropertiesModifiedEventAttributes: {
      upsertedMemo: {
        fields: {
          stage: payload('working'),
          journal: payload({ seq, at: 1, event, text, ...(data === undefined ? {} : { data }) }),
        },
      },
    },
  }),
  memo: (fields: Record<string, unknown>): Written => ({
    eventType: 'EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED',
    workflowPropertiesModifiedEventAttributes: {
      upsertedMemo: {
        fields: Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, payload(value)])),
      },
    },
  }),
  signal: (signalName: string, value: unknown, identity = '9@web', rest: object = {}): Written => ({
    eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED',
    workflowExecutionSignaledEventAttributes: { signalName, input: payloads(value), identity },
    ...rest,
  }),
  update: (name: string, value: unknown, identity = '9@web'): Written => ({
    eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED',
    workflowExecutionUpdateAcceptedEventAttributes: {
      acceptedRequest: { meta: { updateId: 'u-1', identity }, input: { name, args: payloads(value) } },
    },
  }),
  cancel: (identity = '9@web'): Written => ({
    eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED',
    workflowExecutionCancelRequestedEventAttributes: { identity },
  }),
  /** `@` is the number of the event before: what an event of an activity names as its first. */
  scheduled: (activity: string, call: unknown, title = 'A step'): Written => ({
    eventType: 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED',
    userMetadata: { summary: payload(title) },
    activityTaskScheduledEventAttributes: { activityType: { name: activity }, input: payloads(call) },
  }),
  begun: (scheduledEventId: number, attempt = 1): Written => ({
    eventType: 'EVENT_TYPE_ACTIVITY_TASK_STARTED',
    activityTaskStartedEventAttributes: { scheduledEventId: String(scheduledEventId), identity: '1@worker', attempt },
  }),
  done: (scheduledEventId: number, did: string, evidence: unknown): Written => ({
    eventType: 'EVENT_TYPE_ACTIVITY_TASK_COMPLETED',
    activityTaskCompletedEventAttributes: {
      scheduledEventId: String(scheduledEventId),
      result: payloads({ did, evidence }),
    },
  }),
  failed: (scheduledEventId: number, type: string, message: string): Written => ({
    eventType: 'EVENT_TYPE_ACTIVITY_TASK_FAILED',
    activityTaskFailedEventAttributes: {
      scheduledEventId: String(scheduledEventId),
      failure: { message, applicationFailureInfo: { type } },
    },
  }),
  trouble: (): Written => ({
    eventType: 'EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT',
    workflowTaskTimedOutEventAttributes: { timeoutType: 'TIMEOUT_TYPE_START_TO_CLOSE' },
  }),
  unknown: (): Written => ({
    eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_SOMETHING_NEW',
    workflowExecutionSomethingNewEventAttributes: { by: 'a later server' },
  }),
  task: (): Written => ({
    eventType: 'EVENT_TYPE_WORKFLOW_TASK_SCHEDULED',
    workflowTaskScheduledEventAttributes: { attempt: 1 },
  }),
  terminated: (reason: string, identity = '5@cli'): Written => ({
    eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED',
    workflowExecutionTerminatedEventAttributes: { reason, identity },
  }),
  completed: (result: unknown): Written => ({
    eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED',
    workflowExecutionCompletedEventAttributes: { result: payloads(result) },
  }),
};

/** A run of these events, numbered, a second after each other; the first must be its start. */
export function runOf(events: readonly Written[], runId = 'run-1'): RunHistory {
  return {
    runId,
    events: events.map((event, index): HistoryEvent => {
      const numbered = {
        ...event,
        eventId: String(index + 1),
        eventTime: new Date(Date.UTC(2026, 4, 15, 12, 0, index)).toISOString(),
      };
      if (index > 0) return numbered;
      const attributes = event['workflowExecutionStartedEventAttributes'] as object;
      return {
        ...numbered,
        workflowExecutionStartedEventAttributes: { originalExecutionRunId: runId, ...attributes },
      };
    }),
  };
}

const call = (step: string, rest: object = {}): object => ({ app: 'written', step, attempt: 1, ...rest });

/** A run in which something of every kind happens that a record can tell of. */
export function eventfulRun(): RunHistory {
  const digest = 'ab'.repeat(32);
  return runOf([
    written.started(
      { app: 'written', requestedBy: 'Rita' },
      { continuedExecutionRunId: 'run-0' },
      {
        journal: [{ seq: 1, at: 1, event: 'targetRead', text: 'target file cd', data: {} }],
      },
    ),
    written.task(),
    written.scheduled('surveyTarget', call('survey'), 'Make the plan'),
    written.begun(3),
    written.done(3, 'observed', {
      facts: { app: 'written', release: { version: 7 } },
      observations: { rows: 1 },
      digest,
    }),
    written.journal(2, 'gateOpened', `gate go: open`, { gate: 'go', digest }),
    written.signal('approve', { gate: 'go', by: 'Ada', plan: digest.slice(0, 12) }, '9@web', {
      principal: { type: 'jwt', name: 'ada@example.org' },
    }),
    written.journal(3, 'approved', 'gate go: approved by Ada', { gate: 'go', by: 'Ada' }),
    written.scheduled('setFlag', call('flag'), 'Set the flag'),
    written.begun(9, 3),
    written.done(9, 'acted', { flag: 'F', release: 9 }),
    written.update('killSwitch', { by: 'Bo', reason: 'errors everywhere' }),
    written.journal(4, 'killed', 'kill switch, says Bo', { by: 'Bo', reason: 'errors everywhere' }),
    written.scheduled('unsetFlag', call('flag-off', { undoes: ['flag'] }), 'Take the flag off'),
    written.begun(14),
    written.done(14, 'acted', { flag: 'F', release: 10 }),
    written.trouble(),
    written.unknown(),
    written.memo({ record: { head: 'x' } }),
    written.journal(5, 'somethingNew', 'a line of a later release', { sample: { healthy: true } }),
    written.cancel(),
    written.terminated('enough'),
  ]);
}
