import { sql } from 'slonik';
import { z } from 'zod';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { attachedDatabase, type AttachedDatabase } from './attached-database.ts';
import { applicationName, type Connection } from './clients/postgres.ts';
import { fail } from './fail.ts';
import { observe } from './perform.ts';
import { lookUntil } from './scope.ts';
import { targetOf, type Services } from './services.ts';
import type { Target } from './target.ts';

/** Sessions that a message names. */
const named = 5;

const sessions = z.object({ role: z.number(), owner: z.number() });
const session = z.object({ who: z.string() });
const encryption = z.object({ encrypted: z.number(), plain: z.number() });
const headroom = z.object({ used: z.number(), limit: z.number() });

/** The app after a cutover: connected as the role, and nobody as the owner. The smoke suite has filled its pool just before. */
export async function verifySessions(
  services: Services,
  call: StepCall,
): Promise<StepResult<Evidence<'verify-sessions'>>> {
  const target = await targetOf(services, call);
  const { url, addon } = await attachedDatabase(services, target);
  return observe(async () => {
    const seen = await expectSessions(services, target, { url, addon }, 'role');
    return { ...seen, encrypted: await encryptedSessions(services, target, addon) };
  });
}

/**
 * How many of the app's sessions are encrypted: all, or it fails. Asked as the role, since of other roles' sessions the
 * server does not show it.
 *
 * @throws ApplicationFailure `DatabaseNotEncrypted`
 */
async function encryptedSessions(services: Services, target: Target, addon: Database['addon']): Promise<number> {
  const roleUrl = (await services.heroku.getConfigVars(target.app))[`${target.role.attachment}_URL`] ?? '';
  const users = await usersOf(services, target, { addon });
  const { encrypted, plain } = await services.postgres.connected(roleUrl, (connection) =>
    connection.one(sql.type(encryption)`
      SELECT count(*) FILTER (WHERE s.ssl)::int AS encrypted, count(*) FILTER (WHERE NOT s.ssl)::int AS plain
      FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
      WHERE a.datname = current_database() AND a.application_name <> ${applicationName}
        AND a.usename = ANY(${sql.array([...users.role], 'text')})`),
  );
  if (plain > 0) {
    throw fail(
      'DatabaseNotEncrypted',
      `${plain} of the app's sessions as ${target.role.credential} are not encrypted; expected TLS in all of them. Have the app ask for it ` +
        '(sslmode=require), deploy, then try again.',
    );
  }
  return encrypted;
}

/** The app after an undo: connected as the owner again, and nobody as the role. */
export async function verifyOwnerSessions(
  services: Services,
  call: StepCall,
): Promise<StepResult<Evidence<'verify-owner-sessions'>>> {
  const target = await targetOf(services, call);
  const { url, addon } = await attachedDatabase(services, target);
  return observe(() => expectSessions(services, target, { url, addon }, 'owner'));
}

type Side = keyof SessionCount;

/** What each side is told to do where the app is not connected as it. */
const remedies: Record<Side, string> = {
  role: "End consoles and scripts that use the owner's URL, see that the app reads its flag and answers, then try again.",
  owner:
    "End consoles and scripts that use the role's URL, see that the flag is off and the app answers, then try again.",
};

/** Waits until the app is connected as one side and nobody as the other; sessions of dynos just stopped linger. */
async function expectSessions(
  services: Services,
  target: Target,
  database: Database,
  expected: Side,
): Promise<SessionCount> {
  const other: Side = expected === 'role' ? 'owner' : 'role';
  const users = await usersOf(services, target, database);
  const count = (): Promise<SessionCount> =>
    services.postgres.connected(database.url, (connection) => countSessions(connection, users));
  const isRight = (now: SessionCount): boolean => now[expected] > 0 && now[other] === 0;
  const seen = await lookUntil(count, isRight, target.sessions.lingerSeconds * 1000);
  if (isRight(seen)) return seen;
  const title = other === 'owner' ? "The owner's" : "The role's";
  const strays =
    seen[other] === 0
      ? ''
      : ` ${title}: ${(await services.postgres.connected(database.url, (connection) => strangers(connection, users, other))).join(', ')}.`;
  throw fail(
    'SessionsDiffer',
    expected === 'role'
      ? `${seen.role} sessions of ${target.role.credential} and ${seen.owner} of the owner; expected at least one and none.${strays} ${remedies.role}`
      : `${seen.owner} sessions of the owner and ${seen.role} of ${target.role.credential}; expected at least one and none.${strays} ${remedies.owner}`,
  );
}

export type SessionCount = z.infer<typeof sessions>;
type Database = Pick<AttachedDatabase, 'url' | 'addon'>;

/** The user names that count as the role and as the owner. */
export interface SessionUsers {
  readonly role: readonly string[];
  readonly owner: readonly string[];
}

/** While a credential is rotated it has two user names for a while; those that the Data API lists all count as it. */
export async function usersOf(
  { heroku }: Services,
  { role }: Target,
  { addon }: Pick<Database, 'addon'>,
): Promise<SessionUsers> {
  const namesOf = async (name: string): Promise<string[]> =>
    (await heroku.findCredential(addon.name, name))?.credentials.map((one) => one.user) ?? [];
  const [roleNames, owner] = await Promise.all([namesOf(role.credential), namesOf('default')]);
  return { role: [role.credential, ...roleNames], owner };
}

/**
 * The sessions of this database besides the runbook's own. `backend_type` is null for other users' sessions unless the reader
 * may see statistics, `usename` never is.
 */
export const othersSessions = sql.fragment`datname = current_database() AND application_name <> ${applicationName}
      AND coalesce(backend_type, 'client backend') = 'client backend'`;

/** Counts who is connected to the database besides the runbook, asked as the owner. */
export function countSessions(connection: Connection, { role, owner }: SessionUsers): Promise<SessionCount> {
  return connection.one(sql.type(sessions)`
    SELECT count(*) FILTER (WHERE usename = ANY(${sql.array([...role], 'text')}))::int AS role,
           count(*) FILTER (WHERE usename = current_user
                               OR usename = ANY(${sql.array([...owner], 'text')}))::int AS owner
    FROM pg_stat_activity
    WHERE ${othersSessions}`);
}

/** The oldest sessions of one side, in words. */
function strangers(connection: Connection, users: SessionUsers, side: Side): Promise<readonly string[]> {
  return connection.anyFirst(sql.type(session)`
    SELECT format('%s (process %s, since %s)', coalesce(nullif(application_name, ''), 'unnamed'), pid,
                  coalesce(to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'), 'unknown')) AS who
    FROM pg_stat_activity
    WHERE datname = current_database() AND application_name <> ${applicationName}
      AND (usename = ANY(${sql.array([...users[side]], 'text')}) OR (${side === 'owner'} AND usename = current_user))
    ORDER BY backend_start LIMIT ${named}`);
}

/**
 * How many sessions the database has, of how many it takes. The runbook itself never uses more than two at once; the
 * app's pools, twice over while old and new dynos run side by side, use most of the rest.
 */
export function connectionHeadroom(connection: Connection): Promise<z.infer<typeof headroom>> {
  return connection.one(sql.type(headroom)`
    SELECT (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()) AS used,
           least(current_setting('max_connections')::int,
                 nullif(greatest(d.datconnlimit, 0), 0),
                 nullif(greatest(r.rolconnlimit, 0), 0)) AS "limit"
    FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user`);
}
