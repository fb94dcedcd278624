import { knownPlans } from './attached-database.ts';
import type { Addon, Attachment } from './clients/heroku.ts';
import { fail } from './fail.ts';
import type { Services } from './services.ts';
import type { Rollback, Target } from './target.ts';

/** The database that a cutover was about, however far it came and however far the way back has come since. */
export interface WayBackDatabase {
  readonly addon: Addon;
  /** The owner's URL: a secret. */
  readonly url: string;
  /** The app's attachments of the add-on. */
  readonly attachments: readonly Attachment[];
  /** The app's database variable: its name, and what it holds now. */
  readonly variable: string;
  readonly value: string;
}

/**
 * The target's database by any attachment that provides the owner's URL: while `DATABASE` is attached, after it was
 * detached for SQLite, and before a promotion too. It asks the platform alone, so that it works while PostgreSQL is down.
 *
 * @throws ApplicationFailure `DatabaseUrlForeign` where no add-on can be it, or several could
 */
export async function wayBackDatabase({ heroku }: Services, target: Target): Promise<WayBackDatabase> {
  const { app, database, role } = target;
  const variable = `${database.attachment}_URL`;
  const [vars, all] = await Promise.all([heroku.getConfigVars(app), heroku.listAppAttachments(app)]);
  const plain = all.filter((one) => one.namespace === null);
  const namedOrAttached = (one: Attachment): boolean =>
    database.addon === undefined ? one.name === database.attachment : one.addon.name === database.addon;

  // A name decides, then the database variable's attachment. Without either, what the cutover left tells: the role.
  let found = await addonsOf({ heroku }, plain.filter(namedOrAttached));
  if (found.length === 0 && database.addon === undefined) found = await addonsOf({ heroku }, plain);
  const names = found.map((one) => one.name).join(', ');
  if (found.length > 1) {
    const holding = await Promise.all(found.map((one) => heroku.findCredential(one.name, role.credential)));
    found = found.filter((_, index) => holding[index] !== undefined);
  }
  const [addon] = found;
  if (addon === undefined || found.length > 1) {
    const seen = names === '' ? 'none' : `several (${names})`;
    throw fail(
      'DatabaseUrlForeign',
      `Of the add-ons that ${app} has attached, ${seen} can be the database of the cutover; expected one. ` +
        'Name it in the target file (database.addon), or attach it to the app again, then try again.',
    );
  }
  const attachments = all.filter((one) => one.addon.id === addon.id);
  const [providing] = attachments.filter((one) => one.namespace === null);
  return { addon, url: vars[`${providing?.name}_URL`] ?? '', attachments, variable, value: vars[variable] ?? '' };
}

async function addonsOf({ heroku }: Pick<Services, 'heroku'>, attachments: readonly Attachment[]): Promise<Addon[]> {
  const ids = [...new Set(attachments.map((one) => one.addon.id))];
  const addons = await Promise.all(ids.map((id) => heroku.getAddon(id)));
  return addons.filter((one) => knownPlans.test(one.plan.name));
}

/** Whether two URLs name the same database, by whatever scheme and as whomever. */
export function isSameDatabase(one: string, other: string): boolean {
  if (!URL.canParse(one) || !URL.canParse(other)) return false;
  const [a, b] = [new URL(one), new URL(other)];
  return a.host === b.host && a.pathname === b.pathname;
}

/**
 * What a target says of its way back.
 *
 * @throws ApplicationFailure `TargetFileInvalid` where it says nothing
 */
export function rollbackOf({ app, rollback }: Target): Rollback {
  if (rollback === undefined) {
    throw fail(
      'TargetFileInvalid',
      `The target file of ${app} has no block rollback, so there is no kill switch. Add it, then start again.`,
    );
  }
  return rollback;
}
