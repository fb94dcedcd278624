import { fieldsOf, textOf, type Fields } from './payloads.ts';
import type { Actor, Decision, Entry, Summary } from './record-schema.ts';
import { evidenceOf, numberOf, stepPart } from './steps-summary.ts';

const nobody: Actor = { claimed: null, identity: null, principal: null };

/** What a reader asks first, worked out from the entries alone. */
export function summarise(entries: readonly Entry[]): Summary {
  const start = entries.find(({ kind }) => kind === 'start');
  const input = fieldsOf(start?.data['input']);
  const end = entries.findLast(({ kind, name }) => kind === 'end' && name !== 'continued');
  const gates = gatesOf(entries);
  const decided = entries.flatMap((entry) => decisionOf(entry, entries, gates));
  const answered = new Set(entries.flatMap(({ message }) => (message === null ? [] : [message])));
  return {
    app: textOf(input['app']),
    mode: textOf(input['mode']),
    requestedBy: start?.who ?? { ...nobody, claimed: textOf(input['requestedBy']) },
    startedAt: entries[0]?.at ?? '',
    endedAt: end?.at ?? null,
    status: (end?.name ?? 'running') as Summary['status'],
    ...outcomeOf(entries, end),
    endedBy: end?.who ?? entries.findLast(({ kind }) => kind === 'cancel')?.who ?? null,
    plans: plansOf(entries),
    gates,
    decisions: decided.filter(({ what }) => what !== 'messageRefused'),
    refused: decided.filter(({ what }) => what === 'messageRefused'),
    unanswered: entries
      .filter(({ kind, seq }) => (kind === 'signal' || kind === 'update') && !answered.has(seq))
      .map(({ seq }) => seq),
    ...stepPart(entries),
  };
}

/** What a journal entry carried, whichever entry it came to us in. */
export function carriedIn({ data }: Entry): Fields {
  return fieldsOf(data['data']);
}

function isJournal({ kind }: Entry): boolean {
  return kind === 'journal' || kind === 'carried';
}

/** The run says how it ended before Temporal does, and a run that is terminated says nothing. */
function outcomeOf(entries: readonly Entry[], end: Entry | undefined): Pick<Summary, 'result' | 'reason'> {
  const ended = entries.findLast((entry) => isJournal(entry) && entry.name === 'ended');
  const said = fieldsOf((ended && carriedIn(ended)['outcome']) ?? end?.data['outcome']);
  const failure = fieldsOf(end?.data['failure']);
  const reasons = [
    said['reason'],
    end?.data['reason'],
    failure['message'] && `${String(failure['type'])}: ${String(failure['message'])}`,
  ];
  return { result: textOf(said['result']), reason: reasons.map(textOf).find((reason) => reason !== null) ?? null };
}

/** A plan is what a step answers with facts and their digest. */
function plansOf(entries: readonly Entry[]): Summary['plans'] {
  return entries.flatMap(({ seq, at, data }) => {
    const content = evidenceOf(data);
    const digest = textOf(fieldsOf(content)['digest']);
    if (digest === null || fieldsOf(content)['facts'] === undefined) return [];
    return [{ entry: seq, step: textOf(data['step']) ?? '', at, digest, content }];
  });
}

function gatesOf(entries: readonly Entry[]): Summary['gates'] {
  return entries.flatMap((entry) => {
    const { gate, digest } = carriedIn(entry);
    const name = textOf(gate);
    if (!isJournal(entry) || entry.name !== 'gateOpened' || name === null) return [];
    return [{ entry: entry.seq, gate: name, openedAt: entry.at, digest: textOf(digest) }];
  });
}

/** A decision is an entry that a message led to, or that names who was behind it. */
function decisionOf(entry: Entry, entries: readonly Entry[], gates: Summary['gates']): Decision[] {
  if (!isJournal(entry) || entry.who === null || entry.name === 'identified') return [];
  const payload = fieldsOf(entries.find(({ seq }) => seq === entry.message)?.data['payload']);
  const said = { ...carriedIn(entry), ...fieldsOf(carriedIn(entry)['outcome']) };
  const refused = entry.name === 'messageRefused';
  const field = (key: string): unknown => said[key] ?? (refused ? undefined : payload[key]);
  const gate = textOf(field('gate'));
  const open = gates.findLast((opened) => opened.gate === gate && opened.entry < entry.seq);
  const { by, gate: _gate, step: _step, attempt: _attempt, reason, why, digest, outcome: _outcome, ...more } = said;
  return [
    {
      entry: entry.seq,
      at: entry.at,
      what: entry.name,
      text: entry.text,
      who: { ...entry.who, claimed: entry.who.claimed ?? textOf(by) },
      gate,
      step: textOf(field('step')),
      attempt: numberOf(field('attempt')),
      reason: textOf(reason) ?? textOf(why) ?? textOf(field('reason')),
      plan: refused ? null : (textOf(digest) ?? open?.digest ?? textOf(payload['plan'])),
      message: entry.message,
      more,
    },
  ];
}
