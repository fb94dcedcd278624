import { buildRecord, recordText } from './build.ts';
import { canonicalJson } from '../activities/canonical-json.ts';
import { anchorOf, entryDigest } from './chain.ts';
import { AuditError } from './audit-error.ts';
import { inOrder, readHistories, type RunHistory } from './history.ts';
import { renderHtml } from './html.ts';
import { renderMarkdown } from './markdown.ts';
import { record as recordSchema, type AuditRecord, type Entry } from './record-schema.ts';
import { manifestOf, type RecordFiles } from './record-files.ts';

/** What does not hold, and, where it is one, the entry. */
export interface Finding {
  readonly entry: number | null;
  readonly problem: string;
}

/**
 * Works a record out again from its history and compares: the chain from one entry to the next, each entry with the
 * events it names, the summary, and the texts for people.
 *
 * @returns what does not hold, beginning with the first entry that does not; none where the record holds
 */
export function verifyRecord(files: RecordFiles): Finding[] {
  const findings: Finding[] = [];
  const add = (problem: string, entry: number | null = null): void => void findings.push({ entry, problem });

  const given = readRecord(files['record.json'], add);
  const runs = readRuns(files['history.json'], add);
  if (given !== null && runs !== null) {
    const again = buildRecord(runs, { workflowId: given.workflow.id ?? undefined, writtenBy: given.writtenBy });
    const first = firstBroken(given, again);
    if (first !== null) findings.push(first);
    checkWhole(given, again, add);
    // Only what follows from a sound record says something more.
    if (findings.length === 0) checkTexts(files, given, add);
  }
  const manifest = manifestOf(files);
  if (files.SHA256SUMS !== manifest) {
    const stated = new Set((files.SHA256SUMS ?? '').split('\n'));
    const changed = manifest.split('\n').filter((line) => line !== '' && !stated.has(line));
    const names = changed.map((line) => line.slice(66)).join(', ');
    add(
      files.SHA256SUMS === undefined
        ? 'SHA256SUMS is missing'
        : `SHA256SUMS does not fit: ${names || 'it has other lines'}`,
    );
  }
  return findings;
}

type Add = (problem: string, entry?: number | null) => void;

function readRecord(text: string | undefined, add: Add): AuditRecord | null {
  if (text === undefined) {
    add('record.json is missing');
    return null;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    add(`record.json is not JSON: ${(error as Error).message}`);
    return null;
  }
  const parsed = recordSchema.safeParse(json);
  // As it was read, not as the schema copied it: a copy may leave out what somebody put there.
  if (parsed.success) return json as AuditRecord;
  const [issue] = parsed.error.issues;
  const place = issue?.path ?? [];
  const index = place[0] === 'entries' && typeof place[1] === 'number' ? place[1] + 1 : null;
  add(`record.json is not a record: ${place.join('.') || 'file'}: ${issue?.message ?? 'not readable'}`, index);
  return null;
}

function readRuns(text: string | undefined, add: Add): RunHistory[] | null {
  if (text === undefined) {
    add('history.json is missing');
    return null;
  }
  try {
    return inOrder(readHistories(text, 'history.json'));
  } catch (error) {
    if (!(error instanceof AuditError)) throw error;
    add(error.message);
    return null;
  }
}

/** The first entry that does not follow from the one before, or not from the history. */
function firstBroken(given: AuditRecord, again: AuditRecord): Finding | null {
  let prev = anchorOf(given);
  for (const [index, entry] of given.entries.entries()) {
    const right = again.entries[index];
    const problem = whatIsWrong(entry, index, prev, right);
    if (problem !== null) return { entry: index + 1, problem };
    prev = entry.digest;
  }
  const missing = again.entries[given.entries.length];
  return missing === undefined
    ? null
    : { entry: missing.seq, problem: `it is missing: the history has "${missing.text}" there` };
}

function whatIsWrong(entry: Entry, index: number, prev: string, right: Entry | undefined): string | null {
  if (right === undefined) return 'the history has no such entry';
  if (entry.seq !== index + 1) return `its number is ${entry.seq}: one is missing before it, or it is out of its place`;
  if (entry.source.digest !== right.source.digest || !same(entry.source, right.source)) {
    return 'the events of the history are not the ones that it was made of';
  }
  const bare = ({ prev: _prev, digest: _digest, ...rest }: Entry): unknown => rest;
  if (!same(bare(entry), bare(right))) {
    const fields = Object.keys(right).filter(
      (key) => key !== 'prev' && key !== 'digest' && !same(entry[key as keyof Entry], right[key as keyof Entry]),
    );
    return `the history says something else in ${fields.join(' and ')}`;
  }
  // The anchor covers the history as a whole, and is told of by itself.
  if (index > 0 && entry.prev !== prev) return 'it does not name the digest of the entry before';
  if (entry.digest !== entryDigest(entry)) return 'its digest is not the one of its content';
  return null;
}

function checkWhole(given: AuditRecord, again: AuditRecord, add: Add): void {
  given.runs.forEach((run, index) => {
    if (!same(run, again.runs[index])) add(`history.json is not the history of the record, in the run ${run.run}`);
  });
  if (again.runs.length > given.runs.length) add('history.json has more runs than the record');
  if (given.entries[0]?.prev !== anchorOf(given)) add('the first entry does not hang on the head of the record', 1);
  if (given.head !== given.entries.at(-1)?.digest) add('the head of the record is not the digest of its last entry');
  const keys = ['workflow', 'continues', 'unreadable'] as const;
  for (const key of keys) if (!same(given[key], again[key])) add(`${key} does not follow from the history`);
  const parts = Object.keys(again.summary) as (keyof AuditRecord['summary'])[];
  for (const part of parts) {
    if (!same(given.summary[part], again.summary[part])) add(`summary.${part} does not follow from the entries`);
  }
}

function checkTexts(files: RecordFiles, record: AuditRecord, add: Add): void {
  const release = `it was written by release ${record.writtenBy}: check it with that one where this one renders otherwise`;
  if (files['record.json'] !== recordText(record)) add('record.json is not written as a record is');
  if (files['record.md'] !== renderMarkdown(record)) add(`record.md does not say what record.json says; ${release}`);
  if (files['record.html'] !== renderHtml(record)) add(`record.html does not say what record.json says; ${release}`);
}

function same(one: unknown, other: unknown): boolean {
  return (one === undefined ? '' : canonicalJson(one)) === (other === undefined ? '' : canonicalJson(other));
}
