import { sql } from 'slonik';
import { z } from 'zod';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { attachedDatabase } from './attached-database.ts';
import type { Connection } from './clients/postgres.ts';
import { fail } from './fail.ts';
import { observe } from './perform.ts';
import { credentialName } from './rotation-holders.ts';
import { lookUntil } from './scope.ts';
import { targetOf, type Services } from './services.ts';
import { countSessions, othersSessions, usersOf, type SessionUsers } from './sessions.ts';

type RotatedEvidence = Evidence<'verify-rotated'>;

/** Sessions that a message names. */
const named = 5;
const session = z.object({ who: z.string(), age: z.number().nullable() });

/**
 * The app after a rotation: connected, and nobody with the old password. A session keeps what it began with, so one that is
 * older than the new password has the old one. Ages are compared, and no times: the two clocks may differ.
 *
 * @throws ApplicationFailure `SessionsDiffer`
 */
export async function verifyRotated(services: Services, call: StepCall): Promise<StepResult<RotatedEvidence>> {
  const target = await targetOf(services, call);
  const { heroku, postgres } = services;
  const { credential = 'owner', facts, rotatedAt = call.since } = call.rotation ?? {};
  const database = await attachedDatabase(services, target);
  const as = facts?.asRole === true ? 'role' : 'owner';
  return observe(async () => {
    const users = await usersOf(services, target, database);
    // The variable has the new one by now; the platform is asked all the same, for it is its truth.
    const owner = await heroku.readCredentialUrl(database.addon.name, 'default');
    const own = await heroku.readCredentialUrl(database.addon.name, credentialName(target, credential));
    const look = async () => ({
      connected: (await postgres.connected(owner, (connection) => countSessions(connection, users)))[as],
      // When a session began, the server shows to its own user alone.
      old: await postgres.connected(own, (connection) => oldSessions(connection, users[credential], rotatedAt)),
    });
    const isRight = ({ connected, old }: Awaited<ReturnType<typeof look>>): boolean =>
      connected > 0 && old.length === 0;
    const seen = await lookUntil(look, isRight, target.sessions.lingerSeconds * 1000);
    if (isRight(seen)) return { as, connected: seen.connected, old: 0 };
    const strays = seen.old.length === 0 ? '' : ` From before: ${seen.old.slice(0, named).join(', ')}.`;
    throw fail(
      'SessionsDiffer',
      `${seen.connected} sessions of the ${as}, and ${seen.old.length} of the ${credential} from before the rotation; expected at least one and none.${strays} ` +
        `They were let in with the old password. End them (\`heroku pg:ps -a ${target.app}\`, \`heroku pg:kill <process> -a ${target.app}\`), see that the app ` +
        'answers, then try again.',
    );
  });
}

/** The sessions that began before a moment, the oldest first; those of a user name that was dropped have none. */
async function oldSessions(
  connection: Connection,
  users: SessionUsers[keyof SessionUsers],
  since: number,
): Promise<string[]> {
  const found = await connection.any(sql.type(session)`
    SELECT format('%s (process %s)', coalesce(nullif(application_name, ''), 'unnamed'), pid) AS who,
           (extract(epoch FROM clock_timestamp() - backend_start) * 1000)::float8 AS age
    FROM pg_stat_activity
    WHERE ${othersSessions}
      AND (usename IS NULL OR usename = ANY(${sql.array([...users], 'text')}))
    ORDER BY backend_start`);
  const age = Date.now() - since;
  return found.filter((one) => one.age === null || one.age > age).map((one) => one.who);
}
