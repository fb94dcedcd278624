import { createHash } from 'node:crypto';
import { canonicalJson } from '../activities/canonical-json.ts';
import type { HistoryEvent, RunHistory } from './history.ts';
import type { AuditRecord, Entry } from './record-schema.ts';

/** SHA-256 of canonical JSON: keys in order, no white space. The one kind of digest in a record. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** The digest of events, as they stand in the history. */
export function eventsDigest(events: readonly HistoryEvent[]): string {
  return digestOf(events);
}

/** What the chain hangs on: the digest that the first entry names as the one before it. */
export function anchorOf({
  format,
  workflow,
  runs,
  continues,
}: Pick<AuditRecord, 'format' | 'workflow' | 'runs' | 'continues'>): string {
  return digestOf({ format, workflow, runs, continues });
}

export function entryDigest({ digest: _digest, ...rest }: Entry): string {
  return digestOf(rest);
}

/** Links entries: each gets the digest of the one before, and its own. */
export function linked(anchor: string, entries: readonly Omit<Entry, 'prev' | 'digest'>[]): Entry[] {
  let prev = anchor;
  return entries.map((bare) => {
    const entry = { ...bare, prev, digest: '' };
    prev = entryDigest(entry);
    return { ...entry, digest: prev };
  });
}

/** A run in the head of a record: all of its events are under its digest, those of no entry too. */
export function runLine({ runId, events }: RunHistory): AuditRecord['runs'][number] {
  return {
    run: runId,
    events: events.length,
    from: events[0]?.eventTime ?? '',
    to: events.at(-1)?.eventTime ?? '',
    digest: eventsDigest(events),
  };
}
