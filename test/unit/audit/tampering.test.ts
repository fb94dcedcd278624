import { describe, expect, test } from '@jest/globals';
import { linked, anchorOf } from '../../../audit/chain.ts';
import { entryKinds, type AuditRecord, type Entry } from '../../../audit/record-schema.ts';
import { manifestOf, recordOf, type RecordFiles } from '../../../audit/record-files.ts';
import { verifyRecord } from '../../../audit/verify.ts';
import { eventfulRun } from './histories.ts';

const { record, files } = recordOf([eventfulRun()]);

/** The record's files with another `record.json`, and a manifest that fits: a careful forger mends that too. */
function withRecord(change: (forged: AuditRecord) => AuditRecord): RecordFiles {
  const forged = change(structuredClone(record));
  return withManifest({ ...files, 'record.json': `${JSON.stringify(forged, null, 2)}\n` });
}

function withManifest(changed: RecordFiles): RecordFiles {
  return { ...changed, SHA256SUMS: manifestOf(changed) };
}

/** A chain that is whole in itself, over altered entries: only the history gives it away. */
function chainedAnew(forged: AuditRecord, entries: readonly Entry[]): AuditRecord {
  const anew = linked(anchorOf(forged), entries);
  return { ...forged, entries: anew, head: anew.at(-1)?.digest ?? '' };
}

const firstOf = (kind: string): Entry => {
  const found = record.entries.find((entry) => entry.kind === kind);
  if (found === undefined) throw new Error(`no entry is of the kind ${kind}`);
  return found;
};

const firstFinding = (forged: RecordFiles): number | null | undefined => verifyRecord(forged)[0]?.entry;

test('untouched, it holds', () => {
  expect(verifyRecord(files)).toEqual([]);
});

describe.each(entryKinds)('an entry of the kind %s', (kind) => {
  const { seq } = firstOf(kind);
  const altered = (change: (entry: Entry) => Entry, again: boolean) => (forged: AuditRecord) => {
    const entries = forged.entries.map((entry) => (entry.seq === seq ? change(entry) : entry));
    return again ? chainedAnew(forged, entries) : { ...forged, entries };
  };
  /** One byte of each of its fields. */
  const changes: Record<string, (entry: Entry) => Entry> = {
    text: (entry) => ({ ...entry, text: `${entry.text.slice(0, -1)}~` }),
    at: (entry) => ({ ...entry, at: entry.at.replace(/\d(?=Z$)/, (digit) => (digit === '9' ? '8' : '9')) }),
    name: (entry) => ({ ...entry, name: `${entry.name}s` }),
    data: (entry) => ({ ...entry, data: { ...entry.data, extra: 1 } }),
    who: (entry) => ({ ...entry, who: { claimed: 'Eve', identity: null, principal: null } }),
    source: (entry) => ({ ...entry, source: { ...entry.source, events: [...entry.source.events, '1'] } }),
    digest: (entry) => ({ ...entry, digest: flipped(entry.digest) }),
    prev: (entry) => ({ ...entry, prev: flipped(entry.prev) }),
  };

  test.each(Object.keys(changes))('altered in %s, is named', (field) => {
    const change = changes[field];
    if (change === undefined) throw new Error(field);
    expect(firstFinding(withRecord(altered(change, false)))).toBe(seq);
  });

  test.each(Object.keys(changes).filter((field) => field !== 'digest' && field !== 'prev'))(
    'altered in %s, with the chain made anew, is named',
    (field) => {
      const change = changes[field];
      if (change === undefined) throw new Error(field);
      expect(firstFinding(withRecord(altered(change, true)))).toBe(seq);
    },
  );

  test.each([false, true])('dropped, is named (chain made anew: %s)', (again) => {
    const forged = withRecord((one) => {
      const entries = one.entries.filter((entry) => entry.seq !== seq);
      return again
        ? chainedAnew(
            one,
            entries.map((entry, index) => ({ ...entry, seq: index + 1 })),
          )
        : { ...one, entries };
    });
    expect(firstFinding(forged)).toBe(seq);
  });

  test.each([false, true])('swapped with the next or the one before, is named (chain made anew: %s)', (again) => {
    const first = seq === record.entries.length ? seq - 1 : seq;
    const forged = withRecord((one) => {
      const entries = [...one.entries];
      [entries[first - 1], entries[first]] = [entries[first] as Entry, entries[first - 1] as Entry];
      return again
        ? chainedAnew(
            one,
            entries.map((entry, index) => ({ ...entry, seq: index + 1 })),
          )
        : { ...one, entries };
    });
    expect(firstFinding(forged)).toBe(first);
  });

  test('whose event is altered in history.json, is named', () => {
    const history = JSON.parse(files['history.json']) as { events: Record<string, unknown>[] };
    const id = firstOf(kind).source.events.at(-1);
    // The first that was made of the event: a start and what it carried over are of one.
    const named = record.entries.find(({ source }) => source.events.includes(id ?? ''))?.seq;
    const event = history.events.find(({ eventId }) => eventId === id);
    Object.assign(event ?? {}, { taskId: '1' });
    expect(firstFinding(withManifest({ ...files, 'history.json': JSON.stringify(history, null, 1) }))).toBe(named);
  });
});

function flipped(digest: string): string {
  return (digest.startsWith('0') ? '1' : '0') + digest.slice(1);
}

test('an entry that was added at the end is named', () => {
  const forged = withRecord((one) =>
    chainedAnew(one, [...one.entries, { ...(one.entries.at(-1) as Entry), seq: one.entries.length + 1 }]),
  );
  expect(firstFinding(forged)).toBe(record.entries.length + 1);
});

test.each(Object.keys(record.summary))('summary.%s must follow from the entries', (part) => {
  const forged = withRecord((one) => ({ ...one, summary: { ...one.summary, [part]: forgedPart(part) } }));
  expect(verifyRecord(forged).map(({ problem }) => problem)).toEqual(
    expect.arrayContaining([expect.stringMatching(new RegExp(`summary.${part}`))]),
  );
});

/** Something else of the same shape. */
function forgedPart(part: string): unknown {
  const value = record.summary[part as keyof AuditRecord['summary']] as unknown;
  if (Array.isArray(value))
    return value.length > 0
      ? []
      : part === 'unsettled'
        ? ['flag']
        : part === 'unanswered'
          ? [1]
          : [...record.summary.decisions, ...(part === 'inPlace' ? record.summary.changes : [])].slice(-1);
  if (part === 'requestedBy' || part === 'endedBy') return { claimed: 'Eve', identity: null, principal: null };
  return part === 'status' ? 'completed' : 'forged';
}

describe('history.json', () => {
  const events = (): Record<string, unknown>[] =>
    (JSON.parse(files['history.json']) as { events: Record<string, unknown>[] }).events;
  const withEvents = (changed: unknown[]): RecordFiles =>
    withManifest({ ...files, 'history.json': JSON.stringify({ events: changed }, null, 1) });
  const inAnyEntry = new Set(record.entries.flatMap(({ source }) => source.events));

  test('altered in an event of no entry is told, without blaming an entry', () => {
    const changed = events();
    const bystander = changed.find(({ eventId }) => !inAnyEntry.has(String(eventId)));
    Object.assign(bystander ?? {}, { taskId: '1' });
    const findings = verifyRecord(withEvents(changed));
    expect(findings[0]).toMatchObject({ entry: null });
    expect(findings[0]?.problem).toContain('run-1');
  });

  test('cut short is told, with the first entry that it no longer has', () => {
    expect(firstFinding(withEvents(events().slice(0, -1)))).toBe(firstOf('end').seq);
  });

  test('that is none is told', () => {
    expect(verifyRecord({ ...files, 'history.json': '{"events":[]}' })[0]?.problem).toContain('no history');
    expect(verifyRecord({ ...files, 'history.json': undefined as never })[0]?.problem).toContain('missing');
  });
});

test.each(['record.md', 'record.html'] as const)('%s must say what record.json says', (name) => {
  const forged = withManifest({ ...files, [name]: files[name].replace('Ada', 'Eve') });
  expect(verifyRecord(forged)[0]?.problem).toContain(name);
});

test.each(['history.json', 'record.html', 'record.json', 'record.md'] as const)(
  'a byte more in %s does not fit the manifest',
  (name) => {
    const problems = verifyRecord({ ...files, [name]: `${files[name]} ` }).map(({ problem }) => problem);
    expect(problems).toEqual(expect.arrayContaining([`SHA256SUMS does not fit: ${name}`]));
  },
);
