import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { useOwnTime, useQuickTime } from './in-activity.ts';
import { sampleTarget } from './sample-target.ts';
import { expectRefusal } from './world-tests.ts';
import { World } from './world.ts';

afterEach(useOwnTime);

describe('in GitHub Actions', () => {
  function quickWorld(): World {
    useQuickTime();
    return new World();
  }

  test('concluded with success, for the commit that is deployed: its link is evidence', async () => {
    const world = quickWorld();
    expect(await world.perform('smoke')).toEqual({
      did: 'acted',
      evidence: {
        by: 'owner/name smoke.yml',
        link: 'https://github.example/smoke.yml/runs/1',
        commit: 'd4'.repeat(20),
        conclusion: 'success',
      },
    });
    expect(world.github.runs[0]?.inputs).toEqual({ marker: 'cutover/run-1/smoke/1' });
  });

  test('as the role, the suite is told whom to expect', async () => {
    const world = quickWorld();
    await world.perform('smoke-rm-11', { asRole: true });
    expect(world.github.runs[0]?.inputs).toMatchObject({ expect_user: 'app_role' });
  });

  test("somebody else's run is not taken for its own", async () => {
    const world = quickWorld();
    await world.github.client.dispatch('owner/name', 'smoke.yml', 'main', { marker: 'cutover/run-0/smoke/1' });
    await world.perform('smoke');
    expect(world.github.runs).toHaveLength(2);
  });

  test('a run that an interrupted attempt dispatched and that is not listed yet is waited for', async () => {
    const world = quickWorld();
    world.github.listingTakes = 2_000;
    world.loseAnswerOf('dispatch');
    await world.perform('smoke').catch(() => undefined);
    expect((await world.perform('smoke', {}, { attempt: 2 })).did).toBe('settled');
    expect(world.github.runs).toHaveLength(1);
  });

  test('queued for ever: overdue, which is not failed', async () => {
    const world = quickWorld();
    world.github.suiteTakes = Infinity;
    await expectRefusal(world, 'smoke', 'SmokeOverdue', /After 45 minutes the suite is still queued/, {
      changes: true,
    });
    expect(world.github.runs).toHaveLength(1);
  });

  test.each(['failure', 'cancelled', 'timed_out', 'skipped', 'neutral', null])(
    'concluded %p: failed',
    async (conclusion) => {
      const world = quickWorld();
      world.github.conclusion = conclusion;
      await expectRefusal(
        world,
        'smoke',
        'SmokeFailed',
        new RegExp(`concluded ${conclusion ?? 'nothing'}; expected success\\. Read https://`),
        { changes: true },
      );
    },
  );

  test('ran for another commit than the one deployed', async () => {
    const world = quickWorld();
    world.github.headCommit = 'a0'.repeat(20);
    await expectRefusal(world, 'smoke', 'SmokeWrongCommit', /ran for a0a0a0a0a0a0, and an-app runs d4d4d4d4d4d4/, {
      changes: true,
    });
  });

  test('nothing is deployed', async () => {
    const world = quickWorld();
    world.heroku.releases = world.heroku.releases.map((release) => ({ ...release, slug: null }));
    await expectRefusal(world, 'smoke', 'PlatformAnswerUnexpected', /no current release with a slug/);
  });
});

describe('over HTTP', () => {
  /** A world whose app really answers, on this machine. */
  async function withApp(
    answers: (path: string) => { status: number; body: string },
    run: (world: World) => Promise<void>,
  ): Promise<void> {
    const server = createServer((request, response) => {
      const { status, body } = answers(request.url ?? '');
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const smoke = {
      kind: 'http',
      checks: [{ path: '/health' }, { path: '/ready', json: { dialect: 'postgresql' } }],
      asRole: [{ path: '/ready', json: { user: 'app_role' } }],
      patienceSeconds: 0.3,
    };
    const world = new World(sampleTarget({ smoke }));
    world.heroku.details = {
      ...world.heroku.details,
      web_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    };
    try {
      await run(world);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  const good = (user: string) => (path: string) =>
    path === '/health'
      ? { status: 200, body: '{}' }
      : { status: 200, body: JSON.stringify({ dialect: 'postgresql', user }) };

  test('every check answers as it must', async () => {
    await withApp(good('owner'), async (world) => {
      expect(await world.perform('smoke')).toMatchObject({
        did: 'observed',
        evidence: { by: '2 HTTP checks', conclusion: 'success', commit: 'd4'.repeat(20) },
      });
    });
  });

  test('as the role, its own checks count too', async () => {
    await withApp(good('app_role'), async (world) => {
      expect((await world.perform('smoke-rm-11', { asRole: true })).evidence.by).toBe('3 HTTP checks');
    });
    await withApp(good('owner'), async (world) => {
      await expectRefusal(
        world,
        'smoke-rm-11',
        'SmokeFailed',
        /GET \/ready of an-app answered "owner" as user; expected "app_role"/,
        { call: { asRole: true } },
      );
    });
  });

  test.each<[string, (path: string) => { status: number; body: string }, RegExp]>([
    ['another status', () => ({ status: 503, body: '{}' }), /GET \/health of an-app answered 503; expected 200/],
    ['a redirect', () => ({ status: 302, body: '' }), /answered 302/],
    [
      'another value',
      (path) => (path === '/health' ? good('x')(path) : { status: 200, body: '{"dialect":"sqlite"}' }),
      /answered "sqlite" as dialect; expected "postgresql"/,
    ],
    ['no JSON', () => ({ status: 200, body: '<html>' }), /GET \/ready of an-app did not answer/],
  ])('%s: failed', async (_, answers, message) => {
    await withApp(answers, (world) => expectRefusal(world, 'smoke', 'SmokeFailed', message).then(() => undefined));
  });

  test('an app that needs a moment is given it', async () => {
    let asked = 0;
    await withApp(
      (path) => ((asked += 1) < 2 ? { status: 503, body: '' } : good('owner')(path)),
      async (world) => {
        expect((await world.perform('smoke')).evidence.conclusion).toBe('success');
      },
    );
  });
});

describe('as a command', () => {
  const node = (script: string, more: object = {}) => ({ command: [process.execPath, '-e', script], ...more });
  const worldWith = (smoke: object): World =>
    new World(sampleTarget({ smoke: { kind: 'command', ...smoke } as never }));

  test('that ends with 0 has passed; it is told where the app is and as whom it must answer, and nothing else', async () => {
    const script = `const { SMOKE_BASE_URL, SMOKE_EXPECT_USER, ...more } = process.env;
      process.exit(SMOKE_BASE_URL === 'https://an-app.example' && SMOKE_EXPECT_USER === 'app_role' && Object.keys(more).length === 0 ? 0 : 1)`;
    const { evidence } = await worldWith(node(script)).perform('smoke-rm-11', { asRole: true });
    expect(evidence).toMatchObject({ link: null, conclusion: 'success', commit: 'd4'.repeat(20) });
  });

  test('that ends otherwise has failed, with its last lines', async () => {
    const world = worldWith(node('console.log("checked"); console.error("no round trip"); process.exit(3)'));
    const failure = await expectRefusal(world, 'smoke', 'SmokeFailed', /ended with 3; expected 0/);
    expect(failure.message).toContain('no round trip');
  });

  test('that does not end is ended', async () => {
    const world = worldWith(node('setInterval(() => {}, 1000)', { withinMinutes: 0.005 }));
    await expectRefusal(world, 'smoke', 'SmokeFailed', /ended with a signal/);
  });

  test('that is not there', async () => {
    const world = worldWith({ command: ['no-such-command'] });
    await expectRefusal(world, 'smoke', 'SmokeFailed', /could not be started.*Correct smoke\.command/);
  });
});
