import { sql } from 'slonik';
import { z } from 'zod';
import { readHistory, type RevisionChain } from './alembic.ts';
import { runOneOff } from './clients/one-off.ts';
import type { Connection } from './clients/postgres.ts';
import { fail } from './fail.ts';
import type { Services } from './services.ts';
import type { Target } from './target.ts';

/**
 * The revisions that the deployed slug carries, as the slug itself tells: a commit id would prove only what was
 * merged, not what was deployed.
 *
 * @throws ApplicationFailure `OutcomeUnknown` when the dyno ended without a status; `MigrationHeadsUnclear`
 */
export async function slugRevisions({ heroku }: Services, target: Target, mark: string): Promise<RevisionChain> {
  const { history } = target.migrations;
  const { exitStatus, output } = await runOneOff(heroku, { app: target.app, command: history, mark });
  if (exitStatus === undefined) {
    throw fail(
      'OutcomeUnknown',
      `The one-off dyno for \`${history}\` ended without telling its status. It only reads; it is run again.`,
    );
  }
  if (exitStatus !== 0) {
    throw fail(
      'MigrationHeadsUnclear',
      `\`${history}\` ended with status ${exitStatus} in a one-off dyno of ${target.app}: ${lastLines(output)}`,
    );
  }
  return readHistory(output);
}

/**
 * The revision that the database is at, or null where it was never migrated.
 *
 * @throws ApplicationFailure `MigrationHeadsUnclear` when the version table has several rows
 */
export async function databaseRevision(connection: Connection, target: Target): Promise<string | null> {
  const { schema, versionTable } = target.migrations;
  const exists = await connection.oneFirst(
    sql.type(z.object({ found: z.boolean() }))`SELECT to_regclass(${`${schema}.${versionTable}`}) IS NOT NULL AS found`,
  );
  if (!exists) return null;
  const rows = await connection.anyFirst(
    sql.type(
      z.object({ version_num: z.string() }),
    )`SELECT version_num FROM ${sql.identifier([schema, versionTable])} ORDER BY 1`,
  );
  if (rows.length > 1) {
    throw fail(
      'MigrationHeadsUnclear',
      `${versionTable} holds ${rows.length} revisions (${rows.join(', ')}); expected one. Merge the heads, then start again.`,
    );
  }
  return rows[0] ?? null;
}

/** The end of a dyno's output: enough to see what went wrong, little enough for a message. */
export function lastLines(output: string, count = 8): string {
  return output.split('\n').slice(-count).join('\n').slice(-2_000);
}
