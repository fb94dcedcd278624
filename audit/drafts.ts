import { Activities, localActivityDraft } from './activities.ts';
import { actorOf, failureOf, type Draft } from './draft.ts';
import { attributesOf, typeOf, type HistoryEvent, type RunHistory } from './history.ts';
import { decodeFields, decodePayloads, fieldsOf, textOf, type Fields } from './payloads.ts';
import { createHash } from 'node:crypto';
import { canonicalJson } from '../activities/canonical-json.ts';

/** How a run can end, by the type of its last event; `continued` goes on in the next one. */
const ends: Readonly<Record<string, string>> = {
  WORKFLOW_EXECUTION_COMPLETED: 'completed',
  WORKFLOW_EXECUTION_FAILED: 'failed',
  WORKFLOW_EXECUTION_TIMED_OUT: 'timed-out',
  WORKFLOW_EXECUTION_CANCELED: 'cancelled',
  WORKFLOW_EXECUTION_TERMINATED: 'terminated',
  WORKFLOW_EXECUTION_CONTINUED_AS_NEW: 'continued',
};

/** How the server keeps a run going: no news for a record. They are in the history and in its digest. */
const mechanics =
  /^(WORKFLOW_TASK_(SCHEDULED|STARTED|COMPLETED)|TIMER_|MARKER_RECORDED$|WORKFLOW_EXECUTION_UPDATE_COMPLETED$)/;

/** The entries of a chain of runs, in the order of the history. */
export function draftsOf(runs: readonly RunHistory[]): Draft[] {
  const journal = new Set<string>();
  return runs.flatMap((run) => {
    const activities = new Activities(run.runId);
    const drafts = run.events.flatMap((event): Draft[] => {
      const activity = activities.take(event);
      if (activity !== undefined) return activity.draft ? [activity.draft] : [];
      return draftsOfEvent(run, event).filter((draft) => isNews(draft, journal));
    });
    const place = new Map(run.events.map((event, index) => [event, index]));
    // Activities that never ended come where they began.
    return [...drafts, ...activities.stillOpen()].sort((a, b) => (place.get(a.at) ?? 0) - (place.get(b.at) ?? 0));
  });
}

/** A run that continued as new says its last journal entry once more, so that its memo has one. */
function isNews({ kind, data }: Draft, seen: Set<string>): boolean {
  if (kind !== 'journal' && kind !== 'carried') return true;
  const key = String(data['seq'] ?? canonicalJson(data));
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

function draftsOfEvent(run: RunHistory, event: HistoryEvent): Draft[] {
  const type = typeOf(event);
  const attributes = attributesOf(event);
  const draft = (kind: Draft['kind'], name: string, text: string, rest: Partial<Draft> = {}): Draft => ({
    ...{ kind, name, text, who: null, data: {}, run: run.runId, events: [event], at: event },
    ...rest,
  });
  const end = ends[type];
  if (end !== undefined) return [endDraft(draft, end, event, attributes)];
  switch (type) {
    case 'WORKFLOW_EXECUTION_STARTED':
      return startDrafts(draft, event, attributes);
    case 'WORKFLOW_PROPERTIES_MODIFIED':
      return memoDrafts(draft, attributes);
    case 'WORKFLOW_EXECUTION_SIGNALED': {
      const name = textOf(attributes['signalName']) ?? 'a signal';
      return [messageDraft(draft, 'signal', name, event, attributes['input'], attributes['identity'])];
    }
    case 'WORKFLOW_EXECUTION_UPDATE_ACCEPTED':
      return [updateDraft(draft, run, event, attributes)];
    case 'WORKFLOW_EXECUTION_CANCEL_REQUESTED': {
      const who = actorOf(event, null, attributes['identity']);
      return [
        draft('cancel', 'cancel', 'cancellation requested', { who, data: { reason: textOf(attributes['cause']) } }),
      ];
    }
    case 'WORKFLOW_TASK_FAILED':
    case 'WORKFLOW_TASK_TIMED_OUT': {
      // A task of a worker that went away runs out of time: the next worker takes it.
      const failure = type === 'WORKFLOW_TASK_FAILED' ? failureOf(attributes['failure']) : null;
      const why = textOf(attributes['cause']) ?? textOf(attributes['timeoutType']);
      return [draft('trouble', type.toLowerCase(), 'a workflow task did not end', { data: { why, failure } })];
    }
    default: {
      const local = type === 'MARKER_RECORDED' ? localActivityDraft(run.runId, event) : undefined;
      if (local !== undefined) return [local];
      if (mechanics.test(type)) return [];
      return [draft('event', type.toLowerCase(), type.toLowerCase().replaceAll('_', ' '), { data: { ...attributes } })];
    }
  }
}

type MakeDraft = (kind: Draft['kind'], name: string, text: string, rest?: Partial<Draft>) => Draft;

function startDrafts(draft: MakeDraft, event: HistoryEvent, attributes: Fields): Draft[] {
  const [input, carried] = decodePayloads(attributes['input']);
  const who = actorOf(event, fieldsOf(input)['requestedBy'], attributes['identity']);
  const continues = textOf(attributes['continuedExecutionRunId']);
  const type = textOf(fieldsOf(attributes['workflowType'])['name']) ?? 'workflow';
  const data = {
    type,
    workflowId: textOf(attributes['workflowId']),
    input: input ?? null,
    continues,
    // What is carried over is the state of the run before, whose events are entries already.
    carried: carried === undefined ? null : { sha256: sha256(carried) },
    memo: decodeFields(attributes['memo']),
  };
  const start =
    continues === null
      ? draft('start', 'started', `${type} started`, { who, data })
      : draft('start', 'continued', 'the run goes on in a new one', { who: null, data });
  const journal = fieldsOf(carried)['journal'];
  const before = Array.isArray(journal) ? journal.map(fieldsOf) : [];
  return [start, ...before.map((line) => draft('carried', ...namedLine(line), { data: { ...line } }))];
}

/** The event and the text of a journal line. */
function namedLine(line: Fields): [name: string, text: string] {
  const name = textOf(line['event']) ?? 'note';
  return [name, textOf(line['text']) ?? name];
}

function memoDrafts(draft: MakeDraft, attributes: Fields): Draft[] {
  const { journal, ...rest } = decodeFields(attributes['upsertedMemo']);
  if (journal === undefined) return [draft('memo', 'memo', 'noted in the memo', { data: rest })];
  const line = fieldsOf(journal);
  return [draft('journal', ...namedLine(line), { data: { ...line } })];
}

function messageDraft(
  draft: MakeDraft,
  kind: 'signal' | 'update',
  name: string,
  event: HistoryEvent,
  input: unknown,
  identity: unknown,
  rest: Partial<Draft> & { data?: Fields } = {},
): Draft {
  const payloads = decodePayloads(input);
  const payload = payloads.length > 1 ? payloads : (payloads[0] ?? null);
  return draft(kind, name, `${kind} ${name}`, {
    ...rest,
    who: actorOf(event, fieldsOf(payload)['by'], identity),
    data: { payload, ...rest.data },
  });
}

function updateDraft(draft: MakeDraft, run: RunHistory, event: HistoryEvent, attributes: Fields): Draft {
  const { meta, input } = fieldsOf(attributes['acceptedRequest']);
  const { updateId, identity } = fieldsOf(meta);
  const { name, args } = fieldsOf(input);
  const completed = run.events.find(
    (other) =>
      typeOf(other) === 'WORKFLOW_EXECUTION_UPDATE_COMPLETED' &&
      String(attributesOf(other)['acceptedEventId']) === String(event.eventId),
  );
  const { success, failure } = fieldsOf(fieldsOf(completed && attributesOf(completed))['outcome']);
  return messageDraft(draft, 'update', textOf(name) ?? 'an update', event, args, identity, {
    events: completed === undefined ? [event] : [event, completed],
    data: {
      updateId: textOf(updateId),
      answer: success === undefined ? null : (decodePayloads(success)[0] ?? null),
      failure: failure === undefined || failure === null ? null : failureOf(failure),
    },
  });
}

function endDraft(draft: MakeDraft, end: string, event: HistoryEvent, attributes: Fields): Draft {
  const [result] = decodePayloads(attributes['result']);
  const failure = attributes['failure'];
  // Only a termination has somebody behind it; the others are the run's own doing.
  const who = end === 'terminated' ? actorOf(event, null, attributes['identity']) : null;
  return draft(
    'end',
    end,
    end === 'continued' ? 'the run ends here and goes on in a new one' : `the run ended: ${end}`,
    {
      who,
      data: {
        reason: textOf(attributes['reason']),
        outcome: fieldsOf(result)['outcome'] ?? null,
        result: result === undefined ? null : { sha256: sha256(result) },
        failure: failure === undefined || failure === null ? null : failureOf(failure),
        next: textOf(attributes['newExecutionRunId']),
      },
    },
  );
}

function sha256(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
