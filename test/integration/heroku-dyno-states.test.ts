import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, HerokuWorld, isRunning, rendezvous } from './heroku-client.ts';

let world: HerokuWorld;

beforeAll(async () => {
  world = await HerokuWorld.start({ prebootMs: 1_000, crashBackoffMs: 100, stopGraceMs: 500 });
});
afterAll(() => world?.stop());

const upNow = (app: string) =>
  eventually(
    () => world.dynos(app),
    (all) => all.length > 0 && all.every(({ state }) => state === 'up'),
  );

describe('preboot', () => {
  const APP = 'prebooting-app';
  const releasesOf = async () => (await world.dynos(APP)).map(({ name, release }) => `${name} v${release.version}`);

  beforeAll(async () => {
    await world.heroku.createApp({ name: APP, slug: await world.slug(), preboot: true, configVars: { VERSION: '1' } });
  });

  test('the first dynos serve at once', async () => {
    expect(await world.serving(APP)).toMatchObject({ VERSION: '1' });
  });

  test('after a release the old dynos serve on, unlisted, and then go', async () => {
    const old = await world.serving(APP);
    await world.setConfig(APP, { VERSION: '2' });
    const { version, status, current } = await world.newestRelease(APP);
    expect([status, current]).toEqual(['succeeded', true]);
    const [listed] = await upNow(APP);
    expect(listed).toMatchObject({ name: 'web.1', release: { version } });
    // All that the API shows is new and up, and yet it is the old one that answers.
    expect(await world.shown(APP)).toMatchObject({ VERSION: '1', pid: old.pid });
    expect(await releasesOf()).toEqual([`web.1 v${version}`]);

    const fresh = await eventually(
      () => world.shown(APP),
      ({ VERSION }) => VERSION === '2',
    );
    expect(fresh.pid).not.toBe(old.pid);
    await eventually(
      async () => isRunning(old.pid),
      (running) => !running,
    );
    expect((await world.dynos(APP))[0].id).toBe(listed.id);
  });

  test('the setting lists both, by one name, each with its release', async () => {
    world.heroku.settings.prebootListsOld = true;
    const before = await world.newestRelease(APP);
    await world.setConfig(APP, { VERSION: '3' });
    expect(await releasesOf()).toEqual([`web.1 v${before.version}`, `web.1 v${before.version + 1}`]);
    await eventually(releasesOf, (all) => all.length === 1);
    world.heroku.settings.prebootListsOld = false;
    expect(await world.shown(APP)).toMatchObject({ VERSION: '3' });
  });

  test('two releases in a row: the oldest serves until the newest takes over', async () => {
    const old = await world.serving(APP);
    await world.setConfig(APP, { VERSION: '4' });
    await upNow(APP);
    await world.setConfig(APP, { VERSION: '5' });
    const seen = new Set<string>();
    await eventually(
      async () => {
        const { VERSION } = await world.shown(APP);
        seen.add(VERSION);
        return VERSION;
      },
      (version) => version === '5',
    );
    expect([...seen]).toEqual([old.VERSION, '5']);
  });

  test('a restart goes the same way, without a gap', async () => {
    const old = await world.serving(APP);
    await world.call('DELETE', `/apps/${APP}/formations/web`);
    const pids = new Set<number>();
    await eventually(
      async () => {
        const { pid } = await world.shown(APP);
        pids.add(pid);
        return pid;
      },
      (pid) => pid !== old.pid,
    );
    expect(pids.size).toBe(2);
    expect(pids.has(undefined as never)).toBe(false);
  });

  test('when the new dynos crash the old ones go all the same', async () => {
    await world.serving(APP);
    world.heroku.setWebBoot(APP, ({ VERSION }) => (VERSION === 'bad' ? { exitCode: 1 } : undefined));
    await world.setConfig(APP, { VERSION: 'bad' });
    expect((await world.shown(APP)).VERSION).toBe('5');
    await eventually(
      () => world.shown(APP),
      ({ status }) => status === 503,
    );
    await world.setConfig(APP, { VERSION: '6' });
    expect(await world.serving(APP)).toMatchObject({ VERSION: '6' });
  });

  test('scaled to zero, neither old nor new ones are left', async () => {
    const old = await world.serving(APP);
    await world.setConfig(APP, { VERSION: '7' });
    await world.call('PATCH', `/apps/${APP}/formation/web`, { quantity: 0 });
    expect((await world.shown(APP)).status).toBe(503);
    await eventually(
      async () => isRunning(old.pid),
      (running) => !running,
    );
    await world.call('PATCH', `/apps/${APP}/formation/web`, { quantity: 1 });
    await world.serving(APP);
  });

  test('it is switched off and on as a feature, without a release or a restart', async () => {
    const before = await world.serving(APP);
    const { version } = await world.newestRelease(APP);
    const path = `/apps/${APP}/features/preboot`;
    expect((await world.call('GET', path)).body).toMatchObject({ name: 'preboot', enabled: true });
    expect((await world.call('PATCH', path, { enabled: false })).body.enabled).toBe(false);
    expect((await world.call('GET', `/apps/${APP}/features`)).body).toContainEqual(
      expect.objectContaining({ name: 'preboot', enabled: false }),
    );
    expect((await world.call('GET', `/apps/${APP}/features/unheard-of`)).body.id).toBe('not_found');
    expect([(await world.shown(APP)).pid, (await world.newestRelease(APP)).version]).toEqual([before.pid, version]);
    await world.setConfig(APP, { VERSION: '8' });
    expect((await world.shown(APP)).status).toBe(503);
    expect(await world.serving(APP)).toMatchObject({ VERSION: '8' });
  });
});

describe('a bad boot', () => {
  test('a crash loop: crashed each time, later and later, and a new release begins again', async () => {
    const app = 'crashing-app';
    world.heroku.settings.crashBackoffMs = 200;
    await world.heroku.createApp({ name: app, slug: await world.slug('web: echo no module >&2; exit 1\n') });
    const crashes = new Map<string, number>();
    await eventually(
      async () => {
        for (const { id, state, updated_at: at } of await world.dynos(app)) {
          if (state === 'crashed') crashes.set(id, Date.parse(at));
        }
        return crashes.size;
      },
      (size) => size === 4,
    );
    const at = [...crashes.values()];
    const gaps = at.slice(1).map((time, index) => time - (at[index] as number));
    expect(gaps.map((gap, index) => gap >= 200 * 2 ** index)).toEqual([true, true, true]);
    expect((await world.shown(app)).status).toBe(503);
    expect(world.heroku.appLog(app).join('\n')).toMatch(/app\[web\.1\]: no module/);

    const { version } = await world.heroku.deploy(app, await world.slug());
    expect(await world.dynos(app)).toMatchObject([
      { state: expect.stringMatching(/starting|up/), release: { version } },
    ]);
    await world.serving(app);
  });

  test('a slow start: starting all the while, and then up', async () => {
    const app = 'slow-app';
    await world.heroku.createApp({ name: app, slug: await world.slug(), webBoot: { delayMs: 1_000 } });
    const states: string[] = [];
    await eventually(
      async () => {
        const [{ state, command }] = await world.dynos(app);
        expect(command).toBe('python3 web.py');
        if (state !== states.at(-1)) states.push(state);
        return state;
      },
      (state) => state === 'up',
    );
    expect(states).toEqual(['starting', 'up']);
    const [dyno] = await world.dynos(app);
    expect(Date.parse(dyno.updated_at) - Date.parse(dyno.created_at)).toBeGreaterThanOrEqual(1_000);
    world.heroku.setWebBoot(app, undefined);
  });

  test('it depends on the config vars where that is asked for', async () => {
    const app = 'flagged-app';
    await world.heroku.createApp({
      name: app,
      slug: await world.slug(),
      webBoot: ({ FLAG }) => (FLAG === '1' ? { exitCode: 3, prints: "it's broken" } : undefined),
    });
    await world.serving(app);
    await world.setConfig(app, { FLAG: '1' });
    await eventually(
      () => world.dynos(app),
      ([dyno]) => dyno?.state === 'crashed',
    );
    expect(world.heroku.appLog(app).join('\n')).toContain("it's broken");
    await world.setConfig(app, { FLAG: null });
    await world.serving(app);
  });
});

describe('one-off dynos', () => {
  test("a stranger's, attached or detached, are untouched by a restart of the web process type", async () => {
    const app = 'busy-app';
    await world.heroku.createApp({ name: app, slug: await world.slug() });
    await world.serving(app);
    const command = 'echo begun; sleep 60';
    const start = async (attach: boolean) => (await world.call('POST', `/apps/${app}/dynos`, { attach, command })).body;
    const attached = await start(true);
    const client = await rendezvous(attached.attach_url, world.heroku.caFile);
    const detached = await start(false);
    const oneOffs = async () =>
      (await world.dynos(app)).filter(({ type, state }) => type === 'run' && state === 'up').map(({ id }) => id);
    await eventually(oneOffs, (ids) => ids.length === 2);
    const before = await world.serving(app);
    await world.call('DELETE', `/apps/${app}/formations/web`);
    await eventually(
      () => world.shown(app),
      ({ pid }) => pid !== undefined && pid !== before.pid,
    );
    expect((await oneOffs()).sort()).toEqual([attached.id, detached.id].sort());
    expect(client.output()).toBe('begun\n');
    client.leave();
    await world.call('DELETE', `/apps/${app}/dynos`);
    await eventually(oneOffs, (ids) => ids.length === 0);
  });

  test('are refused on fir, whose releases have no slug', async () => {
    const app = 'fir-app';
    await world.heroku.createApp({ name: app, slug: await world.slug(), generation: 'fir', maintenance: true });
    expect((await world.call('GET', `/apps/${app}`)).body).toMatchObject({
      generation: { name: 'fir' },
      stack: { name: 'cnb' },
      maintenance: true,
    });
    expect(await world.newestRelease(app)).toMatchObject({ slug: null, oci_image: { id: expect.any(String) } });
    const run = () => world.call('POST', `/apps/${app}/dynos`, { attach: false, command: 'true' });
    expect([(await run()).status, (await run()).body.message]).toEqual([
      422,
      'One-off dynos are not available for Fir-generation apps.',
    ]);
    world.heroku.settings.firOneOffs = 'run';
    expect((await run()).status).toBe(201);
  });
});

describe('an app at the start', () => {
  test('in maintenance: its dynos run, and its router answers 503', async () => {
    const app = 'maintained-app';
    await world.heroku.createApp({ name: app, slug: await world.slug(), maintenance: true });
    expect((await world.call('GET', `/apps/${app}`)).body.maintenance).toBe(true);
    await upNow(app);
    expect((await world.shown(app)).status).toBe(503);
    await world.call('PATCH', `/apps/${app}`, { maintenance: false });
    await world.serving(app);
  });

  test('with dyno metadata: a dyno knows its commit and release, the config vars do not', async () => {
    const app = 'telling-app';
    const slug = await world.slug();
    await world.heroku.createApp({ name: app, slug, dynoMetadata: true });
    expect(await world.serving(app)).toMatchObject({ HEROKU_SLUG_COMMIT: slug.commit, HEROKU_RELEASE_VERSION: 'v2' });
    expect(await world.config(app)).toEqual({});
    await world.setConfig(app, { GREETING: 'hello' });
    await eventually(
      () => world.shown(app),
      ({ HEROKU_RELEASE_VERSION: version }) => version === 'v3',
    );

    const later = 'later-telling-app';
    await world.heroku.createApp({ name: later, slug });
    await world.call('PATCH', `/apps/${later}/features/runtime-dyno-metadata`, { enabled: true });
    await world.setConfig(later, { GREETING: 'hello' });
    await eventually(
      () => world.shown(later),
      ({ GREETING, HEROKU_SLUG_COMMIT: commit }) => GREETING === 'hello' && commit === null,
    );
    await world.heroku.deploy(later, slug);
    await eventually(
      () => world.shown(later),
      ({ HEROKU_SLUG_COMMIT: commit }) => commit === slug.commit,
    );
  });
});

describe('the token', () => {
  test('its expiry is found in the list of authorizations, and the one called ~ is another', async () => {
    world.heroku.setTokenExpiry(3_600);
    const { body } = await world.call('GET', '/oauth/authorizations');
    const mine = body.find((one: any) => one.access_token.token === world.heroku.token);
    expect(mine.access_token.expires_in).toBeGreaterThan(3_590);
    expect(mine.access_token.expires_in).toBeLessThanOrEqual(3_600);
    expect((await world.call('GET', `/oauth/authorizations/${mine.id}`)).body.access_token.token).toBe(
      world.heroku.token,
    );

    const byDefault = () => world.call('GET', '/oauth/authorizations/~');
    expect((await byDefault()).body.access_token).toMatchObject({ expires_in: null });
    expect((await byDefault()).body.access_token.token).not.toBe(world.heroku.token);
    world.heroku.settings.defaultAuthorization = 'in-use';
    expect((await byDefault()).body.id).toBe(mine.id);
    world.heroku.settings.defaultAuthorization = 'none';
    expect([(await byDefault()).status, (await byDefault()).body]).toEqual([
      404,
      expect.objectContaining({ id: 'not_found', resource: 'authorization' }),
    ]);
  });

  test('once it has expired every call is 401, the Data API included', async () => {
    world.heroku.setTokenExpiry(0.5);
    await eventually(
      async () => (await world.call('GET', '/account')).status,
      (status) => status === 401,
    );
    expect((await world.call('GET', '/postgres/v0/databases/any/credentials')).body.id).toBe('unauthorized');
    world.heroku.setTokenExpiry(null);
    expect((await world.call('GET', '/account')).status).toBe(200);
  });
});
