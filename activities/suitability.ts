import { sql } from 'slonik';
import { z } from 'zod';
import type { TargetDatabase } from './attached-database.ts';
import { fail } from './fail.ts';
import type { Services } from './services.ts';
import type { Target } from './target.ts';

const writable = sql.type(
  z.object({ recovering: z.boolean(), readOnly: z.boolean() }),
)`SELECT pg_is_in_recovery() AS recovering, current_setting('transaction_read_only') = 'on' AS "readOnly"`;

/**
 * Finds, before anybody waits for anything, what would stop the cutover half way.
 *
 * @throws ApplicationFailure `AppUnsupported`, `AppInMaintenance`, `DatabaseReadOnly`, `PlatformTokenExpiresSoon`
 */
export async function checkSuitability(services: Services, target: Target, database: TargetDatabase): Promise<void> {
  const { heroku, postgres } = services;
  const app = await heroku.getApp(target.app);
  if (app.generation?.name === 'fir') {
    throw fail(
      'AppUnsupported',
      `${target.app} is on the platform generation fir, where one-off dynos by rendezvous may be missing; expected cedar. ` +
        'Nothing was changed; perform the cutover by hand.',
    );
  }
  if (app.maintenance) {
    throw fail(
      'AppInMaintenance',
      `${target.app} is in maintenance mode, so its smoke suite cannot pass. End it with \`heroku maintenance:off -a ${target.app}\`, then start again.`,
    );
  }
  const expiresIn = await heroku.tokenExpiresIn();
  if (typeof expiresIn === 'number' && expiresIn < target.tokenValidForHours * 3600) {
    throw fail(
      'PlatformTokenExpiresSoon',
      `The worker's Heroku token expires in ${Math.floor(expiresIn / 60)} minutes; expected ${target.tokenValidForHours} hours or more, since a ` +
        'cutover waits for people. Give the worker another token, then start again.',
    );
  }
  const { recovering, readOnly } = await postgres.connected(database.url, (connection) => connection.one(writable));
  if (recovering || readOnly) {
    throw fail(
      'DatabaseReadOnly',
      `${database.addon.name} takes no writes: it is ${recovering ? 'a follower' : 'read-only'}. Promote its leader, or unfollow it ` +
        `with \`heroku pg:unfollow ${database.addon.name} -a ${target.app}\`, then start again.`,
    );
  }
}
