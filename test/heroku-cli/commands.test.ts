import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor } from '../../rehearsal/apps.ts';
import { startPlatform, type Platform } from '../../rehearsal/platform.ts';
import { scenarios } from '../../rehearsal/scenarios.ts';
import { clientOf, eventually, sqlState, withDatabase } from '../integration/heroku-client.ts';
import { openShell, type Said, type Shell } from './cli.ts';

// One story on one platform, since each start of the CLI takes a second or two: Raptor on Essential-0 with a Standard-0
// beside it, and a second app that comes to share the database and has a release command.

const app = raptor.herokuApp;
const reader = 'raxx-reports';
const readerRuns = 'the release command has run';

let dir: string;
let platform: Platform;
let shell: Shell;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'heroku-cli-'));
  platform = await startPlatform({ dir, pythonBin: process.env['RC_TEST_PYTHON_BIN'] ?? '' });
  const slug = path.join(dir, 'reports');
  await mkdir(slug);
  await writeFile(
    path.join(slug, 'Procfile'),
    `web: python3 -m http.server $PORT --bind 127.0.0.1\nrelease: echo ${readerRuns}\n`,
  );
  await platform.heroku.createApp({ name: reader, slug: { dir: slug, commit: '5'.repeat(40) } });
  await platform.addApp(raptor, scenarios['from-essential-0'].options);
  shell = await openShell(platform);
});
afterAll(async () => {
  await shell?.close();
  await platform?.stop();
  await rm(dir, { recursive: true, force: true });
});

const get = async (what: string, of = app) => (await clientOf(platform.heroku)('GET', `/apps/${of}/${what}`)).body;
const configVars = async (of = app): Promise<Record<string, string>> => get('config-vars', of);
const newestRelease = async (of = app) => (await get('releases', of)).at(-1);

const type = (line: string): Promise<Said> => shell.succeed(line);

/** Types a line that is to be refused, and checks that it changed nothing. */
async function refused(line: string, env: Record<string, string> = {}): Promise<Said> {
  const look = async () => [await configVars(), await get('addon-attachments'), await get('releases')];
  const before = await look();
  const said = await shell.type(line, env);
  expect(await look()).toEqual(before);
  expect(said.code).not.toBe(0);
  return said;
}

describe('on Essential-0', () => {
  test('pg:info and addons tell both databases', async () => {
    const info = await type(`heroku pg:info -a ${app}`);
    expect(info.text).toMatch(/=== DATABASE_URL\n+Plan: +Essential 0/);
    expect(info.text).toMatch(/=== HEROKU_POSTGRESQL_AMBER_URL\n+Plan: +Standard 0/);
    const { text } = await type(`heroku addons -a ${app}`);
    expect(text).toMatch(/\(raxx-api-prod-essential\) +essential-0/);
    expect(text).toMatch(/\(raxx-api-prod\) +standard-0/);
    expect(text).toMatch(/└─ as DATABASE/);
  });

  test('a credential is refused', async () => {
    const { code, text } = await refused(`heroku pg:credentials:create DATABASE --name raptor_app -a ${app}`);
    expect({ code, text }).toEqual({
      code: 1,
      text: expect.stringContaining("You can't create a custom credential on Essential-tier databases."),
    });
  });

  test('the last attachment is not detached', async () => {
    const { code, text } = await refused(`heroku addons:detach DATABASE -a ${app}`);
    expect(code).toBe(2);
    expect(text).toContain('Cannot destroy last attachment to billing app for resource raxx-api-prod-essential');
  });

  test('pg:promote makes the Standard-0 DATABASE, and the old one keeps another attachment', async () => {
    const before = await configVars();
    await type(`heroku pg:promote HEROKU_POSTGRESQL_AMBER -a ${app}`);
    const after = await configVars();
    expect(after['DATABASE_URL']).toBe(before['HEROKU_POSTGRESQL_AMBER_URL']);
    expect(Object.values(after)).toContain(before['DATABASE_URL']);
  });
});

describe('refusals', () => {
  test("an attachment's value is not overwritten", async () => {
    const { code, text } = await refused(`heroku config:set DATABASE_URL="sqlite+pysqlite:///./raptor.db" -a ${app}`);
    expect(code).toBe(2);
    expect(text).toContain('Cannot overwrite attachment values DATABASE_URL.');
  });

  test('a wrong --confirm', async () => {
    const { code, text } = await refused(`heroku pg:credentials:rotate DATABASE -a ${app} --confirm raxx-api-staging`);
    expect(code).toBe(1);
    expect(text).toContain(`Confirmation raxx-api-staging did not match ${app}. Aborted.`);
  });

  test('an unknown app', async () => {
    const { code, text } = await refused('heroku config:get DATABASE_URL -a raxx-api-prd');
    expect({ code, text }).toEqual({ code: 2, text: expect.stringContaining("Couldn't find that app.") });
  });

  test('a bad token', async () => {
    const { code, text } = await refused(`heroku restart -a ${app}`, { HEROKU_API_KEY: 'HRKU-not-this-one' });
    expect({ code, text }).toEqual({
      code: 1,
      text: expect.stringContaining('The token provided to HEROKU_API_KEY is invalid.'),
    });
  });

  test('CREATE ROLE … PASSWORD as the owner', async () => {
    const statement = "CREATE ROLE raptor_app WITH LOGIN PASSWORD 'of-no-use'";
    const { code, text } = await refused(`heroku pg:psql -a ${app} -c "${statement}"`);
    expect({ code, text }).toEqual({ code: 1, text: expect.stringContaining('permission denied to create role') });
  });
});

describe('one-off dynos', () => {
  test('run ends with 0 whatever became of the command; --exit-code tells', async () => {
    const plain = await shell.type(`heroku run -a ${app} -- alembic upgrade nonsense`);
    expect({ code: plain.code, text: plain.text }).toEqual({
      code: 0,
      text: expect.stringContaining("Can't locate revision identified by 'nonsense'"),
    });
    const told = await shell.type(`heroku run --exit-code -a ${app} -- alembic upgrade nonsense`);
    expect(told.code).toBe(255);
    expect(told.text).toContain("Can't locate revision identified by 'nonsense'");
  });

  test('run --exit-code alembic upgrade head', async () => {
    const { text } = await type(`heroku run --exit-code alembic upgrade head -a ${app}`);
    expect(text).toContain('Running upgrade 0001_raptor_baseline -> 0002_paper_orders');
    await withDatabase((await configVars())['DATABASE_URL'] ?? '', async (client) => {
      const { rows } = await client.query('SELECT version_num FROM alembic_version');
      expect(rows).toEqual([{ version_num: '0002_paper_orders' }]);
    });
  });
});

describe('credentials', () => {
  const addon = raptor.addon.name;
  const credential = async () => {
    const ask = clientOf(platform.heroku);
    return (await ask('GET', `/postgres/v0/databases/${addon}/credentials/raptor_app`)).body;
  };
  const variable = async (of: string): Promise<string> =>
    (await configVars(of))[of === app ? 'RAPTOR_APP_DATABASE_URL' : 'READER_URL'] ?? '';
  /** The user that a URL connects as, or the SQLSTATE of the refusal. */
  const whoIs = (url: string): Promise<unknown> =>
    withDatabase(url, async (client) => (await client.query('SELECT current_user AS who')).rows[0].who).catch(
      (error: { code?: string }) => error.code,
    );
  /** What an app's newest release and its dynos say of a change that the add-on made. */
  const changedByAddon = async (of: string): Promise<void> => {
    const newest = await newestRelease(of);
    expect(newest).toMatchObject({ status: 'succeeded', current: true, output_stream_url: null });
    expect(newest.user.email).toContain('heroku-postgresql');
    for (const dyno of await get('dynos', of)) expect(dyno.release.version).toBe(newest.version);
  };

  test('create, list and url', async () => {
    await type(`heroku pg:credentials:create DATABASE --name raptor_app -a ${app}`);
    await eventually(credential, ({ state }) => state === 'active');
    expect((await type(`heroku pg:credentials DATABASE -a ${app}`)).text).toMatch(/raptor_app +active/);
    const { text } = await type(`heroku pg:credentials:url DATABASE --name raptor_app -a ${app}`);
    expect(await whoIs(/postgres:\/\/\S+/.exec(text)?.[0] ?? '')).toBe('raptor_app');
  });

  test('attached to two apps, each gets the variable and a release', async () => {
    await type(`heroku addons:attach ${addon} --credential raptor_app --as RAPTOR_APP_DATABASE -a ${app}`);
    await type(`heroku addons:attach ${addon} --credential raptor_app --as READER -a ${reader}`);
    expect(await variable(app)).toBe(await variable(reader));
    expect((await type(`heroku releases -a ${app}`)).text).toContain('Attach RAPTOR_APP_DATABASE');
    // A change by a user: its release command runs.
    await eventually(
      () => newestRelease(reader),
      ({ status }) => status === 'succeeded',
    );
    expect((await newestRelease(reader)).output_stream_url).not.toBeNull();
  });

  test('a named rotation: rotating, a second user name, then the first one again; both apps follow', async () => {
    // Long enough to be looked at, by a CLI that takes its time to start.
    platform.heroku.settings.rotationMs = 15_000;
    const first = await variable(app);
    const ran = (): number =>
      platform.heroku.appLog(reader).filter((line) => line.includes(readerRuns) && line.includes('app[release')).length;
    const before = ran();
    await type(`heroku pg:credentials:rotate DATABASE --name raptor_app -a ${app} --confirm ${app}`);
    const listed = type(`heroku pg:credentials DATABASE -a ${app}`);
    const during = await credential();
    expect(during).toMatchObject({
      state: 'rotating',
      credentials: [
        { user: 'raptor_app', state: 'revoking' },
        { user: expect.stringMatching(/^raptor_app./), state: 'active' },
      ],
    });
    const temporary = await variable(app);
    expect(await whoIs(temporary)).toBe(during.credentials[1].user);
    // Connections of before go on for a while.
    expect(await whoIs(first)).toBe('raptor_app');
    expect(await variable(reader)).toBe(temporary);
    for (const each of [app, reader]) await changedByAddon(each);
    expect((await listed).text).toMatch(/raptor_app +rotating/);

    await eventually(credential, ({ state }) => state === 'active', 30_000);
    expect((await credential()).credentials).toMatchObject([{ user: 'raptor_app', state: 'active' }]);
    expect(await whoIs(await variable(app))).toBe('raptor_app');
    expect(await variable(reader)).toBe(await variable(app));
    // Wrong password, and unknown user.
    expect([await whoIs(first), await whoIs(temporary)]).toEqual(['28P01', '28P01']);
    for (const each of [app, reader]) await changedByAddon(each);
    expect(ran()).toBe(before);
  });

  test('a rotation of the default one resets its sessions at once', async () => {
    const before = (await configVars())['DATABASE_URL'] ?? '';
    await withDatabase(before, async (session) => {
      await type(`heroku pg:credentials:rotate DATABASE -a ${app} --confirm ${app}`);
      expect(await sqlState(session.query('SELECT 1'))).not.toBe('allowed');
    });
    const after = (await configVars())['DATABASE_URL'] ?? '';
    expect([await whoIs(before), await whoIs(after)]).toEqual(['28P01', new URL(before).username]);
    await changedByAddon(app);
  });

  test('addons:detach takes the variable away', async () => {
    await type(`heroku addons:detach RAPTOR_APP_DATABASE -a ${app}`);
    expect(Object.keys(await configVars())).not.toContain('RAPTOR_APP_DATABASE_URL');
    expect(await newestRelease()).toMatchObject({ description: expect.stringContaining('Detach RAPTOR_APP_DATABASE') });
  });
});

describe('dynos and the router', () => {
  const status = async (): Promise<number> => (await fetch(`${platform.heroku.webUrl(app)}/ready`)).status;

  test('ps:scale to none and back, seen by ps and from outside', async () => {
    await type(`heroku ps:scale web=0 -a ${app}`);
    await eventually(status, (seen) => seen === 503);
    expect(await get('dynos')).toEqual([]);
    await type(`heroku ps:scale web=1 -a ${app}`);
    await eventually(status, (seen) => seen === 200, 30_000);
    expect((await type(`heroku ps -a ${app}`)).text).toMatch(/web\.1: up /);
  });

  test('maintenance:on closes the router and leaves the dynos, maintenance:off opens it', async () => {
    const before = (await get('dynos')).map(({ id }: { id: string }) => id);
    await type(`heroku maintenance:on -a ${app}`);
    expect(await status()).toBe(503);
    expect((await get('dynos')).map(({ id }: { id: string }) => id)).toEqual(before);
    await type(`heroku maintenance:off -a ${app}`);
    expect(await status()).toBe(200);
  });
});
