import { sql } from 'slonik';
import { z } from 'zod';
import type { Connection, Transaction } from './clients/postgres.ts';
import { currentScope } from './scope.ts';

/**
 * What the runbook must find again in the database itself stands in a schema of its own: outside the app's, so that
 * neither `\dt` nor a migration meets it, and without a privilege for anybody but the owner.
 */
const bookkeepingSchema = 'cutover';

/** Whether a table of that schema exists. */
export function hasBookkeeping(connection: Connection, table: 'fence' | 'seal'): Promise<boolean> {
  return connection.oneFirst(
    sql.type(z.object({ found: z.boolean() }))`
      SELECT to_regclass(${`${bookkeepingSchema}.${table}`}) IS NOT NULL AS found`,
  );
}

/**
 * Makes the schema and what `make` puts into it, and closes both to everybody and to the role: default privileges that
 * somebody gave for the whole database would have opened them.
 */
export async function inBookkeeping(
  connection: Connection,
  role: string,
  make: (tx: Transaction) => Promise<void>,
): Promise<void> {
  await connection.transaction(async (tx) => {
    await tx.query(sql.unsafe`SET LOCAL lock_timeout = '5s'`);
    await tx.query(sql.unsafe`CREATE SCHEMA IF NOT EXISTS cutover`);
    await make(tx);
    const roles = await tx.anyFirst(
      sql.type(z.object({ name: z.string() }))`SELECT rolname AS name FROM pg_roles WHERE rolname = ${role}`,
    );
    const grantees = [sql.fragment`PUBLIC`, ...roles.map((name) => sql.fragment`${sql.identifier([name])}`)];
    for (const grantee of grantees) {
      await tx.query(sql.unsafe`REVOKE ALL ON SCHEMA cutover FROM ${grantee}`);
      await tx.query(sql.unsafe`REVOKE ALL ON ALL TABLES IN SCHEMA cutover FROM ${grantee}`);
    }
    currentScope().report('underway');
  });
}
