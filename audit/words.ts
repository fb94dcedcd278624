import { fieldsOf } from './payloads.ts';
import type { Actor, Change, Decision, StepSummary, Summary } from './record-schema.ts';

// What a record says to people, as plain text: whoever renders it escapes it.

/** One line of text: no control characters, and nothing that turns the direction of writing round. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ');
}

/** `2026-11-24 23:20:07 UTC` of an instant as the history has it. */
export function time(at: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(at) ? `${at.slice(0, 10)} ${at.slice(11, 19)} UTC` : at;
}

/** How long it was from one instant to another. */
export function lasted(from: string, to: string): string {
  const ms = Date.parse(to) - Date.parse(from);
  if (!Number.isFinite(ms)) return 'unknown';
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Digests and commits by their first 12 digits: the whole ones are in record.json. */
export function short(text: string): string {
  return text.replace(/\b([0-9a-f]{12})[0-9a-f]{28,52}\b/g, '$1');
}

const longest = 400;
const longestAll = 3_000;
const most = 12;
const mostFields = 30;

/** A value as one line, long lists and texts cut: the whole is in record.json. */
export function valueText(value: unknown): string {
  return cut(wholeText(value), longestAll);
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

function wholeText(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (Array.isArray(value)) {
    if (value.length === 0) return 'none';
    const rest = value.length > most ? `, and ${value.length - most} more` : '';
    return value.slice(0, most).map(grouped).join(', ') + rest;
  }
  if (typeof value === 'object') {
    const all = Object.entries(value);
    const fields = all
      .slice(0, mostFields)
      .map(([key, inner]) => `${keyText(key)}: ${instantText(key, inner) ?? grouped(inner)}`);
    const rest = all.length > mostFields ? `; and ${all.length - mostFields} more` : '';
    return fields.length === 0 ? 'none' : fields.join('; ') + rest;
  }
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return cut(short(plain(String(value))), longest);
}

/** Journals have instants as milliseconds since 1970, in fields such as `expiresAt`. */
function instantText(key: string, value: unknown): string | null {
  const isInstant = /(^at|At)$/.test(key) && typeof value === 'number' && value > 1e12 && value < 1e14;
  return isInstant ? time(new Date(value).toISOString()) : null;
}

function grouped(value: unknown): string {
  const text = wholeText(value);
  const many = Array.isArray(value) ? value.length > 1 : Object.keys(fieldsOf(value)).length > 0;
  return many ? `(${text})` : text;
}

/** What a step saw. A plan stands at the gate that was opened for it. */
export function evidenceText(evidence: unknown): string {
  const { facts, digest } = fieldsOf(evidence);
  return facts !== undefined && typeof digest === 'string' ? `the plan ${short(digest)}` : valueText(evidence);
}

/** `targetDigest` as people write it. */
export function keyText(key: string): string {
  return plain(key).replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** A name, and what the server knew of who used it. */
export function whoText({ claimed, identity, principal }: Actor): string {
  const known = [
    ...(principal === null ? [] : [`verified as ${principal}`]),
    ...(identity === null ? [] : [`client ${identity}`]),
  ];
  if (claimed === null) return plain(known.join(', ')) || 'nobody by name';
  return plain(known.length === 0 ? claimed : `${claimed} (${known.join(', ')})`);
}

const verbs: Readonly<Record<string, string>> = {
  approved: 'approved',
  rejected: 'rejected',
  resolved: 'decided about',
  ended: 'ended the run',
  killed: 'pulled the kill switch',
  sealed: 'sealed the launch',
};

/** What a decision was: `approved the gate go`. */
export function decisionText({ what, gate, step, attempt }: Decision): string {
  const about = [
    ...(gate === null ? [] : [`the gate ${gate}`]),
    ...(step === null ? [] : [`the step ${step}${attempt === null ? '' : `, attempt ${attempt}`}`]),
  ];
  return plain([verbs[what] ?? keyText(what), ...about].join(' '));
}

const didWords: Readonly<Record<string, string>> = {
  acted: 'done',
  settled: 'done, and settled by looking after an interruption',
  already: 'found in place, nothing done',
  observed: 'looked at',
};

/** How a step came out, in words. */
export function didText(did: string | null): string {
  return did === null ? 'done' : (didWords[did] ?? keyText(did));
}

/** How the last attempt of a step came out. */
export function stepText({ attempts }: StepSummary): string {
  const last = attempts.at(-1);
  if (last === undefined) return '';
  if (last.outcome === 'completed') return didText(last.did);
  if (last.outcome === 'running') return 'not ended';
  return `${last.outcome}${last.failure ? `: ${plain(last.failure.type)}` : ''}`;
}

/** In which release a change was made, as far as it is known. */
export function releaseText({ release, during }: Change): string {
  if (release !== null) return `v${release}`;
  return during === null ? 'not known' : `on v${during}`;
}

/** How a run ended, in a word. */
export function resultText({ result, status }: Summary): string {
  if (status === 'running') return result === null ? 'still running' : `${result} (its last event was not yet written)`;
  return result === null || result === status ? status : `${result} (${status} in Temporal)`;
}
