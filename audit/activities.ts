import { failureOf, type Draft } from './draft.ts';
import { attributesOf, typeOf, type HistoryEvent } from './history.ts';
import { decodePayload, decodePayloads, fieldsOf, textOf } from './payloads.ts';

/** How an activity can end, by the type of the event. */
const outcomes: Readonly<Record<string, string>> = {
  ACTIVITY_TASK_COMPLETED: 'completed',
  ACTIVITY_TASK_FAILED: 'failed',
  ACTIVITY_TASK_TIMED_OUT: 'timed-out',
  ACTIVITY_TASK_CANCELED: 'cancelled',
};

/** The activities of one run: each becomes one entry, made of everything that the history says of it. */
export class Activities {
  readonly #open = new Map<string, HistoryEvent[]>();
  readonly #run: string;

  constructor(run: string) {
    this.#run = run;
  }

  /** Takes an event in; answers the entry when it closes an activity, and whether it was one of an activity at all. */
  take(event: HistoryEvent): { draft?: Draft } | undefined {
    const type = typeOf(event);
    if (!type.startsWith('ACTIVITY_TASK_')) return undefined;
    if (type === 'ACTIVITY_TASK_SCHEDULED') {
      this.#open.set(String(event.eventId), [event]);
      return {};
    }
    const scheduled = String(attributesOf(event)['scheduledEventId']);
    const events = [...(this.#open.get(scheduled) ?? []), event];
    this.#open.set(scheduled, events);
    const outcome = outcomes[type];
    if (outcome === undefined) return {};
    this.#open.delete(scheduled);
    return { draft: activityDraft(this.#run, events, outcome) };
  }

  /** Those that had not ended when the history was taken, or when the run was terminated. */
  stillOpen(): Draft[] {
    return [...this.#open.values()].map((events) => activityDraft(this.#run, events, 'running'));
  }
}

function activityDraft(run: string, events: readonly HistoryEvent[], outcome: string): Draft {
  const of = (suffix: string): HistoryEvent | undefined => events.find((event) => typeOf(event).endsWith(suffix));
  const [first] = events;
  const last = events.at(-1);
  if (first === undefined || last === undefined) throw new TypeError('an activity of no events');
  const scheduled = of('_SCHEDULED');
  const started = of('_STARTED');
  const { activityType, input } = fieldsOf(scheduled && attributesOf(scheduled));
  const { identity, attempt, lastFailure } = fieldsOf(started && attributesOf(started));
  const closed = outcome === 'running' ? undefined : last;
  const name = textOf(fieldsOf(activityType)['name']) ?? 'an activity';
  const title = decodePayload(fieldsOf(scheduled?.['userMetadata'])['summary']);
  const [call] = decodePayloads(input);
  const { failure, result } = fieldsOf(closed && attributesOf(closed));
  const [value] = decodePayloads(result);
  const ended = failure === undefined || failure === null ? null : failureOf(failure);
  const step = textOf(fieldsOf(call)['step']);
  const { did } = fieldsOf(value);
  return {
    kind: 'activity',
    name,
    text: `${step ?? name}: ${[outcome, textOf(did), ended?.type].filter(Boolean).join(', ')}`,
    who: null,
    data: {
      activity: name,
      title: textOf(title),
      step,
      attempt: numberOf(fieldsOf(call)['attempt']),
      input: call ?? null,
      scheduledAt: scheduled?.eventTime ?? null,
      startedAt: started?.eventTime ?? null,
      closedAt: closed?.eventTime ?? null,
      tries: numberOf(attempt) ?? 0,
      worker: textOf(identity),
      outcome,
      result: value ?? null,
      failure: ended,
      failureBefore: lastFailure === undefined || lastFailure === null ? null : failureOf(lastFailure),
    },
    run,
    events,
    at: closed ?? first,
  };
}

/** A local activity: it leaves one marker with its result. */
export function localActivityDraft(run: string, event: HistoryEvent): Draft | undefined {
  const { markerName, details } = attributesOf(event);
  if (markerName !== 'core_local_activity') return undefined;
  const { result, data } = fieldsOf(details);
  const about = fieldsOf(decodePayloads(data)[0]);
  const name = textOf(about['activity_type']) ?? 'a local activity';
  const title = decodePayload(fieldsOf(event['userMetadata'])['summary']);
  const { failure } = attributesOf(event);
  const ended = failure === undefined || failure === null ? null : failureOf(failure);
  const outcome = ended === null ? 'completed' : 'failed';
  return {
    kind: 'activity',
    name,
    text: `${name}: ${outcome}`,
    who: null,
    data: {
      activity: name,
      title: textOf(title),
      step: null,
      attempt: null,
      local: true,
      tries: numberOf(about['attempt']) ?? 1,
      outcome,
      result: decodePayloads(result)[0] ?? null,
      failure: ended,
    },
    run,
    events: [event],
    at: event,
  };
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
