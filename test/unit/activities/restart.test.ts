import { describe, expect, test } from '@jest/globals';
import { sampleTarget } from './sample-target.ts';
import { expectRefusal, withQuickTime } from './world-tests.ts';
import { stamp } from './fake-heroku.ts';
import { World } from './world.ts';

withQuickTime();

test('dynos of the newest release are enough, where nothing changed under them', async () => {
  const world = new World();
  expect(await world.perform('restart')).toMatchObject({
    did: 'already',
    evidence: {
      release: 1,
      dynos: [
        { name: 'web.1', state: 'up' },
        { name: 'web.2', state: 'up' },
      ],
    },
  });
  expect(world.heroku.restarts).toEqual([]);
});

test('where the schema changed under them, dynos from before the step are restarted whatever their release', async () => {
  const world = new World();
  world.heroku.dynos = world.heroku.dynos.map((dyno) => ({ ...dyno, created_at: stamp(Date.now() - 60_000) }));
  expect((await world.perform('restart', { freshDynos: true })).did).toBe('acted');
  expect(world.heroku.restarts).toEqual(['web']);
});

test("the platform's whole seconds do not make a fresh dyno look old", async () => {
  const world = new World();
  world.heroku.dynos = world.heroku.dynos.map((dyno) => ({ ...dyno, created_at: stamp(Date.now() - 60_000) }));
  // The step began late in a second; the dynos that it restarts are stamped with the beginning of that second.
  const since = Math.floor(Date.now() / 1000) * 1000 + 999;
  expect((await world.perform('restart', { freshDynos: true, since })).did).toBe('acted');
  expect(world.heroku.restarts).toEqual(['web']);
});

test("every process type is restarted, and nobody's one-off dyno", async () => {
  const world = new World();
  world.heroku.formation.push({ type: 'worker', quantity: 1 }, { type: 'clock', quantity: 0 });
  world.heroku.release('Scale');
  const console_ = world.heroku.dyno('run.9', 'run', 1, 'up', 'bash');
  world.heroku.dynos = [...world.heroku.dynos.map((dyno) => ({ ...dyno, created_at: stamp(0) })), console_];
  await world.perform('restart', { freshDynos: true });
  expect(world.heroku.restarts).toEqual(['web', 'worker']);
  expect(world.heroku.dynos).toContain(console_);
});

test('a release that is not yet out is waited for', async () => {
  const world = new World();
  world.heroku.releaseTakes = 20_000;
  world.heroku.release('Set a variable');
  const { evidence } = await world.perform('restart');
  expect(evidence.release).toBe(2);
});

test('without a web dyno, "all are up" would mean nothing', async () => {
  for (const formation of [[], [{ type: 'web', quantity: 0 }], [{ type: 'worker', quantity: 3 }]]) {
    const world = new World();
    world.heroku.formation = formation;
    await expectRefusal(
      world,
      'restart',
      'DynosNotUp',
      /has no web dyno; expected at least one.*ps:scale web=1 -a an-app/,
    );
  }
});

test('dynos that never come up are not in place', async () => {
  const world = new World();
  world.heroku.bootTakes = 3_600_000;
  await expect(world.perform('restart', { freshDynos: true, since: Date.now() + 2_000 })).rejects.toMatchObject({
    type: 'NotInPlace',
    nonRetryable: false,
  });
  expect(world.heroku.restarts).toEqual(['web']);
});

test('fewer dynos than the formation asks for are not all of them', async () => {
  const world = new World();
  setTimeout(() => world.heroku.dynos.push(world.heroku.dyno('web.2', 'web', 1, 'up')), 10_000);
  world.heroku.dynos = world.heroku.dynos.slice(0, 1);
  const { evidence } = await world.perform('restart');
  expect(evidence.dynos).toHaveLength(2);
  expect(world.heroku.restarts).toEqual([]);
});

test('a crash loop is told from a slow start', async () => {
  const world = new World();
  const crash = (): void => {
    world.heroku.dynos = world.heroku.dynos.map((dyno) => ({ ...dyno, state: 'crashed', updated_at: stamp() }));
  };
  crash();
  setTimeout(crash, 10_000);
  await expectRefusal(
    world,
    'restart',
    'DynosCrashed',
    /crash again and again on release v1: web\.1 crashed.*heroku logs -a an-app/,
    { changes: true },
  );
});

describe('with preboot', () => {
  test('old dynos that the list does not show are given their time to go', async () => {
    const world = new World(sampleTarget({ restart: { prebootSeconds: 200 } }));
    world.heroku.features.add('preboot');
    const begun = Date.now();
    await world.perform('restart');
    expect(Date.now() - begun).toBeGreaterThanOrEqual(199_000);
  });

  test('without it nothing is waited for', async () => {
    const world = new World(sampleTarget({ restart: { prebootSeconds: 200 } }));
    const begun = Date.now();
    await world.perform('restart');
    expect(Date.now() - begun).toBeLessThan(5_000);
  });
});

test('a release that failed stops it', async () => {
  const world = new World();
  world.heroku.nextReleaseFails = true;
  world.heroku.release('Set a variable');
  await expectRefusal(world, 'restart', 'ReleaseFailed', /Release v2 \(Set a variable\) has failed/);
});
