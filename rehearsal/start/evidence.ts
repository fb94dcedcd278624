import type { Observations, Plan } from '../../workflows/facts.ts';
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

/** What a gate asks, for the person who answers it. */
export function planLines({ facts, observations, digest }: Plan): string[] {
  const { database, release, migrations, role, pullRequest } = facts;
  const shared = database.sharedWith.length > 0 ? `, shared with ${database.sharedWith.join(', ')}` : '';
  const command = facts.releaseCommand ? `, release command: ${facts.releaseCommand}` : '';
  return [
    `plan      ${short(digest)}`,
    `database  ${database.addon} (${database.plan}) as ${database.attachment}${shared}; ` +
      `${observations.tables} tables, about ${observations.rows} rows; ` +
      `${observations.connections.used} of ${observations.connections.limit} connections in use`,
    ...(database.promote === null
      ? []
      : [`promote   it must become ${database.attachment} first: ${database.promote}`]),
    `release   v${release.version}, commit ${short(release.commit ?? 'unknown')}${command}`,
    `schema    at ${migrations.current ?? 'no revision'}; to run: ${migrations.pending.join(', ') || 'nothing'}`,
    `role      ${role.credential} is ${role.state}, ${role.bound ? 'bound' : 'not bound'}, ` +
      `flag ${role.flag ? 'set' : 'not set'}; matrix ${short(facts.matrixDigest)}`,
    ...(migrations.namingRole.length > 0
      ? [`order     the role comes before ${migrations.namingRole.join(', ')}`]
      : []),
    ...(pullRequest ? [`PR        #${pullRequest.number} ${pullRequest.title}`] : []),
    `way back  ${wayBackText(facts.killSwitchBlocked, observations.killSwitch)}`,
  ].map(plain);
}

function wayBackText(blocked: string | null, rehearsed: Observations['killSwitch']): string {
  if (blocked !== null) return `the kill switch will not work: ${blocked}`;
  if (rehearsed == null) return 'how long the kill switch takes was not rehearsed';
  return `the kill switch took ${rehearsed.seconds} s until the app served again, in the rehearsal of ${rehearsed.on}`;
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

/** Digests and commits by their first 12 digits, as messages may name them. */
function short(text: string): string {
  return /^[0-9a-f]{40,64}$/.test(text) ? text.slice(0, 12) : text;
}
