import { stagingSoakText } from './certificate.ts';
import { isPlanGate, type Observations, type Plan } from './facts.ts';
import { hazards } from './hazards.ts';
import type { Preview } from './preview.ts';
import { rotationTexts } from './rotation-plan.ts';
import type { Status } from './view.ts';

/** The plan of the gate that is open, or null where what is asked rests on none. */
export function planAskedAbout({ waitingFor, plans }: Pick<Status, 'waitingFor' | 'plans'>): Plan | null {
  const gate = waitingFor?.signal === 'launch' ? 'launch' : waitingFor?.message['gate'];
  return typeof gate === 'string' && isPlanGate(gate) ? plans[gate] : null;
}

/** The plan that the open gate asks about, or the one that was all that the run was to make. */
export function planToShow(status: Pick<Status, 'waitingFor' | 'plans' | 'procedure'>): Plan | null {
  return status.procedure === 'plan' ? status.plans.go : planAskedAbout(status);
}

/** What is to be known of what the run asks, or of the plan that was all that it was to make; nothing where there is none. */
export function textsToShow(
  status: Pick<Status, 'waitingFor' | 'plans' | 'procedure' | 'rotation'>,
): [topic: string, text: string][] {
  const asked = status.waitingFor?.message['gate'] === 'rotate' ? status.rotation?.plan : undefined;
  if (asked != null) return rotationTexts(asked);
  const plan = planToShow(status);
  return plan === null ? [] : planTexts(plan);
}

/** What a gate asks, for the person who answers it: a topic, and what is to be known of it. */
export function planTexts(plan: Plan): [topic: string, text: string][] {
  const { facts, observations, digest, preview } = plan;
  const { database, release, migrations, role, pullRequest } = facts;
  const shared = database.sharedWith.length > 0 ? `, shared with ${database.sharedWith.join(', ')}` : '';
  const command = facts.releaseCommand ? `, release command: ${facts.releaseCommand}` : '';
  const { attachment, promote } = database;
  const { used, limit } = observations.connections;
  return [
    ['plan', short(digest)],
    [
      'database',
      `${database.addon} (${database.plan}) as ${attachment}${shared}; ${observations.tables} tables, ` +
        `about ${observations.rows} rows; ${used} of ${limit} connections in use`,
    ],
    ...topic('promote', promote === null ? null : `it must become ${attachment} first: ${promote}`),
    ['release', `v${release.version}, commit ${short(release.commit ?? 'unknown')}${command}`],
    ['schema', `at ${migrations.current ?? 'no revision'}; to run: ${migrations.pending.join(', ') || 'nothing'}`],
    [
      'role',
      `${role.credential} is ${role.state}, ${role.bound ? 'bound' : 'not bound'}, ` +
        `flag ${role.flag ? 'set' : 'not set'}; matrix ${short(facts.matrixDigest)}`,
    ],
    ...topic(
      'order',
      migrations.namingRole.length > 0 ? `the role comes before ${migrations.namingRole.join(', ')}` : null,
    ),
    ...topic('soak', facts.stagingSoak === undefined ? null : stagingSoakText(facts.stagingSoak)),
    ...topic('PR', pullRequest === null ? null : `#${pullRequest.number} ${pullRequest.title}`),
    ['way back', wayBackText(facts.killSwitchBlocked, observations.killSwitch)],
    ...(preview === undefined ? [] : [...previewTexts(preview), ...hazardTexts(plan)]),
  ];
}

function topic(name: string, text: string | null): [string, string][] {
  return text === null ? [] : [[name, text]];
}

/** In short: the whole of it is in the status. */
function previewTexts({ sql, privileges, vars }: Preview): [string, string][] {
  const count = (sign: string): number => privileges.filter((line) => line.startsWith(sign)).length;
  return [
    ...topic('SQL', sql === null ? null : `${sql.lines} lines, SHA-256 ${short(sql.sha256)}`),
    ['privileges', `${count('+')} statements would give, ${count('-')} would take`],
    ['variables', vars.join(', ') || 'nothing to set'],
  ];
}

function hazardTexts(plan: Plan): [string, string][] {
  return hazards(plan).map((text): [string, string] => ['hazard', text]);
}

function wayBackText(blocked: string | null, rehearsed: Observations['killSwitch']): string {
  if (blocked !== null) return `the kill switch will not work: ${blocked}`;
  if (rehearsed == null) return 'how long the kill switch takes was not rehearsed';
  return `the kill switch took ${rehearsed.seconds} s until the app served again, in the rehearsal of ${rehearsed.on}`;
}

/** Digests and commits by their first 12 digits, as messages may name them. */
export function short(text: string): string {
  return /^[0-9a-f]{40,64}$/.test(text) ? text.slice(0, 12) : text;
}
