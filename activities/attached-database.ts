import type { Addon, Attachment } from './clients/heroku.ts';
import { fail } from './fail.ts';
import { percentDecoded } from './secrets.ts';
import type { Services } from './services.ts';
import type { Target } from './target.ts';

/** Plans without credentials of their own [docs: Essential and its predecessors]. */
const smallPlans = /^heroku-postgresql:(essential|mini|basic|hobby|dev)/;
/** Plans that are managed by other commands and another API [docs]. */
const otherPlans = /^heroku-postgresql:(advanced|performance)/;

export interface AttachedDatabase {
  /** The owner's URL: a secret. */
  readonly url: string;
  readonly variable: string;
  readonly scheme: string;
  readonly attachment: Attachment;
  readonly addon: Addon;
}

/**
 * The target's database by way of its attachment, if the app's variable really is what that attachment provides.
 * Nothing is written on the strength of a variable that could point elsewhere.
 *
 * @throws ApplicationFailure `DatabaseUrlEmpty`, `DatabaseUrlSqlite`, `DatabaseUrlForeign`, `DatabasePlanTooSmall`,
 *   `DatabasePlanUnsupported`
 */
export async function attachedDatabase({ heroku }: Services, target: Target): Promise<AttachedDatabase> {
  const { app, database } = target;
  const variable = `${database.attachment}_URL`;
  const [vars, attachments] = await Promise.all([heroku.getConfigVars(app), heroku.listAppAttachments(app)]);
  const url = vars[variable] ?? '';
  const attachment = attachments.find((one) => one.name === database.attachment && one.namespace === null);
  const promote = `heroku pg:promote <add-on> -a ${app}`;

  if (url === '') {
    throw fail(
      'DatabaseUrlEmpty',
      `${variable} of ${app} is empty; expected the URL of a Standard-0 or better database. Attach it with \`${promote}\`.`,
    );
  }
  if (url.startsWith('sqlite')) {
    throw fail(
      'DatabaseUrlSqlite',
      `${variable} of ${app} points to SQLite; expected PostgreSQL. Attach the database with \`${promote}\`.`,
    );
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw fail(
      'DatabaseUrlForeign',
      `${variable} of ${app} is not a PostgreSQL URL. Attach the database with \`${promote}\`.`,
    );
  }
  if (attachment === undefined) {
    throw fail(
      'DatabaseUrlForeign',
      `${variable} of ${app} was set by hand: no attachment ${database.attachment} provides it. Unset it and attach the database with \`${promote}\`.`,
    );
  }

  const addon = await heroku.getAddon(attachment.addon.id);
  const plan = addon.plan.name;
  if (smallPlans.test(plan)) {
    throw fail(
      'DatabasePlanTooSmall',
      `${database.attachment} of ${app} is the add-on ${addon.name} on ${plan}, which has no credentials of its own; expected Standard-0 or better. ` +
        `Promote such an add-on with \`${promote}\`.`,
    );
  }
  if (otherPlans.test(plan) || !plan.startsWith('heroku-postgresql:')) {
    throw fail(
      'DatabasePlanUnsupported',
      `${database.attachment} of ${app} is on ${plan}; expected a Standard, Premium or Private plan of Heroku Postgres.`,
    );
  }

  const owner = await heroku.findCredential(addon.name, 'default');
  const provided =
    owner !== undefined &&
    parsed.hostname === owner.host &&
    (parsed.port || '5432') === String(owner.port) &&
    parsed.pathname === `/${owner.database}` &&
    owner.credentials.some((one) => one.user === percentDecoded(parsed.username));
  if (!provided) {
    throw fail(
      'DatabaseUrlForeign',
      `${variable} of ${app} is not what the add-on ${addon.name} provides (another host, database or user). Attach the database anew with \`${promote}\`.`,
    );
  }
  return { url, variable, scheme: parsed.protocol.slice(0, -1), attachment, addon };
}
