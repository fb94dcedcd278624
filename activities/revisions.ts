import { sql } from 'slonik';
import { z } from 'zod';
import { readHistory, type RevisionChain } from './alembic.ts';
import { runOneOff } from './clients/one-off.ts';
import type { Connection } from './clients/postgres.ts';
import { fail } from './fail.ts';
import { deployedSlug, type Services } from './services.ts';
import type { Target } from './target.ts';

/** Stands between the outputs of two commands. */
const divider = '--- cutover: files that name the role';

/** What the deployed slug tells of its migrations. */
export interface SlugReport {
  readonly chain: RevisionChain;
  /** Revisions whose files name the target's role: they need it to exist, or do nothing without it. */
  readonly namingRole: readonly string[];
}

/**
 * The revisions that the deployed slug carries, as the slug itself tells: a commit id would prove only what was
 * merged, not what was deployed. A slug never changes, so each is asked once.
 *
 * @throws ApplicationFailure `OutcomeUnknown` when the dyno was killed or lost; `MigrationHeadsUnclear`
 */
export async function slugReport(services: Services, target: Target, mark: string): Promise<SlugReport> {
  const { id } = await deployedSlug(services, target.app);
  const key = JSON.stringify([id, target.migrations, target.role.credential]);
  const told = services.slugReports.get(key) ?? (await askSlug(services, target, mark));
  services.slugReports.set(key, told);
  return told;
}

async function askSlug({ heroku }: Services, target: Target, mark: string): Promise<SlugReport> {
  const { history, versions } = target.migrations;
  const naming = `grep -rlw --include='*.py' -- '${target.role.credential}' '${versions}' || true`;
  const command = `( ${history} ) && echo '${divider}' && ( ${naming} )`;
  const { exitStatus, ending, output } = await runOneOff(heroku, { app: target.app, command, mark });
  if (exitStatus === undefined) {
    throw fail(
      'OutcomeUnknown',
      `The one-off dyno for \`${history}\` ended ${ending}: it was killed, or its stream was lost. It only reads; it is run again.`,
    );
  }
  const [revisions = '', files] = output.split(divider);
  if (exitStatus !== 0 || files === undefined) {
    throw fail(
      'MigrationHeadsUnclear',
      `\`${history}\` ended with status ${exitStatus} in a one-off dyno of ${target.app}; expected 0. Mend the slug, or ` +
        `migrations.history in the target file, then start again. Its last lines:\n${lastLines(output)}`,
    );
  }
  const chain = readHistory(revisions);
  const names = files
    .split('\n')
    .filter((line) => line.trim().endsWith('.py'))
    .map(revisionFileName);
  return {
    chain,
    namingRole: chain.revisions.filter((revision) => names.some((name) => isNamedAfter(name, revision))),
  };
}

/** The name of a version file without its folder and ending. */
export function revisionFileName(file: string): string {
  return file.trim().replace(/^.*\//, '').replace(/\.py$/, '');
}

/**
 * Alembic names a version file after its revision, with a slug of its message behind it, and by a usual `file_template`
 * with the date before it: `2026_05_15-0003_audit_grants.py`.
 */
export function isNamedAfter(fileName: string, revision: string): boolean {
  return [fileName, fileName.replace(/^[\d_]+-/, '')].some(
    (name) => name === revision || name.startsWith(`${revision}_`),
  );
}

/** The schema of the version table. */
export function versionSchemaOf({ migrations }: Target): string {
  return migrations.versionTableSchema ?? migrations.schema;
}

/**
 * The revision that the database is at, or null where it was never migrated.
 *
 * @throws ApplicationFailure `MigrationHeadsUnclear` when the version table has several rows
 */
export async function databaseRevision(connection: Connection, target: Target): Promise<string | null> {
  const { versionTable } = target.migrations;
  const schema = versionSchemaOf(target);
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
