import type { Addon, Attachment, Credential } from './clients/heroku.ts';
import { fail } from './fail.ts';
import { percentDecoded } from './secrets.ts';
import type { Services } from './services.ts';
import type { Target } from './target.ts';
import type { FailureType } from '../workflows/failures.ts';

/** Plans without credentials of their own [docs: Essential and its predecessors]. */
const smallPlans = /^heroku-postgresql:(essential|mini|basic|hobby|dev)/;
/** Plans with credentials of their own that the commands of the sequence manage [docs]. */
export const knownPlans = /^heroku-postgresql:(standard|premium|private|shield)-/;

export interface AttachedDatabase {
  /** The owner's URL: a secret. */
  readonly url: string;
  readonly variable: string;
  readonly scheme: string;
  readonly attachment: Attachment;
  readonly addon: Addon;
}

/** Why the database variable is not yet what the cutover needs. */
export interface VariableProblem {
  readonly type: FailureType;
  readonly seen: string;
}

/** The database that a cutover is about, and whether the app's variable points there already. */
export interface TargetDatabase extends AttachedDatabase {
  /** Null where it does; else the add-on must be promoted first. */
  readonly problem: VariableProblem | null;
}

/** Whether it keeps its add-on at the app under another name than this, with the add-on's default credential. */
export function isUnderAnotherName(attachment: Attachment, name: string): boolean {
  return attachment.namespace === null && attachment.name !== name;
}

/**
 * The target's database by way of its attachment, if the app's variable really is what that attachment provides.
 * Nothing is written on the strength of a variable that could point elsewhere.
 *
 * @throws ApplicationFailure `DatabaseUrlEmpty`, `DatabaseUrlSqlite`, `DatabaseUrlForeign`, `DatabasePlanTooSmall`,
 *   `DatabasePlanUnsupported`
 */
export async function attachedDatabase(services: Services, target: Target): Promise<AttachedDatabase> {
  const found = await targetDatabase(services, target);
  if (found.problem !== null) throw refusal(target, found.problem, [found.addon.name]);
  return found;
}

/**
 * The target's database, promoted or not. Where the variable points elsewhere, the add-on that the cutover would
 * promote: the one that the target file names, or the only one of the app on a plan that will do.
 *
 * @throws ApplicationFailure of the variable's own type where there is none, or the target file does not allow promoting
 */
export async function targetDatabase(services: Services, target: Target): Promise<TargetDatabase> {
  const { heroku } = services;
  const { app, database } = target;
  const variable = `${database.attachment}_URL`;
  const [vars, attachments] = await Promise.all([heroku.getConfigVars(app), heroku.listAppAttachments(app)]);
  const url = vars[variable] ?? '';
  const attachment = attachments.find((one) => one.name === database.attachment && one.namespace === null);
  const addon = attachment && (await heroku.getAddon(attachment.addon.id));

  const problem = judgeUrl(url, variable, app) ?? (await judgeAttachment(services, target, url, addon));
  if (problem === null && attachment !== undefined && addon !== undefined) {
    return { url, variable, scheme: new URL(url).protocol.slice(0, -1), attachment, addon, problem };
  }
  const seen = problem ?? {
    type: 'DatabaseUrlForeign',
    seen: `no attachment ${database.attachment} provides ${variable}`,
  };
  const candidates = await promotable(services, target, attachments);
  const names = candidates.map((one) => one.addon.name);
  const [candidate] = candidates;
  if (candidate === undefined || candidates.length > 1 || !database.promote) throw refusal(target, seen, names);
  const candidateUrl = vars[`${candidate.attachment.name}_URL`] ?? '';
  if (candidateUrl === '') throw refusal(target, seen, names);
  return {
    ...candidate,
    url: candidateUrl,
    variable,
    scheme: new URL(candidateUrl).protocol.slice(0, -1),
    problem: seen,
  };
}

function judgeUrl(url: string, variable: string, app: string): VariableProblem | null {
  if (url === '') {
    return {
      type: 'DatabaseUrlEmpty',
      seen: `${variable} of ${app} is empty; expected the URL of a Standard-0 or better database`,
    };
  }
  if (url.startsWith('sqlite')) {
    return { type: 'DatabaseUrlSqlite', seen: `${variable} of ${app} points to SQLite; expected PostgreSQL` };
  }
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
    return { type: 'DatabaseUrlForeign', seen: `${variable} of ${app} is not a PostgreSQL URL` };
  }
  return null;
}

async function judgeAttachment(
  { heroku }: Services,
  { app, database }: Target,
  url: string,
  addon: Addon | undefined,
): Promise<VariableProblem | null> {
  const variable = `${database.attachment}_URL`;
  if (addon === undefined) {
    return {
      type: 'DatabaseUrlForeign',
      seen: `${variable} of ${app} was set by hand: no attachment ${database.attachment} provides it`,
    };
  }
  const plan = addon.plan.name;
  if (smallPlans.test(plan)) {
    return {
      type: 'DatabasePlanTooSmall',
      seen:
        `${database.attachment} of ${app} is the add-on ${addon.name} on ${plan}, which has no credentials of its own; ` +
        'expected Standard-0 or better',
    };
  }
  if (!knownPlans.test(plan)) {
    return {
      type: 'DatabasePlanUnsupported',
      seen: `${database.attachment} of ${app} is on ${plan}; expected a Standard, Premium, Private or Shield plan of Heroku Postgres`,
    };
  }
  if (database.addon !== undefined && addon.name !== database.addon) {
    return {
      type: 'DatabaseUrlForeign',
      seen: `${database.attachment} of ${app} is the add-on ${addon.name}; expected ${database.addon}`,
    };
  }
  const owner = await heroku.findCredential(addon.name, 'default');
  if (owner === undefined || !provides(owner, new URL(url))) {
    return {
      type: 'DatabaseUrlForeign',
      seen: `${variable} of ${app} is not what the add-on ${addon.name} provides (another host, database or user)`,
    };
  }
  return null;
}

function provides(owner: Credential, url: URL): boolean {
  return (
    url.hostname === owner.host &&
    (url.port || '5432') === String(owner.port) &&
    url.pathname === `/${owner.database}` &&
    owner.credentials.some((one) => one.user === percentDecoded(url.username))
  );
}

/** The add-ons that could be promoted: the one that the target names, or all on a plan that will do. */
async function promotable(
  { heroku }: Services,
  { database }: Target,
  attachments: readonly Attachment[],
): Promise<{ attachment: Attachment; addon: Addon }[]> {
  const others = attachments.filter((one) => isUnderAnotherName(one, database.attachment));
  const candidates = new Map<string, { attachment: Attachment; addon: Addon }>();
  for (const attachment of others) {
    if (candidates.has(attachment.addon.id)) continue;
    const addon = await heroku.getAddon(attachment.addon.id);
    const named = database.addon === undefined || addon.name === database.addon;
    if (named && knownPlans.test(addon.plan.name)) candidates.set(addon.id, { attachment, addon });
  }
  return [...candidates.values()];
}

/** With the commands that a person would run: which of several add-ons it is to be is never guessed. */
function refusal({ app }: Target, { type, seen }: VariableProblem, names: readonly string[]) {
  const commands = names.map((name) => `\`heroku pg:promote ${name} -a ${app}\``);
  const remedy =
    commands.length > 1
      ? `Several add-ons would do: choose with ${commands.join(' or ')}, or name one in the target file (database.addon) and allow the runbook to promote it (database.promote).`
      : commands.length === 1
        ? `Make it so with ${commands[0]}, or allow the runbook to (database.promote in the target file).`
        : `No other add-on of ${app} will do: add one with \`heroku addons:create heroku-postgresql:standard-0 -a ${app}\` and make it the database with \`heroku pg:promote <add-on> -a ${app}\`, then start again.`;
  return fail(type, `${seen}. ${remedy}`);
}
