import { fieldsOf, textOf } from './payloads.ts';
import type { Change, Entry, StepSummary, Summary } from './record-schema.ts';

type Attempt = StepSummary['attempts'][number];

/** Attempts that changed the world, or found what an interrupted one had changed. */
const changed = new Set(['acted', 'settled']);

/** What the steps did, as far as their activities answered. */
export type StepPart = Pick<Summary, 'steps' | 'changes' | 'undone' | 'inPlace' | 'unsettled'>;

/** A step is whatever activity was told that it performs one: its names and results are in the history. */
export function stepPart(entries: readonly Entry[]): StepPart {
  const performed = entries.filter(({ kind, data }) => kind === 'activity' && textOf(data['step']) !== null);
  const ids = [...new Set(performed.map(stepOf))];
  const changes = performed.filter(({ data }) => changed.has(didOf(data) ?? ''));
  const ended = performed.filter(({ data }) => data['outcome'] === 'completed');
  const undone = ended.filter((entry) => undoes(entry) !== null && didOf(entry.data) !== 'observed');
  const changeOf = (entry: Entry): Change => changeIn(entry, performed);
  return {
    steps: ids.map((id) =>
      stepSummary(
        id,
        performed.filter((entry) => stepOf(entry) === id),
      ),
    ),
    changes: changes.map(changeOf),
    undone: undone.map(changeOf),
    inPlace: inPlace(ended).map(changeOf),
    unsettled: ids.filter((id) => performed.findLast((entry) => stepOf(entry) === id)?.data['outcome'] !== 'completed'),
  };
}

function stepSummary(step: string, performed: readonly Entry[]): StepSummary {
  const last = performed.findLast(({ data }) => data['outcome'] === 'completed');
  return {
    step,
    title: textOf(performed[0]?.data['title']),
    attempts: performed.map(attemptOf),
    evidence: evidenceOf(last?.data ?? {}),
  };
}

function attemptOf(entry: Entry): Attempt {
  const { data } = entry;
  return {
    entry: entry.seq,
    attempt: numberOf(data['attempt']),
    from: textOf(data['scheduledAt']) ?? entry.at,
    to: textOf(data['closedAt']),
    tries: numberOf(data['tries']) ?? 1,
    outcome: data['outcome'] as Attempt['outcome'],
    did: didOf(data),
    failure: (data['failure'] ?? null) as Attempt['failure'],
  };
}

/** What stands at the end: the last thing that was done about each step, where that was not its undoing. */
function inPlace(ended: readonly Entry[]): Entry[] {
  const standing = new Map<string, Entry>();
  for (const entry of ended) {
    const undone = undoes(entry);
    if (undone !== null) for (const step of undone) standing.delete(step);
    // What was in place already when a step is tried again is still what the earlier attempt did.
    if (isPureUndo(entry) || fieldsOf(entry.data['input'])['leaves'] === false) continue;
    if (changed.has(didOf(entry.data) ?? '') || (didOf(entry.data) === 'already' && !standing.has(stepOf(entry))))
      standing.set(stepOf(entry), entry);
  }
  return [...standing.values()];
}

/** The steps that an activity takes back, or null where it takes nothing back. */
function undoes({ data }: Entry): string[] | null {
  const { undoes: named } = fieldsOf(data['input']);
  return Array.isArray(named) && named.length > 0 ? named.map(String) : null;
}

/** True where nothing is left of a step but what it took back; pointing to SQLite leaves something in place as well. */
function isPureUndo(entry: Entry): boolean {
  return undoes(entry) !== null && fieldsOf(entry.data['input'])['leaves'] !== true;
}

function changeIn(entry: Entry, performed: readonly Entry[]): Change {
  const evidence = evidenceOf(entry.data);
  const before = performed.filter(({ seq }) => seq < entry.seq).map(({ data }) => releaseOf(evidenceOf(data)));
  return {
    entry: entry.seq,
    step: stepOf(entry),
    title: textOf(entry.data['title']),
    at: entry.at,
    did: didOf(entry.data),
    release: numberOf(fieldsOf(evidence)['release']),
    during: before.findLast((release) => release !== null) ?? null,
    evidence,
  };
}

/** The release that a step's evidence names, or the facts of a plan. */
function releaseOf(evidence: unknown): number | null {
  const { release, facts } = fieldsOf(evidence);
  return numberOf(release) ?? numberOf(fieldsOf(fieldsOf(facts)['release'])['version']);
}

function stepOf({ data }: Entry): string {
  return textOf(data['step']) ?? '';
}

function didOf(data: Entry['data']): string | null {
  return textOf(fieldsOf(data['result'])['did']);
}

/** What a step saw: what it says as evidence. */
export function evidenceOf(data: Entry['data']): unknown {
  return fieldsOf(data['result'])['evidence'] ?? null;
}

export function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
