import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { eventually, HerokuWorld, sqlState, withDatabase } from './heroku-client.ts';

let world: HerokuWorld;

beforeAll(async () => {
  world = await HerokuWorld.start({ credentialProvisioningMs: 50, rotationMs: 1_500 });
});
afterAll(() => world?.stop());

const app = async (name: string, configVars: Record<string, string> = {}): Promise<string> => {
  await world.heroku.createApp({ name, slug: await world.slug(), web: 0, configVars });
  return name;
};
const info = async (addon: string) => world.call('GET', `/client/v11/databases/${addon}`);
const row = (body: any, name: string): string[] | undefined =>
  body.info.find((one: { name: string }) => one.name === name)?.values;
const credentials = (addon: string) => `/postgres/v0/databases/${addon}/credentials`;
const attachmentsOf = async (name: string): Promise<any[]> =>
  (await world.call('GET', `/apps/${name}/addon-attachments`)).body;
const post = (name: string, addon: string, more: object = {}) =>
  world.call('POST', '/addon-attachments', { app: { name }, addon: { name: addon }, ...more });

describe('plans', () => {
  test.each([
    ['essential-0', 20, 422],
    ['essential-1', 20, 422],
    ['essential-2', 40, 422],
    ['standard-0', 120, 201],
    ['standard-2', 400, 201],
    ['premium-0', 120, 201],
  ] as const)('%s: its name, its %i connections, and %i to a credential', async (plan, limit, status) => {
    const name = await app(`app-${plan}`);
    await world.heroku.createAddon({ app: name, name: `db-${plan}`, plan });
    expect((await world.call('GET', `/addons/db-${plan}`)).body.plan.name).toBe(`heroku-postgresql:${plan}`);
    expect(row((await info(`db-${plan}`)).body, 'Connections')).toEqual([`0/${limit}`]);
    const role = `role_${plan.replace('-', '_')}`;
    expect((await world.call('POST', credentials(`db-${plan}`), { name: role })).status).toBe(status);
  });

  test('advanced has another API: the credential calls and pg:info are refused', async () => {
    const name = await app('advanced-app');
    await world.heroku.createAddon({ app: name, name: 'advanced-db', plan: 'advanced' });
    expect((await attachmentsOf(name))[0].addon.plan.name).toBe('heroku-postgresql:advanced');
    for (const answer of [
      await world.call('GET', credentials('advanced-db')),
      await world.call('POST', credentials('advanced-db'), { name: 'anybody' }),
      await info('advanced-db'),
    ]) {
      expect([answer.status, answer.body.message]).toEqual([422, 'This is not available on Advanced-tier databases.']);
    }
  });

  test('a limit on connections that was asked for is kept', async () => {
    const name = await app('narrow-app');
    await world.heroku.createAddon({ app: name, name: 'narrow-db', plan: 'standard-0', connectionLimit: 1 });
    const url = (await world.config(name)).DATABASE_URL as string;
    await withDatabase(url, async () => {
      expect(await sqlState(withDatabase(url, async () => undefined))).toBe('53300');
      expect(row((await info('narrow-db')).body, 'Connections')).toEqual(['1/1']);
    });
  });
});

test('a follower says whom it follows, and takes no writes and no credentials', async () => {
  const name = await app('followed-app');
  await world.heroku.createAddon({ app: name, name: 'leader-db', plan: 'standard-0' });
  await world.heroku.createAddon({ app: name, name: 'follower-db', plan: 'standard-0', follows: 'leader-db' });
  const attached = (await attachmentsOf(name)).map(({ name: as, addon }: any) => `${as} ${addon.name}`);
  expect(attached).toEqual(['DATABASE leader-db', expect.stringMatching(/^HEROKU_POSTGRESQL_[A-Z]+ follower-db$/)]);

  const { body } = await info('follower-db');
  const leader = (await world.call('GET', '/addons/leader-db')).body;
  expect(body.leader).toEqual({ addon_id: leader.id, name: 'leader-db' });
  const address = new URL((await world.config(name)).DATABASE_URL as string);
  expect(body.following).toBe(`postgres://${address.host}${address.pathname}`);
  expect(row(body, 'Following')).toEqual([body.following]);
  const led = (await info('leader-db')).body;
  expect([led.following, led.leader, row(led, 'Following')]).toEqual([null, null, undefined]);
  expect(row(led, 'Followers')).toHaveLength(1);

  const variable = (await attachmentsOf(name))[1].config_vars[0];
  const url = (await world.config(name))[variable] as string;
  expect(await withDatabase(url, (client) => sqlState(client.query('CREATE TABLE mine ()')))).toBe('25006');
  expect(await withDatabase(url, (client) => sqlState(client.query('SELECT 1')))).toBe('allowed');
  expect((await world.call('POST', credentials('follower-db'), { name: 'follower_role' })).status).toBe(422);
  await expect(
    world.heroku.createAddon({ app: name, name: 'x', plan: 'essential-0', follows: 'leader-db' }),
  ).rejects.toThrow('Essential');
});

test('an add-on that two apps share: both are listed, both get a rotated URL', async () => {
  const [owner, guest] = [await app('owning-app'), await app('guest-app')];
  await world.heroku.createAddon({ app: owner, name: 'shared-db', plan: 'standard-0' });
  await world.heroku.attach({ addon: 'shared-db', app: guest, as: 'REPORTS' });
  const listed = (await world.call('GET', '/addons/shared-db/addon-attachments')).body;
  expect(listed.map((one: any) => `${one.app.name} ${one.name} of ${one.addon.app.name}`)).toEqual([
    'owning-app DATABASE of owning-app',
    'guest-app REPORTS of owning-app',
  ]);
  const url = (await world.config(owner)).DATABASE_URL;
  expect((await world.config(guest)).REPORTS_URL).toBe(url);
  expect((await world.newestRelease(guest)).description).toBe('Attach REPORTS (@ref:shared-db)');

  await world.heroku.rotateCredential({ addon: 'shared-db' });
  const rotated = (await world.config(owner)).DATABASE_URL;
  expect(rotated).not.toBe(url);
  expect((await world.config(guest)).REPORTS_URL).toBe(rotated);
});

describe('the pooler', () => {
  test('is attached by the Data API, follows a rotation, and moves with a promotion', async () => {
    const name = await app('pooled-app');
    await world.heroku.createAddon({ app: name, name: 'old-pooled-db', plan: 'standard-0' });
    await world.heroku.createAddon({ app: name, name: 'new-pooled-db', plan: 'standard-0' });
    const path = '/client/v11/databases/old-pooled-db/connection-pooling';
    const made = await world.call('POST', path, { app: name, credential: 'default' });
    expect([made.status, made.body]).toEqual([
      201,
      expect.objectContaining({
        name: 'DATABASE_CONNECTION_POOL',
        namespace: 'connection-pooling:default',
        config_vars: ['DATABASE_CONNECTION_POOL_URL'],
      }),
    ]);
    await world.heroku.rotateCredential({ addon: 'old-pooled-db' });
    const before = await world.config(name);
    expect(before.DATABASE_CONNECTION_POOL_URL).toBe(before.DATABASE_URL);

    // As pg:promote does it: another name for the old database, DATABASE over the old one, and the pooler after it.
    expect((await post(name, 'old-pooled-db', { confirm: name, namespace: null })).status).toBe(201);
    const confirm = { confirm: name };
    expect((await post(name, 'new-pooled-db', { ...confirm, name: 'DATABASE', namespace: null })).status).toBe(201);
    const pooler = { ...confirm, name: 'DATABASE_CONNECTION_POOL', namespace: 'connection-pooling:default' };
    expect((await post(name, 'new-pooled-db', pooler)).status).toBe(201);
    const after = await world.config(name);
    expect(after.DATABASE_URL).not.toBe(before.DATABASE_URL);
    expect(after.DATABASE_CONNECTION_POOL_URL).toBe(after.DATABASE_URL);
    expect(Object.values(after)).toContain(before.DATABASE_URL);
  });

  test('is attached by a test as well, and not on Essential', async () => {
    const name = await app('essential-app');
    await world.heroku.createAddon({ app: name, name: 'essential-db', plan: 'essential-0' });
    await world.heroku.createAddon({ app: name, name: 'bigger-db', plan: 'standard-0' });
    const [as, namespace] = ['DATABASE_CONNECTION_POOL', 'connection-pooling:default'];
    await expect(world.heroku.attach({ addon: 'essential-db', app: name, as, namespace })).rejects.toThrow('Essential');
    await world.heroku.attach({ addon: 'bigger-db', app: name, as, namespace });
    await expect(world.heroku.attach({ addon: 'bigger-db', app: name, as, namespace })).rejects.toThrow('exists');
    await world.heroku.attach({ addon: 'bigger-db', app: name, as, namespace, overwrite: true });
    expect((await attachmentsOf(name)).filter((one) => one.namespace === namespace)).toHaveLength(1);
  });
});

test('a URL that was set by hand: an add-on comes beside it; it is unset first, and then DATABASE attached', async () => {
  const name = await app('hand-set-app', { DATABASE_URL: 'sqlite+pysqlite:///./raptor.db' });
  await world.heroku.createAddon({ app: name, name: 'kept-db', plan: 'standard-0' });
  expect((await attachmentsOf(name))[0].name).toMatch(/^HEROKU_POSTGRESQL_/);
  const promote = () => post(name, 'kept-db', { name: 'DATABASE', confirm: name });
  expect((await promote()).status).toBe(422);
  expect((await world.setConfig(name, { DATABASE_URL: null })).status).toBe(200);
  expect((await promote()).status).toBe(201);
  expect((await world.config(name)).DATABASE_URL).toMatch(/^postgres:/);
});

test('while a rotation is on, sessions of either name go on, and the list shows both', async () => {
  const name = await app('rotating-app');
  await world.heroku.createAddon({ app: name, name: 'rotating-db', plan: 'standard-0' });
  await world.call('POST', credentials('rotating-db'), { name: 'rotating_role' });
  const listed = async () =>
    (await world.call('GET', credentials('rotating-db'))).body.find((one: any) => one.name === 'rotating_role');
  await eventually(listed, ({ state }) => state === 'active');
  const namespace = 'credential:rotating_role';
  await world.heroku.attach({ addon: 'rotating-db', app: name, as: 'ROTATING', namespace });

  const session = async (): Promise<pg.Client> => {
    const connectionString = (await world.config(name)).ROTATING_URL as string;
    const client = new pg.Client({ connectionString, ssl: { rejectUnauthorized: false } });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const userOf = async (client: pg.Client) => (await client.query('SELECT current_user AS name')).rows[0].name;
  const old = await session();
  await world.heroku.rotateCredential({ addon: 'rotating-db', name: 'rotating_role' });
  const fresh = await session();
  const users = [await userOf(old), await userOf(fresh)];
  expect(users).toEqual(['rotating_role', expect.stringMatching(/^rotating_role_rotation_/)]);
  const during = await listed();
  expect(during.state).toBe('rotating');
  expect(during.credentials.map(({ user, state }: any) => [user, state])).toEqual([
    [users[0], 'revoking'],
    [users[1], 'active'],
  ]);
  await eventually(listed, ({ state }) => state === 'active');
  expect((await listed()).credentials).toHaveLength(1);
  expect(await sqlState(old.query('SELECT 1'))).not.toBe('allowed');
  await Promise.allSettled([old.end(), fresh.end()]);
});

test('a backup is asked for, runs, and is listed as completed; one that fails, and one that goes on, are listed too', async () => {
  const name = await app('backed-up-app');
  await world.heroku.createAddon({
    app: name,
    name: 'backed-up-db',
    plan: 'standard-0',
    attachAs: 'HEROKU_POSTGRESQL_RED',
  });
  const asked = await world.call('POST', '/client/v11/databases/backed-up-db/backups');
  expect([asked.status, asked.body.num, asked.body.from_name]).toEqual([201, 1, 'RED']);
  expect(world.heroku.captureBackup({ app: name, addon: 'backed-up-db', end: 'failed' })).toBe('b002');
  world.heroku.captureBackup({ app: name, addon: 'backed-up-db', end: 'running' });
  const listed = await eventually(
    async () => (await world.call('GET', `/client/v11/apps/${name}/transfers`)).body as any[],
    (all) => all[0].finished_at !== null && all[1].finished_at !== null,
  );
  expect(listed.map((one) => [one.succeeded, one.from_type, one.to_type, one.finished_at !== null])).toEqual([
    [true, 'pg_dump', 'gof3r', true],
    [false, 'pg_dump', 'gof3r', true],
    [null, 'pg_dump', 'gof3r', false],
  ]);
  expect((await world.call('GET', `/client/v11/apps/${name}/transfers/9`)).status).toBe(404);
});
