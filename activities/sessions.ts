import { sql } from 'slonik';
import { z } from 'zod';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { attachedDatabase } from './attached-database.ts';
import { applicationName, type Connection } from './clients/postgres.ts';
import { fail } from './fail.ts';
import { observe } from './perform.ts';
import { pause } from './scope.ts';
import { targetOf, type Services } from './services.ts';

/** Sessions of the owner that a message names. */
const named = 5;

const sessions = z.object({ role: z.number(), owner: z.number() });
const session = z.object({ who: z.string() });
const headroom = z.object({ used: z.number(), limit: z.number() });

/**
 * Counts who is connected to the database besides the runbook: the app must be, as the role, and nobody as the owner.
 * The smoke suite that ran just before has filled the app's pool. While a credential is rotated it has two user names
 * for a while; those that the Data API lists all count as it.
 */
export async function verifySessions(
  services: Services,
  call: StepCall,
): Promise<StepResult<Evidence<'verify-sessions'>>> {
  const target = await targetOf(services, call);
  const { url, addon } = await attachedDatabase(services, target);
  const { credential } = target.role;
  const namesOf = async (name: string): Promise<string[]> =>
    (await services.heroku.findCredential(addon.name, name))?.credentials.map((one) => one.user) ?? [];
  const [roleNames, ownerNames] = await Promise.all([namesOf(credential), namesOf('default')]);

  const count = (): Promise<z.infer<typeof sessions>> =>
    services.postgres.connected(url, (connection) =>
      // `backend_type` is null for other users' sessions unless the reader may see statistics, `usename` never is.
      connection.one(sql.type(sessions)`
        SELECT count(*) FILTER (WHERE usename = ANY(${sql.array([credential, ...roleNames], 'text')}))::int AS role,
               count(*) FILTER (WHERE usename = current_user
                                   OR usename = ANY(${sql.array(ownerNames, 'text')}))::int AS owner
        FROM pg_stat_activity
        WHERE datname = current_database() AND application_name <> ${applicationName}
          AND coalesce(backend_type, 'client backend') = 'client backend'`),
    );

  const ownerSessions = (): Promise<readonly string[]> =>
    services.postgres.connected(url, (connection) =>
      connection.anyFirst(sql.type(session)`
        SELECT format('%s (process %s, since %s)', coalesce(nullif(application_name, ''), 'unnamed'), pid,
                      coalesce(to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'), 'unknown')) AS who
        FROM pg_stat_activity
        WHERE datname = current_database() AND application_name <> ${applicationName}
          AND (usename = current_user OR usename = ANY(${sql.array(ownerNames, 'text')}))
        ORDER BY backend_start LIMIT ${named}`),
    );

  return observe(async () => {
    const deadline = Date.now() + target.sessions.lingerSeconds * 1000;
    let seen = await count();
    while ((seen.role === 0 || seen.owner > 0) && Date.now() < deadline) {
      await pause(500);
      seen = await count();
    }
    if (seen.role === 0 || seen.owner > 0) {
      const owners = seen.owner > 0 ? ` The owner's: ${(await ownerSessions()).join(', ')}.` : '';
      throw fail(
        'SessionsDiffer',
        `${seen.role} sessions of ${credential} and ${seen.owner} of the owner; expected at least one and none.${owners} ` +
          "End consoles and scripts that use the owner's URL, see that the app reads its flag and answers, then try again.",
      );
    }
    return seen;
  });
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
