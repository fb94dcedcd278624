import type { Actor, AuditRecord, Decision, Entry, StepSummary, Summary } from './record-schema.ts';
import { unreadableIn } from './payloads.ts';
import { carriedIn } from './summary.ts';
import { keyText, lasted, time, valueText, whoText } from './words.ts';

// The sentences that the Markdown and the HTML of a record share, as plain text.

/** What the server knew of a sender. */
export function knownText({ identity, principal }: Actor): string {
  const parts = [principal && `verified as ${principal}`, identity && `client ${identity}`];
  return parts.filter(Boolean).join(', ') || 'not known';
}

export function nameText({ claimed }: Actor): string {
  return claimed ?? 'nobody by name';
}

/** Why it was decided so, and what else the journal says of it. */
export function reasonText({ reason, more }: Decision): string {
  const others = Object.entries(more)
    .filter(([, value]) => isWorthSaying(value) && value !== 0)
    .map((field) => valueText(Object.fromEntries([field])));
  return [reason, ...others].filter(Boolean).join('; ');
}

/** What a line has for the sake of its shape alone is in record.json. */
function isWorthSaying(value: unknown): boolean {
  return value != null && value !== false && !(Array.isArray(value) && value.length === 0);
}

export function attemptText(one: StepSummary['attempts'][number]): string {
  const took = one.to === null ? 'not ended' : `took ${lasted(one.from, one.to)}`;
  const tries = one.tries > 1 ? `, ${one.tries} tries` : '';
  const failure = one.failure === null ? '' : `: ${one.failure.type}: ${one.failure.message}`;
  return `attempt ${one.attempt ?? '?'} at ${time(one.from)}, ${took}${tries}: ${one.outcome}${failure}`;
}

/** What of a record could not be read, and where; null where all of it could. */
export function unreadText({ unreadable, entries }: AuditRecord): string | null {
  if (unreadable === 0) return null;
  const touched = entries.filter(({ data }) => unreadableIn(data).length > 0);
  const keys = new Set(touched.flatMap(({ data }) => unreadableIn(data)).map(({ key }) => key));
  const why = [
    ...[...keys].flatMap((key) => (key === undefined ? [] : [`encrypted with the key ${key}`])),
    ...(keys.has(undefined) ? ['of an encoding that nobody here knows'] : []),
  ];
  return `${unreadable} payload(s), ${why.join(', or ')}, in ${entriesText(touched.map(({ seq }) => seq))}`;
}

/** `entries 1 to 4 and 7`. */
function entriesText(numbers: readonly number[]): string {
  const spans: [first: number, last: number][] = [];
  for (const seq of numbers) {
    const span = spans.at(-1);
    if (span?.[1] === seq - 1) span[1] = seq;
    else spans.push([seq, seq]);
  }
  const texts = spans.map(([first, last]) => (first === last ? String(first) : `${first} to ${last}`));
  return `${numbers.length === 1 ? 'entry' : 'entries'} ${[texts.slice(0, -1).join(', '), texts.at(-1)].filter(Boolean).join(' and ')}`;
}

/** Whether something is unreadable that the run itself wrote: then what a record does not say may have been all the same. */
export function isBlind({ entries }: AuditRecord): boolean {
  return entries.some(({ kind, data }) => kind !== 'signal' && kind !== 'update' && unreadableIn(data).length > 0);
}

/** A sentence that says there was nothing of a sort, as far as that is known. */
export function nothingText(record: AuditRecord, nothing: string): string {
  if (!isBlind(record)) return nothing;
  return `Not known. As far as this record could be read: ${nothing[0]?.toLowerCase()}${nothing.slice(1)}`;
}

/** The facts that approvals bind, and what was only shown. */
export function planParts({ content }: Summary['plans'][number]): { facts: [string, string][]; shown: string | null } {
  const { facts, observations } = content as { facts?: object; observations?: unknown };
  return {
    facts: Object.entries(facts ?? {}).map(([key, value]) => [keyText(key), valueText(value)]),
    shown: observations === undefined ? null : valueText(observations),
  };
}

/** The plans that gates were opened for. */
export function plansShown({ plans, gates }: Summary): Summary['plans'] {
  return plans.filter(({ digest }) => gates.some((gate) => gate.digest === digest));
}

/** Gates that were opened and about which nobody decided afterwards. */
export function gatesUndecided({ gates, decisions }: Summary): Summary['gates'] {
  return gates.filter(({ gate, entry }) => !decisions.some((one) => one.gate === gate && one.entry > entry));
}

export interface VoidMessage {
  readonly entry: number;
  readonly at: string;
  readonly name: string;
  readonly from: string;
  readonly why: string;
}

/** Messages that were refused, and those that nothing answers. */
export function voidMessages(record: AuditRecord): VoidMessage[] {
  const { summary, entries } = record;
  return [
    ...summary.refused.map(({ entry, at, more, who, reason, text }) => ({
      ...{ entry, at, name: valueText(more['message']), from: whoText(who) },
      why: `refused: ${reason ?? text}`,
    })),
    ...entries
      .filter(({ seq }) => summary.unanswered.includes(seq))
      .map(({ seq, at, name, who }) => ({
        ...{ entry: seq, at, name, from: who === null ? 'nobody' : whoText(who) },
        why: isBlind(record)
          ? 'and what became of it cannot be read'
          : 'changed nothing: a double, or not read before the run ended',
      })),
  ].sort((a, b) => a.entry - b.entry);
}

/** What the line of an entry does not say already. */
export function moreText(entry: Entry): string {
  const who = entry.who === null ? [] : [`by ${whoText(entry.who)}`];
  const answers = entry.message === null ? [] : [`answers entry ${entry.message}`];
  const data = entry.kind === 'journal' || entry.kind === 'carried' ? carriedIn(entry) : dataToTell(entry);
  const news = Object.entries(data).filter(
    ([, value]) => isWorthSaying(value) && !entry.text.includes(valueText(value)),
  );
  const told = news.length === 0 ? [] : [valueText(Object.fromEntries(news))];
  return [...who, ...answers, ...told].join('; ');
}

function dataToTell({ kind, data }: Entry): Record<string, unknown> {
  const some = (...keys: string[]): Record<string, unknown> =>
    Object.fromEntries(keys.flatMap((key) => (data[key] == null ? [] : [[key, data[key]]])));
  switch (kind) {
    case 'activity':
      return some(...(data['tries'] === 1 ? [] : ['tries']), 'failure');
    case 'start':
      return some('input');
    case 'end':
    case 'cancel':
      return some('reason', 'failure');
    default:
      return data;
  }
}
