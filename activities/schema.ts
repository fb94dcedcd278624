import { createHash } from 'node:crypto';
import { sql } from 'slonik';
import { z } from 'zod';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { attachedDatabase } from './attached-database.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Connection } from './clients/postgres.ts';
import { fail } from './fail.ts';
import { observe } from './perform.ts';
import { targetOf, type Services } from './services.ts';
import type { Target } from './target.ts';

const column = z.object({ table: z.string(), column: z.string(), type: z.string(), required: z.boolean() });
const foreignKey = z.object({ name: z.string(), from: z.string(), to: z.string(), cascades: z.boolean() });

interface SchemaSeen {
  readonly tables: readonly string[];
  readonly columns: readonly z.infer<typeof column>[];
  readonly foreignKeys: readonly z.infer<typeof foreignKey>[];
}

/** Verifies the schema that the upgrade left, table by table; the fingerprint names what was seen. */
export async function verifySchema(services: Services, call: StepCall): Promise<StepResult<Evidence<'verify-schema'>>> {
  const target = await targetOf(services, call);
  return observe(async () => {
    const { url } = await attachedDatabase(services, target);
    const seen = await services.postgres.connected(url, (connection) =>
      readSchema(connection, target.migrations.schema),
    );
    const reached = cascadeClosure(seen, target.schema.cascadesFrom);
    const differences = [
      ...tableDifferences(seen, target),
      ...columnDifferences(seen, target),
      ...seen.columns
        .filter((one) => one.type === 'timestamp without time zone')
        .map((one) => `${one.table}.${one.column} is a time stamp without time zone`),
      ...reached.broken.map((key) => `${key.from} refers to ${key.to} (${key.name}) and does not cascade`),
    ];
    if (differences.length > 0) {
      throw fail(
        'SchemaDiffers',
        `The schema is not as the target says: ${differences.slice(0, 40).join('; ')}. Mend it by a revision, deploy, upgrade, then try again.`,
      );
    }
    return {
      tables: seen.tables.length,
      columnsChecked: Object.values(target.schema.columns).reduce(
        (sum, columns) => sum + Object.keys(columns).length,
        0,
      ),
      cascades: reached.keys,
      fingerprint: createHash('sha256').update(canonicalJson(seen)).digest('hex'),
    };
  });
}

async function readSchema(connection: Connection, schema: string): Promise<SchemaSeen> {
  return {
    tables: await connection.anyFirst(sql.type(z.object({ name: z.string() }))`
      SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ${schema} AND c.relkind IN ('r', 'p') ORDER BY 1`),
    columns: await connection.any(sql.type(column)`
      SELECT c.relname AS "table", a.attname AS "column", format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ${schema} AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, a.attnum`),
    foreignKeys: await connection.any(sql.type(foreignKey)`
      SELECT k.conname AS name, f.relname AS "from", t.relname AS "to", k.confdeltype = 'c' AS cascades
      FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
      JOIN pg_namespace n ON n.oid = f.relnamespace
      WHERE k.contype = 'f' AND n.nspname = ${schema} ORDER BY 1, 2`),
  };
}

function tableDifferences({ tables }: SchemaSeen, { schema, migrations }: Target): string[] {
  const expected = new Set([...schema.tables, migrations.versionTable]);
  return [
    ...[...expected].filter((name) => !tables.includes(name)).map((name) => `the table ${name} is missing`),
    ...tables.filter((name) => !expected.has(name)).map((name) => `the table ${name} is not expected`),
  ];
}

function columnDifferences(seen: SchemaSeen, { schema }: Target): string[] {
  return Object.entries(schema.columns).flatMap(([table, expected]) => {
    const columns = seen.columns.filter((one) => one.table === table);
    const types = new Map(columns.map((one) => [one.column, `${one.type}${one.required ? ' not null' : ''}`]));
    return [
      ...Object.entries(expected)
        .filter(([name, type]) => types.get(name) !== type)
        .map(([name, type]) => `${table}.${name} is ${types.get(name) ?? 'missing'}, expected ${type}`),
      ...columns.filter((one) => !(one.column in expected)).map((one) => `${table}.${one.column} is not expected`),
    ];
  });
}

/** Follows foreign keys down from a table: what a deletion there must reach, and the keys that would stop it. */
function cascadeClosure(
  { foreignKeys }: SchemaSeen,
  root: string,
): { keys: number; broken: SchemaSeen['foreignKeys'] } {
  const reached = new Set([root]);
  for (let size = 0; size !== reached.size;) {
    size = reached.size;
    for (const key of foreignKeys) if (reached.has(key.to)) reached.add(key.from);
  }
  const keys = foreignKeys.filter((key) => reached.has(key.to));
  return { keys: keys.length, broken: keys.filter((key) => !key.cascades) };
}
