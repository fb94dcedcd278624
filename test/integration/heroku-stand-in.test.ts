import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startHeroku, type ApiRequest, type HerokuStandIn } from '../../rehearsal/heroku/index.ts';
import { startPostgres, type RehearsalPostgres } from '../../rehearsal/postgres.ts';
import {
  clientOf,
  eventually,
  isRunning,
  rendezvous,
  removeFolder,
  sqlState,
  systemPythonBin,
  tinySlug,
  withDatabase,
} from './heroku-client.ts';

const APP = 'shop-api';
const OTHER = 'shop-worker';

let workDir: string;
let postgres: RehearsalPostgres;
let heroku: HerokuStandIn;
let call: ReturnType<typeof clientOf>;
let intercept: ((request: ApiRequest) => { status: number; body: unknown } | undefined) | undefined;
const folders: string[] = [];
const lines: string[] = [];

async function slug(procfile?: string): Promise<{ dir: string; commit: string }> {
  const made = await tinySlug(procfile);
  folders.push(made.dir);
  return made;
}

beforeAll(async () => {
  process.env.SECRET_OF_THE_HOST = 'must not reach a dyno';
  workDir = await mkdtemp(join(tmpdir(), 'heroku-test-'));
  folders.push(workDir);
  postgres = await startPostgres({ dir: join(workDir, 'postgres') });
  heroku = await startHeroku({
    postgres,
    workDir,
    pythonBin: systemPythonBin(),
    log: (line) => lines.push(line),
    intercept: async (request) => intercept?.(request),
  });
  call = clientOf(heroku);
  await heroku.createApp({ name: APP, slug: await slug(), configVars: { GREETING: 'hello' } });
  await heroku.createAddon({ app: APP, name: 'shop-db', plan: 'standard-0' });
  await heroku.createAddon({ app: APP, name: 'shop-old-db', plan: 'essential-0' });
  await heroku.createApp({ name: OTHER, slug: await slug(), web: 0 });
});

afterAll(async () => {
  await heroku?.stop();
  await postgres?.stop();
  for (const folder of folders) await removeFolder(folder);
});

const config = async (app = APP): Promise<Record<string, string>> =>
  (await call('GET', `/apps/${app}/config-vars`)).body;
const setConfig = (vars: Record<string, string | null>, app = APP) => call('PATCH', `/apps/${app}/config-vars`, vars);
const dynos = async (app = APP): Promise<any[]> => (await call('GET', `/apps/${app}/dynos`)).body;
const attachments = async (): Promise<any[]> => (await call('GET', `/apps/${APP}/addon-attachments`)).body;
const attachAs = (name: string, extra: object = {}, addon = 'shop-db', app = APP) =>
  call('POST', '/addon-attachments', { addon: { name: addon }, app: { name: app }, name, ...extra });
const newestRelease = async (app = APP): Promise<any> => {
  const range = { range: 'version ..; order=desc,max=1' };
  return (await call('GET', `/apps/${app}/releases`, undefined, range)).body[0];
};
const shown = async (app = APP): Promise<any> => {
  const response = await fetch(heroku.webUrl(app));
  return response.status === 200 ? response.json() : { status: response.status };
};
const credentialsOf = (addon: string) => `/postgres/v0/databases/${addon}/credentials`;
const credentialUrl = async (name: string): Promise<string> =>
  (await call('GET', `/addons/shop-db/config/credential:${name}`)).body[0].value;
const run = async (command: string, env: Record<string, string> = {}) => {
  const { status, body } = await call('POST', `/apps/${APP}/dynos`, { attach: true, command, env });
  expect(status).toBe(201);
  return { dyno: body, client: await rendezvous(body.attach_url, heroku.caFile) };
};

describe('the API', () => {
  test('a wrong token is 401, an unknown thing 404 with the id not_found, both in JSON', async () => {
    const wrong = await call('GET', `/apps/${APP}`, undefined, { authorization: 'Bearer wrong' });
    expect([wrong.status, wrong.body.id]).toEqual([401, 'unauthorized']);
    for (const path of ['/apps/unknown', '/nowhere', '/addons/unknown', `/apps/${APP}/dynos/run.1`]) {
      const { status, body, headers } = await call('GET', path);
      expect([path, status, body.id, typeof body.message]).toEqual([path, 404, 'not_found', 'string']);
      expect(headers.get('content-type')).toMatch(/^application\/json/);
    }
  });

  test('Basic with an empty user is for the credential calls of the Data API', async () => {
    const basic = { authorization: `Basic ${Buffer.from(`:${heroku.token}`).toString('base64')}` };
    expect((await call('GET', credentialsOf('shop-db'), undefined, basic)).status).toBe(200);
    expect((await call('GET', `/apps/${APP}`, undefined, basic)).status).toBe(401);
  });

  test('an answer tells what is left of the allowance, and 429 comes when nothing is', async () => {
    const first = Number((await call('GET', '/account')).headers.get('ratelimit-remaining'));
    const second = Number((await call('GET', '/account')).headers.get('ratelimit-remaining'));
    expect(second).toBeLessThan(first);
    expect(heroku.requests.at(-1)).toMatchObject({ path: '/account', status: 200, remaining: second });
    heroku.settings.rateLimit = 0;
    const refused = await call('GET', '/account');
    expect([refused.status, refused.body.id, refused.headers.get('ratelimit-remaining')]).toEqual([
      429,
      'rate_limit',
      '0',
    ]);
    expect(heroku.requests.at(-1)).toMatchObject({ status: 429, remaining: 0 });
    Object.assign(heroku.settings, { rateLimit: 4_500, rateRefillPerMinute: 60 * 60 * 4_500 });
    await eventually(
      async () => (await call('GET', '/account')).status,
      (status) => status === 200,
    );
    heroku.settings.rateRefillPerMinute = 75;
  });

  test('an intercept answers in place of the handler', async () => {
    intercept = ({ method, path }) => (`${method} ${path}` === 'GET /account' ? { status: 503, body: {} } : undefined);
    expect((await call('GET', '/account')).status).toBe(503);
    intercept = undefined;
    expect((await call('GET', '/account')).status).toBe(200);
  });

  test('a part of the releases is 206 and says where the next part begins', async () => {
    const path = `/apps/${APP}/releases`;
    const part = await call('GET', path, undefined, { range: 'version ..; max=2, order=desc' });
    expect(part.status).toBe(206);
    const [newest, second] = part.body;
    expect(newest.version).toBe(second.version + 1);
    expect([newest.current, second.current]).toEqual([true, false]);
    const next = await call('GET', path, undefined, { range: String(part.headers.get('next-range')) });
    expect(next.body[0].version).toBe(second.version - 1);
    const all = await call('GET', path);
    expect([all.status, all.body[0].version]).toEqual([200, 1]);
    expect((await call('GET', `${path}/${newest.id}`)).body).toEqual(newest);
  });

  test('a release leads to its slug, and the slug to its commit', async () => {
    const release = await newestRelease();
    const { body } = await call('GET', `/apps/${APP}/slugs/${release.slug.id}`);
    expect(body.commit).toMatch(/^[0-9a-f]{40}$/);
    expect(body.process_types).toEqual({ web: 'python3 web.py' });
  });

  test('RESOLVE finds by attachment, variable and add-on, always as a list', async () => {
    const resolve = (wanted: string) =>
      call('POST', '/actions/addon-attachments/resolve', { addon_attachment: wanted, app: APP });
    for (const wanted of ['DATABASE', 'DATABASE_URL', 'shop-db']) {
      const { status, body } = await resolve(wanted);
      expect([wanted, status, body.length]).toEqual([wanted, 200, 1]);
      expect(body[0]).toMatchObject({
        name: 'DATABASE',
        namespace: null,
        config_vars: ['DATABASE_URL'],
        app: { name: APP },
        addon: { name: 'shop-db', app: { name: APP }, plan: { name: 'heroku-postgresql:standard-0' } },
      });
    }
    expect((await resolve('NOTHING')).body.id).toBe('not_found');
  });
});

describe('config vars and attachments', () => {
  test('the value begins with postgres:// and carries no sslmode', async () => {
    const { DATABASE_URL } = await config();
    expect(DATABASE_URL).toMatch(/^postgres:\/\/\w+:\w+@127\.0\.0\.1:\d+\/\w+$/);
  });

  test('an attachment value can be neither overwritten nor unset, and nothing else of that request is done', async () => {
    for (const value of ['sqlite+pysqlite:///./raptor.db', null]) {
      const before = await config();
      const { status, body } = await setConfig({ DATABASE_URL: value, GREETING: 'other' });
      expect(status).toBe(422);
      expect(body.message).toBe('Cannot overwrite attachment values DATABASE_URL.');
      expect(await config()).toEqual(before);
    }
  });

  test('several variables are set and unset in one release', async () => {
    const before = await newestRelease();
    await setConfig({ ONE: '1', TWO: '2' });
    await setConfig({ ONE: null, TWO: null, THREE: '3' });
    expect(await newestRelease()).toMatchObject({
      version: before.version + 2,
      status: 'succeeded',
      current: true,
      description: 'Set THREE and Remove ONE, TWO config vars',
    });
    expect(Object.keys(await config())).not.toContain('ONE');
  });

  test('the last attachment cannot be detached; another one can, and its variable goes', async () => {
    const [database] = (await attachments()).filter(({ name }) => name === 'DATABASE');
    const last = await call('DELETE', `/addon-attachments/${database.id}`);
    expect(last.status).toBe(422);
    expect(last.body.message).toBe('Cannot destroy last attachment to billing app for resource shop-db');

    const second = await attachAs('SPARE');
    expect(second.status).toBe(201);
    expect(await config()).toMatchObject({ SPARE_URL: (await config()).DATABASE_URL });
    expect((await newestRelease()).description).toBe('Attach SPARE (@ref:shop-db)');
    expect((await call('DELETE', `/addon-attachments/${second.body.id}`)).status).toBe(200);
    expect((await newestRelease()).description).toBe('Detach SPARE (@ref:shop-db)');
    expect(Object.keys(await config())).not.toContain('SPARE_URL');
  });

  test('the way back to a variable set by hand: attach elsewhere, detach, set; and the way there', async () => {
    const spare = await attachAs('SPARE');
    const [database] = (await attachments()).filter(({ name }) => name === 'DATABASE');
    expect((await call('DELETE', `/addon-attachments/${database.id}`)).status).toBe(200);
    expect((await setConfig({ DATABASE_URL: 'sqlite+pysqlite:///./shop.db' })).status).toBe(200);

    expect((await attachAs('DATABASE')).status).toBe(422);
    heroku.settings.attachOverHandSet = 'replace';
    expect((await attachAs('DATABASE')).status).toBe(201);
    heroku.settings.attachOverHandSet = 'refuse';
    expect((await config()).DATABASE_URL).toMatch(/^postgres:/);
    await call('DELETE', `/addon-attachments/${spare.body.id}`);
  });

  test('promote: a name in use wants confirm, and the old database must keep another attachment', async () => {
    const unconfirmed = await attachAs('DATABASE', {}, 'shop-old-db');
    expect([unconfirmed.status, unconfirmed.body.id]).toEqual([423, 'confirmation_required']);
    expect((await attachAs('DATABASE', { confirm: APP }, 'shop-old-db')).status).toBe(422);

    const alias = await call('POST', '/addon-attachments', { addon: { name: 'shop-db' }, app: { name: APP } });
    expect(alias.body.name).toMatch(/^HEROKU_POSTGRESQL_[A-Z]+$/);
    expect((await attachAs('DATABASE', { confirm: APP }, 'shop-old-db')).status).toBe(201);
    const range = { range: 'version ..; max=2, order=desc' };
    const made = (await call('GET', `/apps/${APP}/releases`, undefined, range)).body;
    expect(made.map(({ description }: any) => description)).toEqual([
      'Attach DATABASE (@ref:shop-old-db)',
      'Detach DATABASE (@ref:shop-db)',
    ]);
    expect((await attachAs('DATABASE', { confirm: APP })).status).toBe(201);
    await call('DELETE', `/addon-attachments/${alias.body.id}`);
  });
});

describe('credentials', () => {
  test('the owner owns its database, and can create neither roles nor databases', async () => {
    await withDatabase((await config()).DATABASE_URL as string, async (client) => {
      expect(await sqlState(client.query('CREATE TABLE mine (id bigserial PRIMARY KEY)'))).toBe('allowed');
      expect(await sqlState(client.query("CREATE ROLE sneaky LOGIN PASSWORD 'x'"))).toBe('42501');
      expect(await sqlState(client.query('CREATE DATABASE sneaky'))).toBe('42501');
      const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
      expect(rows).toEqual([{ ssl: true }]);
    });
  });

  test('one add-on has no way into the database of another, nor into the shared ones', async () => {
    const url = new URL((await config()).DATABASE_URL as string);
    const other = (await attachments()).find(({ addon }) => addon.name === 'shop-old-db');
    const theirs = new URL((await config())[`${other.name}_URL`] as string).pathname;
    for (const database of [theirs, '/postgres', '/template1']) {
      url.pathname = database;
      expect(await sqlState(withDatabase(url.href, async () => undefined))).toBe('42501');
    }
  });

  test('Essential refuses a custom credential', async () => {
    const { status, body } = await call('POST', credentialsOf('shop-old-db'), { name: 'shop_app' });
    expect(status).toBe(422);
    expect(body.message).toBe("You can't create a custom credential on Essential-tier databases.");
  });

  test('a new one is provisioning, then active, and has no access to public until it is granted', async () => {
    const made = await call('POST', credentialsOf('shop-db'), { name: 'shop_app' });
    expect([made.status, made.body.state]).toEqual([201, 'provisioning']);
    expect((await call('GET', '/addons/shop-db/config/credential:shop_app')).body).toEqual([]);
    expect((await attachAs('SHOP_APP_DATABASE', { namespace: 'credential:shop_app' })).status).toBe(422);
    expect((await call('POST', credentialsOf('shop-db'), { name: 'shop_app' })).status).toBe(422);
    await eventually(
      async () => (await call('GET', `${credentialsOf('shop-db')}/shop_app`)).body,
      ({ state, credentials }) => state === 'active' && credentials[0].state === 'active',
    );

    const attached = await attachAs('SHOP_APP_DATABASE', { namespace: 'credential:shop_app' });
    expect([attached.status, attached.body.namespace]).toEqual([201, 'credential:shop_app']);
    const url = (await config()).SHOP_APP_DATABASE_URL as string;
    expect(url).toBe(await credentialUrl('shop_app'));
    const refusals = await withDatabase(url, async (client) => [
      (await client.query('SELECT current_user')).rows[0].current_user,
      await sqlState(client.query('SELECT * FROM public.mine')),
      await sqlState(client.query('CREATE TABLE public.yours ()')),
      await sqlState(client.query('CREATE TEMPORARY TABLE yours ()')),
    ]);
    expect(refusals).toEqual(['shop_app', '42501', '42501', '42501']);

    await withDatabase((await config()).DATABASE_URL as string, async (client) => {
      await client.query('GRANT USAGE ON SCHEMA public TO shop_app');
      await client.query('GRANT SELECT ON mine TO shop_app');
      await client.query('ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO shop_app');
    });
    expect(await withDatabase(url, (client) => sqlState(client.query('SELECT * FROM public.mine')))).toBe('allowed');
  });

  test('a rotation keeps a second user name for a while, updates every app, and runs no release command', async () => {
    await attachAs('SHOP_APP_DATABASE', { namespace: 'credential:shop_app' }, 'shop-db', OTHER);
    const before = await newestRelease(OTHER);
    const old = (await config()).SHOP_APP_DATABASE_URL as string;
    expect((await call('POST', `${credentialsOf('shop-db')}/shop_app/credentials_rotation`, {})).status).toBe(200);
    const during = (await call('GET', `${credentialsOf('shop-db')}/shop_app`)).body;
    expect(during.state).toBe('rotating');
    expect(during.credentials.map(({ state }: any) => state)).toEqual(['revoking', 'active']);
    const temporary = (await config()).SHOP_APP_DATABASE_URL as string;
    await withDatabase(temporary, async (client) => {
      const { rows } = await client.query(
        "SELECT current_user, pg_has_role(current_user, 'shop_app', 'USAGE') AS same",
      );
      expect(rows[0].same).toBe(true);
      expect(rows[0].current_user).toBe(during.credentials[1].user);
      expect(await sqlState(client.query('SELECT * FROM public.mine'))).toBe('allowed');
    });
    await eventually(
      async () => (await call('GET', `${credentialsOf('shop-db')}/shop_app`)).body.state,
      (state) => state === 'active',
    );
    const fresh = (await config()).SHOP_APP_DATABASE_URL as string;
    expect(new URL(fresh).username).toBe('shop_app');
    expect((await config(OTHER)).SHOP_APP_DATABASE_URL).toBe(fresh);
    expect((await newestRelease(OTHER)).version).toBe(before.version + 2);
    expect((await newestRelease(OTHER)).user.email).toMatch(/^heroku-postgresql@/);
    expect(await sqlState(withDatabase(old, async () => undefined))).toBe('28P01');
    const [attachment] = (await call('GET', `/apps/${OTHER}/addon-attachments`)).body;
    expect((await call('DELETE', `/addon-attachments/${attachment.id}`)).status).toBe(200);
  });

  test('the default one is rotated at once, and its sessions end', async () => {
    const old = (await config()).DATABASE_URL as string;
    const lost = await withDatabase(old, async (client) => {
      await call('POST', `${credentialsOf('shop-db')}/default/credentials_rotation`, {});
      return sqlState(client.query('SELECT 1'));
    });
    expect(lost).not.toBe('allowed');
    expect((await config()).DATABASE_URL).not.toBe(old);
    expect(await sqlState(withDatabase((await config()).DATABASE_URL as string, async () => 1))).toBe('allowed');
  });

  test('it is destroyed only when detached everywhere, and what it owned goes to the default one', async () => {
    const path = `${credentialsOf('shop-db')}/shop_app`;
    const attached = await call('DELETE', path);
    expect(attached.status).toBe(422);
    expect(attached.body.message).toMatch(`must be detached from the app ${APP} before destroying`);

    const owner = (await config()).DATABASE_URL as string;
    await withDatabase(owner, (client) => client.query('CREATE SCHEMA theirs; GRANT ALL ON SCHEMA theirs TO shop_app'));
    await withDatabase((await config()).SHOP_APP_DATABASE_URL as string, (client) =>
      client.query('CREATE TABLE theirs.kept (id int)'),
    );
    const [attachment] = (await attachments()).filter(({ name }) => name === 'SHOP_APP_DATABASE');
    await call('DELETE', `/addon-attachments/${attachment.id}`);
    expect((await call('DELETE', path)).status).toBe(200);
    expect((await call('GET', path)).status).toBe(404);
    await withDatabase(owner, async (client) => {
      const { rows } = await client.query(
        `SELECT (SELECT tableowner FROM pg_tables WHERE tablename = 'kept') = current_user AS inherited,
                (SELECT count(*)::int FROM pg_roles WHERE rolname = 'shop_app') AS roles,
                (SELECT count(*)::int FROM pg_default_acl) AS defaults`,
      );
      expect(rows).toEqual([{ inherited: true, roles: 0, defaults: 0 }]);
    });
    expect((await call('DELETE', `${credentialsOf('shop-db')}/default`)).status).toBe(422);
  });
});

describe('dynos', () => {
  test('a web dyno runs the Procfile with the config vars, at a stable address, and nothing of the host', async () => {
    const seen = await eventually(shown, ({ pid }) => pid !== undefined);
    expect(seen).toMatchObject({ GREETING: 'hello', DYNO: 'web.1', SECRET_OF_THE_HOST: null, database: 'postgres' });
    expect((await dynos())[0]).toMatchObject({ name: 'web.1', type: 'web', state: 'up' });
  });

  test('a config change and a restart each bring a new dyno on a fresh copy of the slug', async () => {
    let before = await eventually(shown, ({ pid }) => pid !== undefined);
    for (const change of [
      () => setConfig({ GREETING: `hello ${Date.now()}` }),
      () => call('DELETE', `/apps/${APP}/dynos`),
      () => call('DELETE', `/apps/${APP}/formations/web`),
      () => call('DELETE', `/apps/${APP}/dynos/web.1`),
      () => call('POST', `/apps/${APP}/dynos/web.1/actions/stop`),
    ]) {
      const [old] = await dynos();
      const asked = new Date().toISOString();
      expect((await change()).status).toBeLessThan(300);
      const after = await eventually(shown, ({ pid }) => pid !== undefined && pid !== before.pid);
      expect(after.files).not.toContain('left-behind');
      const [dyno] = await eventually(dynos, ([one]) => one?.state === 'up');
      expect(dyno.id).not.toBe(old.id);
      expect(dyno.created_at >= asked).toBe(true);
      expect(dyno.release.version).toBe((await newestRelease()).version);
      before = after;
    }
  });

  test('a crashed web dyno is listed as crashed, and comes back', async () => {
    heroku.settings.crashBackoffMs = 400;
    const before = await eventually(shown, ({ pid }) => pid !== undefined);
    await fetch(`${heroku.webUrl(APP)}/exit`);
    await eventually(dynos, ([one]) => one?.state === 'crashed');
    expect((await shown()).status).toBe(503);
    await eventually(shown, ({ pid }) => pid !== undefined && pid !== before.pid);
  });

  test('503 in HTML in maintenance and at zero web dynos', async () => {
    await eventually(shown, ({ pid }) => pid !== undefined);
    await call('PATCH', `/apps/${APP}`, { maintenance: true });
    const response = await fetch(heroku.webUrl(APP));
    expect([response.status, response.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
    await call('PATCH', `/apps/${APP}`, { maintenance: false });
    expect((await shown()).DYNO).toBe('web.1');
    const scaled = await call('PATCH', `/apps/${APP}/formation`, { updates: [{ type: 'web', quantity: '0' }] });
    expect(scaled.body[0]).toMatchObject({ type: 'web', quantity: 0 });
    expect((await shown()).status).toBe(503);
    expect(await dynos()).toEqual([]);
    await call('PATCH', `/apps/${APP}/formation/web`, { quantity: 1 });
    await eventually(shown, ({ pid }) => pid !== undefined);
  });

  test('a one-off dyno by rendezvous, asked for its exit status as the official CLI asks', async () => {
    const tail = ' ; echo "\uFFFF heroku-command-exit-status: $?"';
    const { dyno, client } = await run(`echo out; echo err >&2; echo $ONLY; (exit 3)${tail}`, { ONLY: 'here' });
    expect(dyno).toMatchObject({ type: 'run', state: 'starting', name: expect.stringMatching(/^run\.\d+$/) });
    expect(await client.closed).toBe('out\nerr\nhere\n\uFFFF heroku-command-exit-status: 3\n');
    await eventually(dynos, (all) => all.every(({ name }) => name !== dyno.name));
  });

  test('input goes through until byte 0x04', async () => {
    const { client } = await run('cat; echo end');
    client.send('one\ntwo\n\u0004ignored');
    expect(await client.closed).toBe('one\ntwo\nend\n');
  });

  test('it ends when its client disconnects, with everything it started', async () => {
    const { dyno, client } = await run('sleep 300 & echo $! && trap "" HUP && sleep 301');
    await eventually(
      async () => client.output(),
      (text) => /\d+\n/.test(text),
    );
    const background = Number(client.output());
    client.leave();
    await eventually(dynos, (all) => all.every(({ name }) => name !== dyno.name));
    await eventually(
      async () => isRunning(background),
      (running) => !running,
    );
  });

  test('a restart of all dynos ends a one-off dyno too, and its client learns no status', async () => {
    const { client } = await run('echo begun; sleep 300 ; echo "\uFFFF heroku-command-exit-status: $?"');
    await eventually(
      async () => client.output(),
      (text) => text.includes('begun'),
    );
    await call('DELETE', `/apps/${APP}/dynos`);
    expect(await client.closed).toBe('begun\n');
  });

  test('a secret is good once, and a wrong one is turned away', async () => {
    const { dyno, client } = await run('echo once');
    await client.closed;
    await expect((await rendezvous(dyno.attach_url, heroku.caFile)).closed).rejects.toThrow('undefined');
  });

  test('a detached one runs on by itself, and its output is in the log', async () => {
    const { body } = await call('POST', `/apps/${APP}/dynos`, { attach: false, command: 'sleep 0.3; echo done-it' });
    expect(body.attach_url).toBeNull();
    const states = new Set<string>();
    await eventually(dynos, (all) => {
      const mine = all.find(({ name }) => name === body.name);
      if (mine) states.add(mine.state);
      return !mine;
    });
    expect([...states]).toContain('up');
    expect([...states].at(-1)).toBe('complete');
    const session = await call('POST', `/apps/${APP}/log-sessions`, { dyno: body.name });
    expect(await (await fetch(session.body.logplex_url)).text()).toContain(`app[${body.name}]: done-it`);
  });
});

describe('the release command', () => {
  const RELEASING = 'releasing-app';
  const status = async (): Promise<string> => (await newestRelease(RELEASING)).status;

  test('runs for a change by a user; when it fails the old release keeps serving, though the answer was 200', async () => {
    const procfile = 'release: sleep 0.3; test "$VERSION" != bad\nweb: python3 web.py\n';
    await heroku.createApp({ name: RELEASING, slug: await slug(procfile), configVars: { VERSION: 'good' } });
    await heroku.createAddon({ app: RELEASING, name: 'releasing-db', plan: 'standard-0' });
    const serving = await eventually(
      () => shown(RELEASING),
      ({ database }) => database === 'postgres',
    );
    expect((await call('GET', `/apps/${RELEASING}/formation`)).body).toContainEqual(
      expect.objectContaining({ type: 'release', quantity: 0 }),
    );

    expect((await setConfig({ VERSION: 'bad' }, RELEASING)).status).toBe(200);
    expect(await newestRelease(RELEASING)).toMatchObject({ status: 'pending', current: false });
    await eventually(status, (now) => now === 'failed');
    expect((await config(RELEASING)).VERSION).toBe('bad');
    expect(await shown(RELEASING)).toMatchObject({ VERSION: 'good', pid: serving.pid });
    const { client } = await (async () => {
      const { body } = await call('POST', `/apps/${RELEASING}/dynos`, { attach: true, command: 'echo $VERSION' });
      return { client: await rendezvous(body.attach_url, heroku.caFile) };
    })();
    expect(await client.closed).toBe('good\n');

    await setConfig({ VERSION: 'better' }, RELEASING);
    await eventually(status, (now) => now === 'succeeded');
    await eventually(
      () => shown(RELEASING),
      ({ VERSION }) => VERSION === 'better',
    );
  });

  test('does not run for a change that an add-on makes', async () => {
    await call('POST', `${credentialsOf('releasing-db')}/default/credentials_rotation`, { forced: true });
    expect(await newestRelease(RELEASING)).toMatchObject({ status: 'succeeded', current: true });
    const { version } = await newestRelease(RELEASING);
    const ofIt = (await dynos(RELEASING)).filter(({ release }) => release.version === version);
    expect(ofIt.map(({ type }) => type)).toEqual(['web']);
  });

  test('a deploy answers when the release has settled', async () => {
    const failing = await heroku.deploy(RELEASING, await slug('release: exit 1\nweb: python3 web.py\n'));
    expect(failing.status).toBe('failed');
    const { version, status: settled } = await heroku.deploy(RELEASING, await slug());
    expect([version, settled]).toEqual([failing.version + 1, 'succeeded']);
  });
});

describe('the end', () => {
  test('a whole run has printed none of its secrets', async () => {
    expect(lines.length).toBeGreaterThan(10);
    const printed = JSON.stringify([lines, heroku.requests]);
    const secrets = heroku.secrets();
    expect(secrets).toContain((await config()).DATABASE_URL);
    expect(secrets).toContain(heroku.token);
    for (const secret of secrets) expect(printed.includes(secret)).toBe(false);
    expect(heroku.requests).toContainEqual(
      expect.objectContaining({ method: 'PATCH', path: `/apps/${APP}/config-vars`, status: 422, app: APP }),
    );
  });

  test('stop leaves no process, no port and no folder, in time, with dynos that will not go', async () => {
    const { pid } = await eventually(shown, (seen) => seen.pid !== undefined);
    const { client } = await run('trap "" TERM HUP; echo $$; while :; do sleep 1; done');
    await eventually(
      async () => client.output(),
      (text) => /\d+\n/.test(text),
    );
    const stubborn = Number(client.output());
    const webUrl = heroku.webUrl(APP);
    const began = Date.now();
    await Promise.all([heroku.stop(), heroku.stop()]);
    expect(Date.now() - began).toBeLessThan(5_000);
    await client.closed;
    await sleep(50);
    expect([pid, stubborn].filter(isRunning)).toEqual([]);
    for (const url of [heroku.url, webUrl]) await expect(fetch(url)).rejects.toThrow();
    expect((await readdir(workDir)).filter((name) => name.startsWith('heroku-'))).toEqual([]);
  });
});
