import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { composeSlug, pullRequestFiles } from '../../rehearsal/slugs.ts';
import { readMatrix } from '../../activities/matrix.ts';
import { cascadeClosure, fillEveryTable, readCatalog, tableNames } from './catalog.ts';
import { sqlState } from './heroku-client.ts';
import { AppWorld, ask } from './rehearsed-app.ts';

const read = (path: string): Promise<string> =>
  readFile(fileURLToPath(new URL(`../../rehearsal/${path}`, import.meta.url)), 'utf8');
const WEB = 'sh -c "cd service && exec python main.py"';
const TABLES = ['accounts', 'booking_log', 'currencies', 'entries', 'journals', 'organisations'];

let world: AppWorld;
let slug: string;

beforeAll(async () => {
  world = await AppWorld.start();
  slug = await world.slug({ app: 'ledger' });
});

afterAll(() => world?.stop());

const upgrade = (url: string) => world.run(slug, 'cd service && alembic upgrade head', { DATABASE_URL: url });

test('both apps pin the same packages, so one virtual environment serves both', async () => {
  const pins = (text: string): string[] => text.split('\n').filter((line) => /^\w/.test(line));
  expect(pins(await read('ledger/requirements.txt'))).toEqual(pins(await read('raptor/requirements.txt')));
});

test('its migrations run from their own folder, and everything hangs below organisations', async () => {
  const database = await world.database();
  expect((await upgrade(database.url)).code).toBe(0);
  const client = new pg.Client({ connectionString: database.url, ssl: { rejectUnauthorized: false } });
  await client.connect();
  try {
    expect(await tableNames(client)).toEqual([...TABLES, 'schema_revision'].sort());
    const catalog = await readCatalog(client, 'schema_revision');
    const owned = cascadeClosure(catalog, 'organisations');
    expect([...owned].sort()).toEqual(TABLES.filter((name) => name !== 'currencies'));
    await fillEveryTable(client, catalog);
    await client.query('DELETE FROM organisations');
    for (const name of owned) expect((await client.query(`SELECT FROM ${name}`)).rowCount).toBe(0);
  } finally {
    await client.end();
  }
});

test('it serves from SQLite, then from PostgreSQL as the owner, then as its role', async () => {
  const smoke = (url: string, env: Record<string, string> = {}) =>
    world.run(slug, 'python smoke.py', { SMOKE_BASE_URL: url, ...env });

  const local = await world.web(slug, WEB, '/healthz');
  expect((await ask(`${local.url}/readyz`)).body).toEqual({ database: 'sqlite', role: null, schema_revision: null });
  expect((await upgrade('')).code).toBe(0);
  expect((await smoke(local.url, { SMOKE_EXPECT_DIALECT: 'sqlite' })).code).toBe(0);
  expect(await local.stop()).toBe(0);

  // As the kill switch sets it, in a file that is as empty as a new dyno's.
  const sqlite = { DATABASE_URL: 'sqlite:///killed.db' };
  const checked = await world.run(slug, 'cd service && python selfcheck.py', sqlite);
  expect([checked.code, checked.output]).toEqual([0, expect.stringContaining('booked 1234 cents on sqlite')]);
  const killed = await world.web(slug, WEB, '/healthz', { DATABASE_URL: 'sqlite:///other.db' });
  expect((await smoke(killed.url, { SMOKE_EXPECT_DIALECT: 'sqlite' })).code).toBe(0);
  await killed.stop();

  const database = await world.database();
  await upgrade(database.url);
  expect((await world.run(slug, 'cd service && python selfcheck.py', { DATABASE_URL: database.url })).code).toBe(1);
  const asOwner = await world.web(slug, WEB, '/healthz', { DATABASE_URL: database.url });
  const passed = await smoke(asOwner.url);
  expect([passed.code, passed.output]).toEqual([0, expect.stringContaining('pass: a payout is refused')]);
  await asOwner.stop();

  await world.withRole(database, 'ledger_runtime', async (roleUrl) => {
    const matrix = readMatrix('ledger', await read('ledger/grants.sql')).statements;
    for (const statement of [...matrix, ...matrix]) await world.query(database.url, statement);
    const env = {
      DATABASE_URL: database.url,
      LEDGER_RUNTIME_DATABASE_URL: roleUrl,
      LEDGER_RUNTIME_ROLE: 'on',
    };
    const asRole = await world.web(slug, WEB, '/healthz', env);
    expect((await ask(`${asRole.url}/readyz`)).body).toEqual({
      database: 'postgresql',
      role: 'ledger_runtime',
      schema_revision: '91be0c55d7aa',
    });
    expect((await smoke(asRole.url, { SMOKE_EXPECT_USER: 'ledger_runtime' })).code).toBe(0);
    expect((await smoke(asRole.url, { SMOKE_EXPECT_USER: database.owner })).code).toBe(1);
    for (const refused of [
      'UPDATE schema_revision SET version_num = version_num WHERE false',
      'CREATE TABLE mine (id bigint)',
      'DROP TABLE entries',
      'DELETE FROM booking_log WHERE false',
    ]) {
      expect([refused, await sqlState(world.query(roleUrl, refused))]).toEqual([refused, '42501']);
    }
    await asRole.stop();
    for (const password of world.passwords) expect(asRole.output()).not.toContain(password);

    const without = await world.run(slug, WEB, { PORT: '0', LEDGER_RUNTIME_ROLE: 'on' });
    expect([without.code, without.output]).toEqual([1, expect.stringContaining('LEDGER_RUNTIME_DATABASE_URL')]);
  });
});

test('a slug is the same commit for the same content, and the pull request is another', async () => {
  for (const app of ['raptor', 'ledger'] as const) {
    const compose = async (name: string, withPullRequest: boolean): Promise<string> =>
      (await composeSlug({ app, into: `${world.dir}/${app}-${name}`, withPullRequest })).commit;
    const first = await compose('first', false);
    expect(first).toMatch(/^[0-9a-f]{40}$/);
    expect(await compose('second', false)).toBe(first);
    expect(await compose('merged', true)).not.toBe(first);
    for (const { filename } of pullRequestFiles(app)) await readFile(`${world.dir}/${app}-merged/${filename}`);
    await expect(compose('first', false)).rejects.toThrow('is not empty');
  }
  const brings = (app: 'raptor' | 'ledger', versions: string): boolean =>
    pullRequestFiles(app).some(({ filename }) => filename.startsWith(versions));
  expect(brings('raptor', 'backend_v2/alembic/versions/')).toBe(true);
  expect(brings('ledger', 'service/schema/revisions/')).toBe(false);
});
