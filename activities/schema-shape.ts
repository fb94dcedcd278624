import { sql } from 'slonik';
import { z } from 'zod';
import type { Connection } from './clients/postgres.ts';

const column = z.object({ table: z.string(), column: z.string(), type: z.string(), required: z.boolean() });
const foreignKey = z.object({ name: z.string(), from: z.string(), to: z.string(), cascades: z.boolean() });

/** A schema as far as it is verified: what a rehearsal of a slug writes down, and what production is compared with. */
export const schemaShape = z
  .object({ tables: z.array(z.string()), columns: z.array(column), foreignKeys: z.array(foreignKey) })
  .strict();
export type SchemaShape = z.infer<typeof schemaShape>;

/** Reads the shape of a schema from the catalog. */
export async function readShape(connection: Connection, schema: string): Promise<SchemaShape> {
  const tables = await connection.anyFirst(sql.type(z.object({ name: z.string() }))`
    SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ${schema} AND c.relkind IN ('r', 'p') ORDER BY 1`);
  const columns = await connection.any(sql.type(column)`
    SELECT c.relname AS "table", a.attname AS "column", format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ${schema} AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, a.attnum`);
  const foreignKeys = await connection.any(sql.type(foreignKey)`
    SELECT k.conname AS name, f.relname AS "from", t.relname AS "to", k.confdeltype = 'c' AS cascades
    FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
    JOIN pg_namespace n ON n.oid = f.relnamespace
    WHERE k.contype = 'f' AND n.nspname = ${schema} ORDER BY 1, 2`);
  return { tables: [...tables], columns: [...columns], foreignKeys: [...foreignKeys] };
}

/** A column's type as a target file writes it. */
export function typeOf({ type, required }: SchemaShape['columns'][number]): string {
  return `${type}${required ? ' not null' : ''}`;
}

/** How a schema differs from another one, table by table. */
export function shapeDifferences(expected: SchemaShape, seen: SchemaShape): string[] {
  const all = [...new Set([...expected.tables, ...seen.tables])].sort();
  return all.flatMap((table) => {
    if (!seen.tables.includes(table)) return [`the table ${table} is missing`];
    if (!expected.tables.includes(table)) return [`the table ${table} is not expected`];
    return [
      ...differingEntries(columnsOf(expected, table), columnsOf(seen, table)).map((text) => `${table}.${text}`),
      ...differingEntries(keysOf(expected, table), keysOf(seen, table)).map(
        (text) => `${table}: the foreign key ${text}`,
      ),
    ];
  });
}

/** How the columns of one table differ from a list of them. */
export function columnDifferences(seen: SchemaShape, table: string, expected: ReadonlyMap<string, string>): string[] {
  return differingEntries(expected, columnsOf(seen, table)).map((text) => `${table}.${text}`);
}

function columnsOf(shape: SchemaShape, table: string): Map<string, string> {
  return new Map(shape.columns.filter((one) => one.table === table).map((one) => [one.column, typeOf(one)]));
}

function keysOf(shape: SchemaShape, table: string): Map<string, string> {
  return new Map(
    shape.foreignKeys
      .filter((one) => one.from === table)
      .map((one) => [one.name, `to ${one.to}${one.cascades ? ', cascading' : ''}`]),
  );
}

function differingEntries(expected: ReadonlyMap<string, string>, seen: ReadonlyMap<string, string>): string[] {
  return [
    ...[...expected]
      .filter(([name, value]) => seen.get(name) !== value)
      .map(([name, value]) => `${name} is ${seen.get(name) ?? 'missing'}, expected ${value}`),
    ...[...seen.keys()].filter((name) => !expected.has(name)).map((name) => `${name} is not expected`),
  ];
}

/** Follows foreign keys down from a table: what a deletion there must reach, and the keys that would stop it. */
export function cascadesFrom(root: string, { foreignKeys }: SchemaShape): { keys: number; broken: string[] } {
  const reached = new Set([root]);
  for (let size = 0; size !== reached.size;) {
    size = reached.size;
    for (const key of foreignKeys) if (reached.has(key.to)) reached.add(key.from);
  }
  const keys = foreignKeys.filter((key) => reached.has(key.to));
  return {
    keys: keys.length,
    broken: keys
      .filter((key) => !key.cascades)
      .map((key) => `${key.from} refers to ${key.to} (${key.name}) and does not cascade`),
  };
}
