// `npm run plan:sql`: see usage in plan-sql-options.ts.
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { targetDatabase } from '../activities/attached-database.ts';
import { offlineSql } from '../activities/offline-sql.ts';
import { digestOfSql, rangeOf } from '../activities/preview.ts';
import { databaseRevision, slugReport } from '../activities/revisions.ts';
import { withScope } from '../activities/scope.ts';
import { Secrets } from '../activities/secrets.ts';
import type { Services } from '../activities/services.ts';
import { ConfigError, readConfig, tokensOf } from './config.ts';
import { servicesOf } from './create-worker.ts';
import { PlanSqlUsageError, planSqlUsage, readPlanSqlOptions, type PlanSqlOptions } from './plan-sql-options.ts';

/** Reads what a plan reads of revisions and SQL, by the same functions, so that its digest can be compared. */
async function readSql(services: Services, secrets: Secrets, app: string): Promise<string> {
  const target = await services.targets.read(app);
  secrets.keepPlain(target, target.plainConfigVars);
  const mark = `cutover/plan-sql/${randomUUID()}`;
  const { url } = await targetDatabase(services, target);
  const { chain } = await slugReport(services, target, `${mark}/history`);
  const current = await services.postgres.connected(url, (connection) => databaseRevision(connection, target));
  const pending = chain.pending(current);
  const range = rangeOf({ current, heads: [chain.head], pending, namingRole: [] });
  if (range === undefined) return '';
  const { sql, command } = await offlineSql(services, target, range, mark);
  if (sql !== null) return sql;
  throw new Error(
    command === null
      ? `There is no SQL beforehand: \`${target.migrations.upgrade}\` is not a plain \`alembic upgrade\` or \`flask db upgrade\`. Read the files of ${pending.join(', ')}.`
      : `There is no SQL beforehand: \`${command}\` did not print any in a one-off dyno of ${app}. Run it there to see why, and read the files of ${pending.join(', ')}.`,
  );
}

async function planSql({ app, sha256, out }: PlanSqlOptions): Promise<void> {
  const config = readConfig(process.env);
  const secrets = new Secrets();
  for (const token of tokensOf(config)) secrets.add(token);
  const scope = {
    signal: new AbortController().signal,
    secrets,
    report: () => undefined,
    proveLease: () => Promise.resolve(),
  };
  const sql = await withScope(scope, () => readSql(servicesOf(config), secrets, app)).catch((error: unknown) => {
    throw new Error(secrets.redact(error instanceof Error ? error.message : String(error)));
  });
  const digest = digestOfSql(sql);
  if (sql === '') process.stderr.write('There is no revision to run.\n');
  if (out === undefined) process.stdout.write(sql);
  else await writeFile(out, sql);
  process.stderr.write(`SHA-256 ${digest}\n`);
  if (sha256 !== undefined && !digest.startsWith(sha256)) {
    throw new Error(
      `The SQL is not that of the plan, which has the SHA-256 ${sha256}: another slug was deployed, or a revision was applied. Make a new plan.`,
    );
  }
}

try {
  const options = readPlanSqlOptions(process.argv.slice(2), process.env);
  if (options.help) process.stdout.write(`${planSqlUsage}\n`);
  else await planSql(options);
} catch (error) {
  const usage = error instanceof PlanSqlUsageError ? `\n${planSqlUsage}\n` : '';
  process.stderr.write(`${(error as Error).message}\n${usage}`);
  process.exitCode = error instanceof PlanSqlUsageError || error instanceof ConfigError ? 2 : 1;
}
