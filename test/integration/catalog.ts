import type pg from 'pg';

interface Column {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly default: string | null;
}

/** A schema as PostgreSQL's catalog tells it. */
export interface Catalog {
  readonly tables: readonly { readonly name: string; readonly columns: readonly Column[] }[];
  /** `onDelete` is the catalog's letter: c cascades, r restricts, a refuses, n sets null. */
  readonly foreignKeys: readonly { from: string; column: string; to: string; onDelete: string }[];
  /** Constraints and indexes, as statements would write them. */
  readonly definitions: readonly { name: string; definition: string }[];
}

export async function tableNames(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`,
  );
  return rows.map((row) => row.name).sort();
}

/** The schema `public` without the table in which Alembic keeps its revision. */
export async function readCatalog(client: pg.Client, versionTable = 'alembic_version'): Promise<Catalog> {
  const tables: { name: string; columns: Column[] }[] = [];
  for (const name of (await tableNames(client)).filter((one) => one !== versionTable)) {
    const { rows } = await client.query<Column>(
      `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required,
              CASE a.attidentity WHEN '' THEN pg_get_expr(d.adbin, d.adrelid) ELSE 'identity' END AS default
       FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
       WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
      [name],
    );
    tables.push({ name, columns: rows });
  }
  const foreignKeys = await client.query<Catalog['foreignKeys'][number]>(
    `SELECT k.conrelid::regclass::text AS from, a.attname AS column, k.confrelid::regclass::text AS to,
            k.confdeltype AS "onDelete"
     FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
     WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace ORDER BY 1, 2`,
  );
  const definitions = await client.query<Catalog['definitions'][number]>(
    `SELECT conrelid::regclass || '.' || conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace
     UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2`,
  );
  return { tables, foreignKeys: foreignKeys.rows, definitions: definitions.rows };
}

/** The table and all that refer to it, directly or by way of others. */
export function cascadeClosure({ foreignKeys }: Catalog, root: string): Set<string> {
  const reached = new Set([root]);
  for (let size = 0; size !== reached.size;) {
    size = reached.size;
    for (const key of foreignKeys) if (reached.has(key.to)) reached.add(key.from);
  }
  return reached;
}

/** Writes one row into every table, each referring to the row in every table that it can refer to. */
export async function fillEveryTable(client: pg.Client, catalog: Catalog): Promise<void> {
  const keys = new Map<string, unknown>();
  let waiting = [...catalog.tables];
  while (waiting.length > 0) {
    const ready = waiting.filter(({ name }) =>
      catalog.foreignKeys.every((key) => key.from !== name || keys.has(key.to)),
    );
    if (ready.length === 0) throw new Error(`a cycle of references: ${waiting.map(({ name }) => name).join(', ')}`);
    for (const table of ready) {
      const values = new Map<string, unknown>();
      for (const column of table.columns) {
        const reference = catalog.foreignKeys.find((key) => key.from === table.name && key.column === column.name);
        if (reference !== undefined) values.set(column.name, keys.get(reference.to));
        else if (column.required && column.default === null) {
          values.set(column.name, allowedByCheck(catalog, table.name, column.name) ?? sampleOf(column.type));
        }
      }
      const names = [...values.keys()];
      const list = names.length === 0 ? 'DEFAULT VALUES' : `(${names.join(', ')}) VALUES (${places(names.length)})`;
      const { rows } = await client.query<Record<string, unknown>>(`INSERT INTO ${table.name} ${list} RETURNING *`, [
        ...values.values(),
      ]);
      const first = table.columns[0]?.name ?? '';
      keys.set(table.name, rows[0]?.['id'] ?? rows[0]?.[first]);
    }
    waiting = waiting.filter((table) => !ready.includes(table));
  }
}

const places = (count: number): string => Array.from({ length: count }, (_, index) => `$${index + 1}`).join(', ');

/** The first value that a check of the form `column IN (…)` names. */
function allowedByCheck({ definitions }: Catalog, table: string, column: string): string | undefined {
  const check = definitions.find(
    ({ name, definition }) =>
      name.startsWith(`${table}.`) && definition.startsWith('CHECK') && new RegExp(`\\b${column}\\b`).test(definition),
  );
  return /'([^']+)'/.exec(check?.definition ?? '')?.[1];
}

function sampleOf(type: string): string {
  if (type.startsWith('character varying')) return 'XX';
  if (type.startsWith('numeric')) return '1.5';
  if (type.startsWith('timestamp')) return '2026-01-02T03:04:05Z';
  const samples: Record<string, string> = {
    bigint: '1',
    integer: '1',
    smallint: '1',
    text: 'sample',
    bytea: '\\x0102',
    boolean: 'true',
    date: '2026-01-02',
    jsonb: '{}',
  };
  const sample = samples[type];
  if (sample === undefined) throw new Error(`no sample for a column of type ${type}`);
  return sample;
}
