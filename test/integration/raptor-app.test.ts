import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { freePort } from '../../rehearsal/ports.ts';
import { readMatrix } from '../../activities/matrix.ts';
import { eventually } from './heroku-client.ts';
import { AppWorld, ask, type OwnedDatabase, type WebProcess } from './rehearsed-app.ts';

const MATRIX = fileURLToPath(new URL('../../migrations/grants/raptor_app.sql', import.meta.url));
const COMMAND = 'python -m backend_v2.app';
const FLAG = 'FLAG_RAPTOR_APP_ROLE_SEPARATION';
const SQLITE = 'sqlite+pysqlite:///./raptor.db';

let world: AppWorld;
let slug: string;
let database: OwnedDatabase;

beforeAll(async () => {
  world = await AppWorld.start();
  slug = await world.slug({ app: 'raptor' });
  database = await world.database();
  await world.alembic(slug, 'upgrade head', database.url);
});

afterAll(() => world?.stop());

const start = (env: Record<string, string>, dir = slug): Promise<WebProcess> => world.web(dir, COMMAND, '/health', env);

const smoke = (url: string, env: Record<string, string> = {}) =>
  world.run(slug, 'python smoke.py', { SMOKE_BASE_URL: url, ...env });

/** Asked as superuser: the owner is not shown whether another role's session is encrypted. */
const sessionsOf = async (user: string) => {
  const client = await world.postgres.connect(database.name);
  try {
    const { rows } = await client.query(
      `SELECT application_name AS name, s.ssl AS tls FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
       WHERE datname = current_database() AND usename = $1`,
      [user],
    );
    return rows;
  } finally {
    await client.end();
  }
};

const rowsOf = async (table: string): Promise<number> =>
  (await world.query<{ rows: number }>(database.url, `SELECT count(*)::int AS rows FROM ${table}`))[0]?.rows ?? -1;

const expectNoPassword = (output: string): void => {
  for (const password of world.passwords) expect(output).not.toContain(password);
};

test('the Procfile starts what these tests start', async () => {
  expect(await readFile(`${slug}/Procfile`, 'utf8')).toBe(`web: ${COMMAND}\n`);
});

test('on PostgreSQL as the owner: it is ready, over TLS, and its smoke suite passes and leaves nothing', async () => {
  const web = await start({ DATABASE_URL: database.url });
  expect(await ask(`${web.url}/ready`)).toEqual({
    status: 200,
    body: {
      status: 'ready',
      dialect: 'postgresql',
      current_user: database.owner,
      revision: '0002_paper_orders',
      tables: 37,
    },
  });
  expect(await sessionsOf(database.owner)).toEqual([{ name: 'raptor-web', tls: true }]);

  const passed = await smoke(web.url, { SMOKE_EXPECT_USER: database.owner });
  expect([passed.code, passed.output]).toEqual([0, expect.stringContaining('ok   live orders refused')]);
  expect(await rowsOf('paper_orders')).toBe(0);

  const asSomebodyElse = await smoke(web.url, { SMOKE_EXPECT_USER: 'somebody_else' });
  expect([asSomebodyElse.code, asSomebodyElse.output]).toEqual([1, expect.stringContaining('FAIL database role')]);
  expect((await smoke(web.url, { SMOKE_EXPECT_DIALECT: 'sqlite' })).code).toBe(1);

  expect(await web.stop()).toBe(0);
  expect(web.output()).toMatch(/^POST \/paper-orders\/round-trip 200 \d+ms$/m);
  expectNoPassword(web.output() + passed.output);
  expect(await sessionsOf(database.owner)).toEqual([]);
});

test('it answers what is wrong in its own words, and logs no query string', async () => {
  const web = await start({ DATABASE_URL: database.url, HEROKU_SLUG_COMMIT: 'abc123' });
  const email = 'Somebody@Example.com';
  expect(await ask(`${web.url}/orders`, { symbol: 'X' })).toEqual({
    status: 403,
    body: { error: 'live_orders_refused' },
  });
  expect(await ask(`${web.url}/signup`, { email })).toMatchObject({ status: 201 });
  expect(await ask(`${web.url}/signup`, { email })).toMatchObject({ status: 409, body: { error: 'email_taken' } });
  expect(await ask(`${web.url}/signup`, { email: 'nobody' })).toMatchObject({ status: 400 });
  expect(await ask(`${web.url}/signup`, ['x'])).toMatchObject({ status: 400 });
  expect(await rowsOf('customers')).toBe(1);
  expect(await rowsOf('audit_events')).toBe(1);
  expect(await ask(`${web.url}/nowhere?token=hidden`)).toMatchObject({ status: 404 });
  expect(await ask(`${web.url}/health`, {})).toMatchObject({ status: 405 });
  expect(await ask(`${web.url}/version`)).toEqual({
    status: 200,
    body: { commit: 'abc123', role_separation: false },
  });
  const notJson = await fetch(`${web.url}/signup`, { method: 'POST', body: '{' });
  expect(notJson.status).toBe(400);
  const tooLarge = await fetch(`${web.url}/signup`, { method: 'POST', body: 'x'.repeat(65_537) });
  expect(tooLarge.status).toBe(413);
  await web.stop();
  expect(web.output()).toMatch(/^GET \/nowhere 404 \d+ms$/m);
  expect(web.output()).not.toMatch(/hidden|example/i);
});

test('with the flag it is the restricted role, and nobody is the owner', async () => {
  await world.withRole(database, 'raptor_app', async (roleUrl) => {
    const web = await start({ DATABASE_URL: database.url, RAPTOR_APP_DATABASE_URL: roleUrl, [FLAG]: '1' });
    // Before the grants it lives, and the suite says what is missing.
    expect((await ask(`${web.url}/ready`)).body).toMatchObject({ current_user: 'raptor_app', revision: null });
    const early = await smoke(web.url, { SMOKE_EXPECT_USER: 'raptor_app' });
    expect([early.code, early.output]).toEqual([1, expect.stringMatching(/FAIL revision[^]*FAIL paper order/)]);

    for (const statement of readMatrix('raptor', await readFile(MATRIX, 'utf8')).statements) {
      await world.query(database.url, statement);
    }
    const passed = await smoke(web.url, { SMOKE_EXPECT_USER: 'raptor_app' });
    expect([passed.code, passed.output]).toEqual([0, expect.stringContaining('0002_paper_orders')]);
    expect((await ask(`${web.url}/ready`)).body).toMatchObject({ current_user: 'raptor_app', tables: 37 });
    expect(await ask(`${web.url}/signup`, { email: 'as-role@example.com' })).toMatchObject({ status: 201 });
    expect((await sessionsOf('raptor_app')).length).toBeGreaterThan(0);
    expect(await sessionsOf(database.owner)).toEqual([]);
    expect(await web.stop()).toBe(0);
    expectNoPassword(web.output() + early.output + passed.output);
  });
});

test('with the flag and without the URL it does not start, nor with one that cannot be read', async () => {
  const missing = await world.run(slug, COMMAND, { PORT: '0', DATABASE_URL: database.url, [FLAG]: '1' });
  expect([missing.code, missing.output]).toEqual([
    1,
    expect.stringContaining('RAPTOR_APP_DATABASE_URL is not set. Attach the restricted credential'),
  ]);
  const broken = await world.run(slug, COMMAND, {
    PORT: '0',
    RAPTOR_APP_DATABASE_URL: 'postgres://x:s3cret@host:p0rt/name',
    [FLAG]: '1',
  });
  expect(broken.code).toBe(1);
  expect(broken.output).not.toMatch(/s3cret|p0rt|Traceback/);
});

test('without DATABASE_URL, or with an empty one, it serves from SQLite', async () => {
  const dir = await world.slug({ app: 'raptor' });
  const web = await start({}, dir);
  expect((await ask(`${web.url}/ready`)).body).toMatchObject({ dialect: 'sqlite', revision: null, tables: 0 });
  expect(await ask(`${web.url}/paper-orders/round-trip`, {})).toMatchObject({ status: 500 });

  await world.alembic(dir, 'upgrade head', '');
  expect((await ask(`${web.url}/ready`)).body).toEqual({
    status: 'ready',
    dialect: 'sqlite',
    current_user: null,
    revision: '0002_paper_orders',
    tables: 37,
  });
  const passed = await smoke(web.url, { SMOKE_EXPECT_DIALECT: 'sqlite' });
  expect([passed.code, passed.output]).toEqual([0, expect.stringContaining('ok   paper order')]);
  expect((await smoke(web.url)).output).toContain('FAIL dialect: sqlite, expected postgresql');
  await web.stop();

  // As the kill switch sets it: another file, as empty as a new dyno's, and the app makes its tables in it.
  const killed = await start({ DATABASE_URL: SQLITE }, dir);
  expect((await ask(`${killed.url}/ready`)).body).toMatchObject({ dialect: 'sqlite', revision: '0002_paper_orders' });
  expect((await smoke(killed.url, { SMOKE_EXPECT_DIALECT: 'sqlite' })).code).toBe(0);
  await killed.stop();
  const pragmas = await world.run(
    dir,
    `python -c "
from backend_v2.db.engine import init_engine
with init_engine().connect() as connection:
    print(*(connection.exec_driver_sql('PRAGMA ' + name).scalar() for name in ('foreign_keys', 'journal_mode')))
"`,
  );
  expect(pragmas.stdout.trim()).toBe('1 wal');
});

test('its self-check reads and writes on SQLite, and takes no other database for it', async () => {
  const check = (env: Record<string, string>, dir = slug) => world.run(dir, 'python -m backend_v2.selfcheck', env);
  const passed = await check({ DATABASE_URL: SQLITE }, await world.slug({ app: 'raptor' }));
  expect([passed.code, passed.output]).toEqual([
    0,
    expect.stringContaining("round_trip_paper_order: 200 {'round_trip': True"),
  ]);
  const onPostgres = await check({ DATABASE_URL: database.url });
  expect([onPostgres.code, onPostgres.output]).toEqual([1, expect.stringContaining('the database is postgresql')]);
  const readOnly = await check({ DATABASE_URL: 'sqlite+pysqlite:////proc/none.db' });
  expect([readOnly.code, readOnly.output]).toEqual([1, expect.not.stringContaining('Traceback')]);
});

test('with the database away it lives, is not ready, and repeats no secret', async () => {
  const away = `postgres://someone:s3cret@127.0.0.1:${await freePort()}/nothing`;
  const web = await start({ DATABASE_URL: away });
  expect(await ask(`${web.url}/health`)).toMatchObject({ status: 200 });
  expect(await ask(`${web.url}/ready`)).toEqual({ status: 503, body: { error: 'database_unreachable' } });
  expect(await ask(`${web.url}/paper-orders/round-trip`, {})).toMatchObject({ status: 503 });
  await web.stop();
  expect(web.output()).not.toContain('s3cret');
});

test('sessions that were ended under it are replaced without a failed request', async () => {
  const web = await start({ DATABASE_URL: database.url });
  expect((await ask(`${web.url}/ready`)).status).toBe(200);
  await world.query(
    database.url,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'raptor-web'",
  );
  expect((await ask(`${web.url}/ready`)).status).toBe(200);
  await web.stop();
});

test('the smoke suite waits for an app that is starting, and fails when none comes', async () => {
  const nobody = smoke(`http://127.0.0.1:${await freePort()}`, { SMOKE_PATIENCE_S: '2' });
  const web = await start({ DATABASE_URL: database.url });
  await web.stop();
  const waiting = smoke(web.url);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const again = await world.run(slug, `python -m backend_v2.app & smoke=$!; sleep 5; kill $smoke; wait $smoke`, {
    DATABASE_URL: database.url,
    PORT: new URL(web.url).port,
  });
  expect(again.code).toBe(0);
  expect((await waiting).code).toBe(0);
  const failed = await nobody;
  expect([failed.code, failed.output]).toEqual([1, expect.stringContaining('FAIL health: status None')]);
});

test('a request under way is answered before the process ends', async () => {
  const web = await start({ DATABASE_URL: database.url });
  const holder = new pg.Client({ connectionString: database.url, ssl: { rejectUnauthorized: false } });
  await holder.connect();
  await holder.query('BEGIN; LOCK TABLE paper_orders IN ACCESS EXCLUSIVE MODE');
  const answer = ask(`${web.url}/paper-orders/round-trip`, {});
  await eventually(
    async () => (await world.query(database.url, 'SELECT FROM pg_locks WHERE NOT granted')).length,
    (waiting) => waiting > 0,
  );
  const code = web.stop();
  await holder.query('COMMIT');
  await holder.end();
  expect([await code, (await answer).status]).toEqual([0, 200]);
});
