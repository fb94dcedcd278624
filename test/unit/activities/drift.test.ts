import { describe, expect, test } from '@jest/globals';
import type { Baseline, StepId } from '../../../workflows/steps.ts';
import { withQuickTime } from './world-tests.ts';
import { World } from './world.ts';

withQuickTime();

/**
 * Writes that go forward, each with the writes of the run that come before it. A restart has the same guard, and finds
 * nothing to do behind any release that somebody else made.
 */
const writes = {
  upgrade: [],
  credential: ['upgrade'],
  'bind-url': ['upgrade', 'credential'],
  grants: ['upgrade', 'credential', 'bind-url'],
  flag: ['upgrade', 'credential', 'bind-url', 'grants'],
} as const satisfies Partial<Record<StepId, readonly StepId[]>>;
type Write = keyof typeof writes;
const names = Object.keys(writes) as Write[];

/** A world in which a plan was approved and everything before a step was done by the run. */
async function before(step: Write): Promise<{ world: World; baseline: Baseline; inPlace: readonly StepId[] }> {
  const world = new World();
  world.heroku.vars['SETTING'] = 'a value';
  const { facts } = (await world.perform('survey', { gate: 'go' })).evidence;
  const { release, config, migrations, matrixDigest } = facts;
  const inPlace = writes[step];
  for (const earlier of inPlace) await world.perform(earlier);
  return { world, baseline: { release, config, migrations, matrixDigest }, inPlace };
}

const attempt = ({ world, baseline, inPlace }: Awaited<ReturnType<typeof before>>, step: Write) =>
  world.perform(step, { baseline, inPlace });

/** A person changes a variable that is none of the runbook's. */
function reconfigure(world: World): void {
  world.heroku.vars['SETTING'] = 'another value';
  world.heroku.release('Set SETTING config vars', { now: true, by: 'dev@example.com' });
}

/** The add-on changes a variable of its own, in maintenance. */
function maintain(world: World): void {
  world.heroku.release('Update LOGS by logging-addon', { now: true, by: 'logging@addons.heroku.com' });
}

/** Somebody deploys; the fake's slug has the revisions of the world. */
function deploy(world: World, id: string): void {
  world.heroku.slug = { ...world.heroku.slug, id };
  world.heroku.release('Deploy abcdef12', { now: true, by: 'dev@example.com' });
}

describe.each(names)('right before %s', (step) => {
  test('a variable that somebody else changed stops it, and the message says who', async () => {
    const stage = await before(step);
    reconfigure(stage.world);
    const untouched = stage.world.snapshot();
    await expect(attempt(stage, step)).rejects.toMatchObject({
      type: 'TargetDrifted',
      nonRetryable: true,
      message: expect.stringMatching(/the values of config vars differ \(v\d+, dev@example\.com/),
    });
    expect(stage.world.snapshot()).toEqual(untouched);
  });

  test('an attachment that somebody else made stops it', async () => {
    const stage = await before(step);
    stage.world.heroku.addAddon('queue', 'heroku-redis:mini');
    stage.world.heroku.attach('queue', 'REDIS', null);
    await expect(attempt(stage, step)).rejects.toMatchObject({
      type: 'TargetDrifted',
      message: expect.stringContaining('REDIS: queue'),
    });
  });

  test('a deploy with another head stops it', async () => {
    const stage = await before(step);
    stage.world.revisions = [...stage.world.revisions, '0003'];
    deploy(stage.world, 'slug-2');
    await expect(attempt(stage, step)).rejects.toMatchObject({
      type: 'TargetDrifted',
      message: expect.stringContaining('another head or grant matrix'),
    });
  });

  test('a deploy with the same head is told, and does not stop it', async () => {
    const stage = await before(step);
    deploy(stage.world, 'slug-2');
    const { did, drift } = await attempt(stage, step);
    expect(did).toBe('acted');
    expect(drift).toMatchObject([{ class: 'harmless', by: 'dev@example.com' }]);
  });

  test("the platform's own release is told, and does not stop it", async () => {
    const stage = await before(step);
    maintain(stage.world);
    const { did, drift } = await attempt(stage, step);
    expect(did).toBe('acted');
    expect(drift).toMatchObject([{ class: 'platform', what: 'Update LOGS by logging-addon' }]);
  });

  test('what the run itself has changed is no drift', async () => {
    const stage = await before(step);
    expect(await attempt(stage, step)).toMatchObject({ did: 'acted' });
    expect((await attempt(stage, step)).drift).toBeUndefined();
  });
});

test('a binding of the run that somebody has taken away stops the next write', async () => {
  const stage = await before('flag');
  const { heroku } = stage.world;
  heroku.attachments = heroku.attachments.filter((one) => one.name !== stage.world.target.role.attachment);
  delete heroku.vars[`${stage.world.target.role.attachment}_URL`];
  heroku.release(`Detach ${stage.world.target.role.attachment} (@ref:main-db)`, { now: true, by: 'dev@example.com' });
  await expect(attempt(stage, 'flag')).rejects.toMatchObject({
    type: 'TargetDrifted',
    message: expect.stringMatching(/_URL is no longer what this run has set \(v\d+, dev@example\.com/),
  });
});

test('a variable that the target file leaves to others may change', async () => {
  const stage = await before('credential');
  stage.world.target = { ...stage.world.target, unwatchedConfigVars: ['SETTING'] };
  const { facts } = (await stage.world.perform('survey', { gate: 'go' })).evidence;
  reconfigure(stage.world);
  const again = { ...stage, baseline: { ...stage.baseline, config: facts.config } };
  expect(await attempt(again, 'credential')).toMatchObject({ did: 'acted' });
});
