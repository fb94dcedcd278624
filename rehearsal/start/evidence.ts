import type { Plan } from '../../workflows/facts.ts';
import { short } from '../../workflows/plan-text.ts';
import type { ItemStatus } from '../../workflows/view.ts';
import { plain } from './text.ts';

/** How a step came to be in place, for people. */
const didText: Record<NonNullable<ItemStatus['did']>, string> = {
  acted: 'done',
  already: 'already in place, nothing done',
  settled: 'found in place after an interruption',
  observed: 'checked',
};

/** How a step ended, or where it stands. */
export function stepResult(item: ItemStatus): string {
  if (item.did) return didText[item.did];
  if (item.state !== 'ahead') return item.state;
  return item.attempt === undefined ? 'not reached' : 'not finished';
}

/** The evidence of a step as one line of text. */
export function evidenceText({ evidence }: ItemStatus): string {
  if (evidence === null || evidence === undefined) return '';
  // A plan's facts are shown at the gate that asks about them.
  const told = isPlan(evidence) ? { plan: evidence.digest, ...evidence.observations } : evidence;
  return plain(fields(told));
}

function isPlan(evidence: unknown): evidence is Plan {
  return typeof evidence === 'object' && evidence !== null && 'facts' in evidence && 'digest' in evidence;
}

function fields(value: unknown): string {
  if (typeof value !== 'object' || value === null) return short(String(value ?? 'none'));
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(grouped).join(', ');
  return Object.entries(value)
    .map(([key, inner]) => `${words(key)} ${grouped(inner)}`)
    .join(', ');
}

function grouped(value: unknown): string {
  const text = fields(value);
  const isGroup = Array.isArray(value) ? value.length > 1 : typeof value === 'object' && value !== null;
  return isGroup ? `(${text})` : text;
}

function words(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
