import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { targetDatabase } from './attached-database.ts';
import { fail } from './fail.ts';
import { observe } from './perform.ts';
import { checkSuitability } from './suitability.ts';
import { targetOf, type Services } from './services.ts';
import { z } from 'zod';
import { sql } from 'slonik';

const version = sql.type(
  z.object({ server_version: z.string() }),
)`SELECT current_setting('server_version') AS server_version`;

/** Proves that the database variable is the attached add-on's, and that the database answers over TLS. */
export async function checkConfig(services: Services, call: StepCall): Promise<StepResult<Evidence<'config-check'>>> {
  const target = await targetOf(services, call);
  return observe(async () => {
    const database = await targetDatabase(services, target);
    const { url, variable, scheme, attachment, addon, problem } = database;
    await checkSuitability(services, target, database);
    const [tls, { server_version: serverVersion }] = await Promise.all([
      services.postgres.inspectTls(url),
      services.postgres.connected(url, (connection) => connection.one(version)),
    ]);
    if (tls.version === '') {
      throw fail(
        'DatabaseNotEncrypted',
        `The session with ${addon.name} is not encrypted; expected TLS. Have the server offer it (Heroku Postgres always does: see that no proxy stands between), then start again.`,
      );
    }
    return {
      variable,
      scheme,
      attachment: attachment.name,
      addon: addon.name,
      plan: addon.plan.name,
      promote: problem?.seen ?? null,
      serverVersion,
      tls,
    };
  });
}
