import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { readMatrix } from '../../activities/matrix.ts';
import { cascadeClosure, fillEveryTable, readCatalog, tableNames } from './catalog.ts';
import { sqlState } from './heroku-client.ts';
import { AppWorld, type OwnedDatabase } from './rehearsed-app.ts';

const MATRIX = fileURLToPath(new URL('../../migrations/grants/raptor_app.sql', import.meta.url));
const FAILING = fileURLToPath(new URL('../fixtures/failing-revision/0003_fails.py', import.meta.url));
const VERSIONS = 'backend_v2/alembic/versions';

const LIST_SQLITE_TABLES = `python3 -c "
import sqlite3
rows = sqlite3.connect('dev.db').execute('SELECT type, name FROM sqlite_master')
print(*sorted(name for kind, name in rows if kind == 'table' and not name.startswith('sqlite_')))
"`;
/** Who may do what, with the order taken out in which it was granted. */
const PRIVILEGES = `
  SELECT c.relname AS object, a.grantee::regrole::text AS who, string_agg(a.privilege_type, ' ' ORDER BY a.privilege_type) AS may
  FROM pg_class c, aclexplode(c.relacl) a WHERE c.relnamespace = 'public'::regnamespace GROUP BY 1, 2
  UNION ALL
  SELECT 'schema', a.grantee::regrole::text, string_agg(a.privilege_type, ' ' ORDER BY a.privilege_type)
  FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = 'public' GROUP BY 1, 2
  UNION ALL
  SELECT 'future ' || d.defaclobjtype::text, a.grantee::regrole::text, string_agg(a.privilege_type, ' ' ORDER BY a.privilege_type)
  FROM pg_default_acl d, aclexplode(d.defaclacl) a GROUP BY 1, 2
  ORDER BY 1, 2`;

let world: AppWorld;
let slug: string;

beforeAll(async () => {
  world = await AppWorld.start();
  slug = await world.slug({ app: 'raptor' });
});

afterAll(() => world?.stop());

const upgraded = async (to = 'head', dir = slug): Promise<OwnedDatabase> => {
  const database = await world.database();
  await world.alembic(dir, `upgrade ${to}`, database.url);
  return database;
};

const connected = async <T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: url, ssl: { rejectUnauthorized: false } });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

const revisionOf = async ({ url }: OwnedDatabase): Promise<string[]> =>
  (await world.query<{ version_num: string }>(url, 'SELECT version_num FROM alembic_version')).map(
    (row) => row.version_num,
  );

const passwordIn = (url: string): string => new URL(url).password;

const auditPrivileges = async (roleUrl: string, { url }: OwnedDatabase): Promise<string[]> => {
  const rows = await world.query<{ privilege: string }>(
    url,
    `SELECT privilege FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) privilege
     WHERE has_table_privilege($1, 'audit_events', privilege)
       AND has_table_privilege($1, 'audit_customer_access', privilege) ORDER BY 1`,
    [new URL(roleUrl).username],
  );
  return rows.map((row) => row.privilege);
};

const applyMatrix = ({ url }: OwnedDatabase): Promise<void> =>
  connected(url, async (client) => {
    for (const statement of readMatrix('raptor', await readFile(MATRIX, 'utf8')).statements)
      await client.query(statement);
  });

test('the baseline is 35 tables, and the head adds paper_orders', async () => {
  const database = await upgraded('0001_raptor_baseline');
  const baseline = await connected(database.url, tableNames);
  expect(baseline.filter((name) => name !== 'alembic_version')).toHaveLength(35);

  const log = await world.alembic(slug, 'upgrade head', database.url);
  expect(log).toContain('Running upgrade 0001_raptor_baseline -> 0002_paper_orders');
  expect(await connected(database.url, tableNames)).toEqual([...baseline, 'paper_orders'].sort());
  expect(await revisionOf(database)).toEqual(['0002_paper_orders']);

  const columns = await world.query(
    database.url,
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required
     FROM pg_attribute WHERE attrelid = 'paper_orders'::regclass AND attnum > 0 ORDER BY attnum`,
  );
  expect(columns).toEqual([
    { name: 'id', type: 'bigint', required: true },
    { name: 'submitted_at', type: 'timestamp with time zone', required: false },
    { name: 'status', type: 'text', required: true },
    { name: 'order_payload', type: 'jsonb', required: false },
  ]);
});

test("PostgreSQL's own types are in real use", async () => {
  const { url } = await upgraded();
  const used = await world.query<{ type: string; columns: number }>(
    url,
    `SELECT data_type AS type, count(*)::int AS columns FROM information_schema.columns
     WHERE table_schema = 'public' GROUP BY 1`,
  );
  const columns = new Map(used.map((row) => [row.type, row.columns]));
  for (const type of ['timestamp with time zone', 'jsonb', 'bytea', 'boolean']) {
    expect([type, (columns.get(type) ?? 0) >= 10]).toEqual([type, true]);
  }
  expect(columns.has('timestamp without time zone')).toBe(false);
  expect(columns.has('json')).toBe(false);

  const keys = await world.query<{ type: string; sequence: string | null }>(
    url,
    `SELECT data_type AS type, pg_get_serial_sequence(table_name, column_name) AS sequence
     FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'id'`,
  );
  expect(keys.length).toBeGreaterThan(30);
  expect(keys.filter((key) => key.type !== 'bigint' || key.sequence === null)).toEqual([]);
});

test('deleting a customer removes every row that belongs to it, and no other', async () => {
  const { url } = await upgraded();
  await connected(url, async (client) => {
    const catalog = await readCatalog(client);
    const owned = cascadeClosure(catalog, 'customers');
    // Deep ones: trades by orders and broker accounts, trace events by runs and strategies.
    expect([...owned]).toEqual(expect.arrayContaining(['trades', 'invoices', 'support_messages', 'trace_events']));
    expect(catalog.foreignKeys.filter((key) => owned.has(key.to) && key.onDelete !== 'c')).toEqual([]);

    await fillEveryTable(client, catalog);
    await client.query('DELETE FROM customers');
    for (const { name } of catalog.tables) {
      const { rows } = await client.query<{ rows: number }>(`SELECT count(*)::int AS rows FROM ${name}`);
      expect([name, rows[0]?.rows]).toEqual([name, owned.has(name) ? 0 : 1]);
    }
  });
});

test('down to nothing and up again ends where the first upgrade did', async () => {
  const database = await upgraded();
  const first = await connected(database.url, readCatalog);
  await world.alembic(slug, 'downgrade base', database.url);
  expect(await connected(database.url, tableNames)).toEqual(['alembic_version']);
  expect(await revisionOf(database)).toEqual([]);
  await world.alembic(slug, 'upgrade head', database.url);
  expect(await connected(database.url, readCatalog)).toEqual(first);
});

test('on SQLite the same chain makes the same tables, and goes down again', async () => {
  const dir = await world.slug({ app: 'raptor', withPullRequest: true });
  const listed = async (): Promise<string[]> => (await world.run(dir, LIST_SQLITE_TABLES)).stdout.trim().split(' ');
  await world.alembic(dir, 'upgrade head', '');
  const database = await upgraded();
  expect(await listed()).toEqual(await connected(database.url, tableNames));
  await world.alembic(dir, 'downgrade base', '');
  expect(await listed()).toEqual(['alembic_version']);
});

test('a failing revision leaves the database as it was, pending revisions before it included', async () => {
  const failing = await world.slugWith('raptor', FAILING, join(VERSIONS, '0003_fails.py'));
  const database = await upgraded('0001_raptor_baseline');
  const before = await connected(database.url, readCatalog);
  const { code, output } = await world.run(failing, 'alembic upgrade head', { DATABASE_URL: database.url });
  expect(code).toBe(1);
  expect(output).toContain('a_table_that_is_not_there');
  expect(output).not.toContain(passwordIn(database.url));
  expect(await revisionOf(database)).toEqual(['0001_raptor_baseline']);
  expect(await connected(database.url, readCatalog)).toEqual(before);
});

test('the SQL that is printed offline makes what an upgrade makes, and printing it needs no database', async () => {
  const nowhere = 'postgres://nobody@127.0.0.1:1/nothing';
  const whole = await world.run(slug, 'alembic upgrade head --sql > offline.sql', { DATABASE_URL: nowhere });
  expect(whole.code).toBe(0);
  const database = await world.database();
  const statements = await readFile(join(slug, 'offline.sql'), 'utf8');
  await connected(database.url, (client) => client.query(statements));
  expect(await revisionOf(database)).toEqual(['0002_paper_orders']);
  const online = await upgraded();
  expect(await connected(database.url, readCatalog)).toEqual(await connected(online.url, readCatalog));

  const rest = await world.run(slug, 'alembic upgrade 0001_raptor_baseline:head --sql', { DATABASE_URL: nowhere });
  expect(rest.stdout.match(/CREATE TABLE \w+/g)).toEqual(['CREATE TABLE paper_orders']);
});

test('a DATABASE_URL that cannot be read is refused without being repeated', async () => {
  const { code, output } = await world.run(slug, 'alembic upgrade head', {
    DATABASE_URL: 'postgres://someone:s3cret@host:p0rt/name',
  });
  expect(code).toBe(1);
  expect(output).toContain('DATABASE_URL is not a database URL');
  expect(output).not.toMatch(/s3cret|p0rt/);
});

test('the grant matrix holds, and applying it again changes nothing', async () => {
  const database = await upgraded();
  await world.withRole(database, 'raptor_app', async (url) => {
    const state = (statement: string): Promise<unknown> => sqlState(world.query(url, statement));
    // A new credential has no access to the schema until it is granted.
    expect(await state('SELECT 1 FROM public.paper_orders')).toBe('42501');

    await applyMatrix(database);
    const once = await world.query(database.url, PRIVILEGES);
    await applyMatrix(database);
    expect(await world.query(database.url, PRIVILEGES)).toEqual(once);

    for (const allowed of [
      "INSERT INTO paper_orders (status) VALUES ('new')",
      "UPDATE paper_orders SET status = 'done'",
      'DELETE FROM paper_orders',
      "INSERT INTO audit_events (actor, action) VALUES ('test', 'probe')",
      'SELECT * FROM audit_events',
      'SELECT version_num FROM alembic_version',
    ]) {
      expect([allowed, await state(allowed)]).toEqual([allowed, 'allowed']);
    }
    for (const refused of [
      "UPDATE alembic_version SET version_num = 'x'",
      "INSERT INTO alembic_version VALUES ('x')",
      'DELETE FROM alembic_version',
      'CREATE TABLE mine (id bigint)',
      'DROP TABLE paper_orders',
      'ALTER TABLE paper_orders ADD COLUMN mine text',
      'TRUNCATE paper_orders',
      'UPDATE audit_events SET actor = actor',
      'DELETE FROM audit_events',
      'DELETE FROM audit_customer_access',
      "SELECT setval('paper_orders_id_seq', 1)",
    ]) {
      expect([refused, await state(refused)]).toEqual([refused, '42501']);
    }

    // What the owner makes later is within reach, its sequence included.
    await world.query(database.url, 'CREATE TABLE made_later (id BIGSERIAL PRIMARY KEY, note TEXT)');
    expect(await state("INSERT INTO made_later (note) VALUES ('x')")).toBe('allowed');
  });
});

test('erasing a customer as the role reaches the audit rows that the role may not delete', async () => {
  const database = await upgraded();
  await world.withRole(database, 'raptor_app', async (url) => {
    await applyMatrix(database);
    await connected(database.url, async (client) => fillEveryTable(client, await readCatalog(client)));
    await world.query(url, 'DELETE FROM customers');
    expect(await world.query(url, 'SELECT * FROM audit_customer_access')).toEqual([]);
    expect(await world.query(url, 'SELECT actor FROM audit_events')).toHaveLength(1);
  });
});

test("the pull request's revision does nothing without the role, and makes the audit grants with it", async () => {
  const merged = await world.slug({ app: 'raptor', withPullRequest: true });
  const without = await upgraded('head', merged);
  expect(await revisionOf(without)).toEqual(['0003_audit_grants']);

  const database = await upgraded();
  await world.withRole(database, 'raptor_app', async (url) => {
    await world.alembic(merged, 'upgrade head', database.url);
    expect(await auditPrivileges(url, database)).toEqual(['INSERT', 'SELECT']);
    await world.alembic(merged, 'downgrade -1', database.url);
    expect(await auditPrivileges(url, database)).toEqual([]);
  });
});

test('the unguarded variant fails without the role and leaves the database as it was', async () => {
  const merged = await world.slug({ app: 'raptor', withPullRequest: true, variant: 'unguarded' });
  const database = await upgraded();
  const { code, output } = await world.run(merged, 'alembic upgrade head', { DATABASE_URL: database.url });
  expect(code).toBe(1);
  // psycopg2 prints the name of the class that stands for SQLSTATE 42704.
  expect(output).toContain('psycopg2.errors.UndefinedObject');
  expect(await revisionOf(database)).toEqual(['0002_paper_orders']);
  await world.withRole(database, 'raptor_app', async (url) => {
    await world.alembic(merged, 'upgrade head', database.url);
    expect(await auditPrivileges(url, database)).toEqual(['INSERT', 'SELECT']);
  });
});
