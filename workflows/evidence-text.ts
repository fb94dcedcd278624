import { short } from './plan-text.ts';
import { certificateText } from './certificate.ts';
import { ownStep, type OwnStepId } from './rehearsal-steps.ts';
import { steps, stepIds, type Evidence, type StepId } from './steps.ts';

type Teller<S extends StepId> = (evidence: Evidence<S>) => string;

const plan = ({ digest }: { digest: string }): string => `plan ${short(digest)}`;
const confirmed = ({ digest }: { digest: string }): string => `still plan ${short(digest)}`;
const restarted = ({ release, dynos }: Evidence<'restart'>): string =>
  `${dynos.map(({ name, state }) => `${name} ${state}`).join(', ') || 'no dynos'}, on v${release}`;
const tested = ({ conclusion, commit, link }: Evidence<'smoke'>): string =>
  [conclusion, commit === null ? null : `commit ${short(commit)}`, link].filter(Boolean).join(', ');
const counted = ({ tables, ignored }: Evidence<'count-rows'>): string =>
  `${tables} tables, all empty${ignored.length > 0 ? `; not counted: ${ignored.join(', ')}` : ''}`;
const numbers = (formation: Evidence<'fence'>['kept']): string =>
  formation.map(({ type, quantity }) => `${type}=${quantity}`).join(', ') || 'no processes';
const flagged = ({ flag, release }: Evidence<'flag'>): string => `${flag}, on v${release}`;

/** What each step saw, in a few words: names and numbers, of evidence that is without secrets already. */
const tellers: { readonly [S in OwnStepId]: Teller<S> } = {
  'config-check': ({ addon, plan: size, attachment, serverVersion, tls }) =>
    `${addon} (${size}) as ${attachment}, PostgreSQL ${serverVersion}, ${tls.version}`,
  'inspect-pull-request': ({ number, merged, revisionFiles }) =>
    `#${number}, ${merged ? 'merged' : 'not merged'}, ${count(revisionFiles.length, 'revision')}`,
  'await-pull-request': ({ number, proof }) => `#${number}: ${proof}`,
  survey: plan,
  'survey-rm-11': plan,
  'survey-launch': plan,
  confirm: confirmed,
  'confirm-rm-11': confirmed,
  'confirm-launch': confirmed,
  promote: ({ addon, attachment, previous, release }) =>
    `${addon} as ${attachment}, on v${release}${previous === null ? '' : `; before it ${previous}`}`,
  upgrade: ({ to, applied }) => `at ${to}, ${count(applied.length, 'revision')} applied`,
  'verify-schema': ({ tables, columnsChecked, cascades }) =>
    `${count(tables, 'table')}, ${count(columnsChecked, 'column')} checked, ${count(cascades, 'cascade')}`,
  restart: restarted,
  'restart-rm-11': restarted,
  'restart-undo': restarted,
  'restart-unbound': restarted,
  smoke: tested,
  'smoke-rm-11': tested,
  'smoke-undo': tested,
  credential: ({ credential, state }) => `${credential} is ${state}`,
  'bind-url': ({ variable, by, release }) => `${variable} by ${by}, on v${release}`,
  grants: ({ matrix, privileges, allowed, refused }) =>
    `${count(privileges, 'privilege')} of matrix ${short(matrix)}; tried: ${allowed.length} allowed, ${refused.length} refused`,
  flag: flagged,
  'flag-off': flagged,
  'verify-sessions': ({ role, owner, encrypted }) =>
    `${count(role, 'session')} of the role, ${encrypted} encrypted; ${owner} of the owner`,
  'verify-owner-sessions': ({ role, owner }) => `${count(owner, 'session')} of the owner; ${role} of the role`,
  'watch-sample': ({ healthy, problems }) => (healthy ? 'healthy' : problems.join('; ')),
  'check-backup': ({ kind, id, addon }) => `${kind}${id === null ? '' : ` ${id}`} of ${addon}`,
  seal: ({ addon, by }) => `${addon}, by ${by}`,
  'open-follow-ups': ({ issues, comment }) =>
    [issues.map(({ number }) => `#${number}`).join(', ') || 'no issues', comment].filter(Boolean).join(', '),
  'survey-soak': plan,
  'confirm-soak': confirmed,
  'soak-sample': ({ healthy, problems }) => (healthy ? 'healthy' : problems.join('; ')),
  certify: ({ file, signature, certificate }) =>
    `${signature === null ? 'not signed' : 'signed'}, ${file === null ? 'in no file' : `as ${file}`}: ${certificateText(certificate)}`,
  'read-seal': ({ addon, copiedFrom }) =>
    `${addon} is not sealed${copiedFrom === null ? '' : `; the seal in it is of ${copiedFrom}`}`,
  'survey-way-back': ({ variable, release, fenced }) =>
    `${variable.name} is ${variable.is}, on v${release}${fenced ? ', fenced' : ''}`,
  'settle-dynos': ({ stopped, others }) =>
    `stopped: ${stopped.join(', ') || 'none'}${others.length > 0 ? `; of others: ${others.join(', ')}` : ''}`,
  'count-rows': counted,
  'count-rows-fenced': counted,
  fence: ({ kept }) => `before it ${numbers(kept)}`,
  'to-sqlite': ({ variable, attachment, release }) => `${variable}, on v${release}; the add-on stays as ${attachment}`,
  'verify-sqlite': ({ dyno, release }) => `in ${dyno}, on v${release}`,
  'lift-fence': ({ restored }) => numbers(restored),
  'verify-serving': ({ checks, secondsSinceKilled }) =>
    `${count(checks, 'check')}${secondsSinceKilled === null ? '' : `, ${secondsSinceKilled} s after the kill switch`}`,
  'revoke-grants': ({ role, exists }) => (exists ? `${role} has no privileges` : `there is no ${role}`),
  'unbind-url': ({ variable, release }) => `without ${variable}, on v${release}`,
  'survey-rotation': plan,
  'confirm-rotation': confirmed,
  'rotate-credential': ({ credential, addon, changed, oldPassword, release }) =>
    `${credential} of ${addon}: ${changed.join(', ')}, on v${release}; the old password is ${oldPassword}`,
  'restart-rotated': restarted,
  'smoke-rotated': tested,
  'verify-rotated': ({ as, connected }) => `${count(connected, 'session')} of the ${as}; none of the old password`,
  'drop-credential': ({ credential, addon }) => `${credential} of ${addon} is gone`,
};

/**
 * A short line about what a step saw, or null where there is none: evidence of an older build may lack what is told.
 * What people have named stands in it: whoever shows it escapes it.
 */
export function evidenceText(id: string, evidence: unknown): string | null {
  const step = stepIds.find((one) => one === id);
  if (step === undefined) return null;
  const parsed = steps[step].evidence.safeParse(evidence);
  return parsed.success ? (tellers[ownStep(step)] as (seen: unknown) => string)(parsed.data) : null;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
