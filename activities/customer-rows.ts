import { sql } from 'slonik';
import { z } from 'zod';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import type { Connection } from './clients/postgres.ts';
import { fail } from './fail.ts';
import { observe } from './perform.ts';
import { versionSchemaOf } from './revisions.ts';
import { targetOf, type Services } from './services.ts';
import type { Target } from './target.ts';
import { isSameDatabase, wayBackDatabase } from './way-back-database.ts';

/** Tables that a message lists. */
const listed = 20;

/**
 * Counts the rows of every table that may hold a customer's data, exactly. Back on SQLite they would be out of reach, so
 * one is enough to refuse it. Where the app is still served by another PostgreSQL database, its rows count too.
 */
export async function countCustomerRows(
  services: Services,
  call: StepCall,
): Promise<StepResult<Evidence<'count-rows'>>> {
  const target = await targetOf(services, call);
  return observe(async () => {
    const { addon, url, value } = await wayBackDatabase(services, target);
    const elsewhere = /^postgres(ql)?:/.test(value) && !isSameDatabase(value, url);
    const serving = elsewhere ? [{ name: target.database.attachment, url: value }] : [];
    const databases = [{ name: addon.name, url }, ...serving];
    const found: string[] = [];
    let tables = 0;
    for (const database of databases) {
      const counts = await services.postgres.connected(database.url, (connection) => countRows(connection, target));
      tables += counts.length;
      const held = counts.filter((one) => one.rows > 0).map((one) => `${one.table}: ${one.rows}`);
      if (held.length > 0) found.push(`${database.name} has ${held.slice(0, listed).join(', ')}`);
    }
    if (found.length > 0) {
      throw fail(
        'CustomerRowsExist',
        `There are customer rows: ${found.join('; ')}. Expected none, for SQLite would not have them. Mend forward on PostgreSQL; or, where ` +
          'they belong to nobody, delete them, or name the table in rollback.referenceTables of the target file, and try again.',
      );
    }
    return { tables, ignored: ignoredTables(target), addons: databases.map((one) => one.name) };
  });
}

function ignoredTables({ migrations, rollback }: Target): string[] {
  return [migrations.versionTable, ...(rollback?.referenceTables ?? [])];
}

/** In one snapshot, so that a row that moves between two tables is not missed. */
async function countRows(connection: Connection, target: Target): Promise<{ table: string; rows: number }[]> {
  const { schema, versionTable } = target.migrations;
  const ignored = new Set(target.rollback?.referenceTables ?? []);
  if (versionSchemaOf(target) === schema) ignored.add(versionTable);
  return connection.transaction(async (tx) => {
    await tx.query(sql.unsafe`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`);
    await tx.query(sql.unsafe`SET LOCAL lock_timeout = '5s'`);
    // Partitions are counted with the table that they are part of.
    const tables = await tx.anyFirst(sql.type(z.object({ name: z.string() }))`
      SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ${schema} AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1`);
    const counts: { table: string; rows: number }[] = [];
    for (const table of tables.filter((name) => !ignored.has(name))) {
      const rows = await tx.oneFirst(
        sql.type(
          z.object({ rows: z.coerce.number() }),
        )`SELECT count(*) AS rows FROM ${sql.identifier([schema, table])}`,
      );
      counts.push({ table, rows });
    }
    return counts;
  });
}
