import { describe, expect, test } from '@jest/globals';
import { ownStep, type OwnStepId } from '../../../workflows/rehearsal-steps.ts';
import type { StepCall } from '../../../workflows/steps.ts';
import { steps, stepIds } from '../../../workflows/steps.ts';
import { sampleTarget } from './sample-target.ts';
import { answerOverHttp, withQuickTime } from './world-tests.ts';
import { rotationOfOwner } from './rotation-call.ts';
import { World } from './world.ts';

// What holds for every step that changes the world, whatever it changes: the rows below are all that differs.
withQuickTime();

interface Row {
  /** The world before the step; its goal is not in place. */
  readonly prepare?: (world: World) => void;
  readonly target?: Parameters<typeof sampleTarget>[0];
  readonly call?: Partial<StepCall> | ((world: World) => Partial<StepCall>);
  /** How often the effect of the step happened. */
  readonly effects: (world: World) => number;
  /** Has the step's write happen and its answer be lost. */
  readonly interrupt: (world: World) => void;
  /** Makes the effect take long, so that it has to be waited for. */
  readonly slow: (world: World) => void;
  /** The effect is asked for anew by each attempt of the step, and only by that. */
  readonly once?: 'per attempt';
}

/** The credential is there, and active. */
const bound = ({ heroku }: World): void => {
  const ofAddon = heroku.credentials.get('main-db') ?? [];
  const copies = structuredClone(ofAddon.slice(0, 1));
  ofAddon.push(
    ...copies.map((one) => ({ ...one, name: 'app_role', credentials: [{ user: 'app_role', state: 'active' }] })),
  );
};
const slowRelease = ({ heroku }: World): void => void (heroku.releaseTakes = 8_000);
const older = ({ heroku }: World): void => {
  // The release that the dynos run is no longer the newest.
  heroku.releases = [{ ...(heroku.releases[0] as (typeof heroku.releases)[number]), version: 2, id: 'r-2' }];
};
const withWorkers = ({ heroku }: World): void => {
  heroku.formation = [...heroku.formation, { type: 'worker', quantity: 3 }];
};
const restarts = ({ heroku }: World): number => heroku.restarts.length;
const suites = ({ github }: World): number => github.runs.length;
const changes = ({ heroku }: World): number => heroku.releases.length - 1;

/** Each step that writes, with what it takes to see it write; the steps that only look have nothing to be said here. */
const rows: { readonly [S in OwnStepId]: Row | null } = {
  'config-check': null,
  'inspect-pull-request': null,
  'await-pull-request': null,
  survey: null,
  confirm: null,
  'survey-rm-11': null,
  'confirm-rm-11': null,
  'survey-launch': null,
  'survey-soak': null,
  'soak-sample': null,
  'confirm-soak': null,
  certify: null,
  'confirm-launch': null,
  'verify-schema': null,
  'verify-sessions': null,
  promote: {
    target: { database: { attachment: 'DATABASE', promote: true } as never },
    prepare: ({ heroku }) => {
      heroku.attachments = [];
      heroku.vars = {};
      heroku.attach('main-db', 'GREEN', null);
    },
    effects: changes,
    interrupt: (world) => world.loseAnswerOf('attachAddon'),
    slow: slowRelease,
  },
  upgrade: {
    effects: (world) => world.upgrades,
    // The first output is that of the history, which comes before the upgrade.
    interrupt: (world) => world.loseAnswerOf('takeOutput', 2),
    slow: () => undefined,
  },
  restart: {
    prepare: older,
    effects: restarts,
    interrupt: (world) => world.loseAnswerOf('restartProcesses'),
    slow: ({ heroku }) => void (heroku.bootTakes = 8_000),
  },
  'restart-rm-11': {
    prepare: older,
    effects: restarts,
    interrupt: (world) => world.loseAnswerOf('restartProcesses'),
    slow: ({ heroku }) => void (heroku.bootTakes = 8_000),
  },
  smoke: {
    effects: suites,
    interrupt: (world) => world.loseAnswerOf('dispatch'),
    slow: ({ github }) => void (github.suiteTakes = 60_000),
    once: 'per attempt',
  },
  'smoke-rm-11': {
    call: { asRole: true },
    effects: suites,
    interrupt: (world) => world.loseAnswerOf('dispatch'),
    slow: ({ github }) => void (github.suiteTakes = 60_000),
    once: 'per attempt',
  },
  credential: {
    effects: ({ heroku }) => (heroku.credentials.get('main-db')?.length ?? 0) - 1,
    interrupt: (world) => world.loseAnswerOf('createCredential'),
    slow: ({ heroku }) => void (heroku.credentialTakes = 8_000),
  },
  'bind-url': {
    prepare: bound,
    effects: changes,
    interrupt: (world) => world.loseAnswerOf('attachAddon'),
    slow: slowRelease,
  },
  grants: {
    prepare: (world) => {
      bound(world);
      world.heroku.attach('main-db', 'APP_ROLE_DATABASE', 'credential:app_role');
    },
    effects: ({ database }) => database.grantsCommitted,
    interrupt: ({ database }) => void (database.losesNextCommit = true),
    slow: () => undefined,
  },
  'read-seal': null,
  'survey-way-back': null,
  'count-rows': null,
  'count-rows-fenced': null,
  'verify-sqlite': null,
  'verify-serving': null,
  'verify-owner-sessions': null,
  'watch-sample': null,
  'check-backup': null,
  'settle-dynos': {
    prepare: ({ heroku }) => void heroku.dynos.push(heroku.dyno('run.7', 'run', 1, 'up', ': cutover/old/upgrade/1; x')),
    // A dyno that is still there may not have been asked: asking once more does no harm.
    effects: ({ heroku }) => new Set(heroku.stops).size,
    interrupt: (world) => world.loseAnswerOf('stopDyno'),
    slow: ({ heroku }) => void (heroku.stopTakes = 8_000),
  },
  fence: {
    prepare: withWorkers,
    effects: ({ heroku }) => heroku.maintenances,
    interrupt: (world) => world.loseAnswerOf('scale'),
    slow: () => undefined,
  },
  'lift-fence': {
    prepare: (world) => {
      withWorkers(world);
      world.heroku.formation = world.heroku.formation.map((one) =>
        one.type === 'web' ? one : { ...one, quantity: 0 },
      );
      world.heroku.details = { ...world.heroku.details, maintenance: true };
      world.database.bookkeeping.fence = new Map([
        ['web', 2],
        ['worker', 3],
      ]);
      answerOverHttp(world);
    },
    effects: ({ heroku }) => heroku.maintenances,
    interrupt: (world) => world.loseAnswerOf('setMaintenance'),
    slow: () => undefined,
  },
  'to-sqlite': {
    prepare: ({ heroku }) => {
      heroku.attach('main-db', 'GREEN', null);
      heroku.vars['FLAG_ROLE'] = '1';
    },
    // The name is detached, and the variable set with the flag in the same release.
    effects: (world) => changes(world) / 2,
    interrupt: (world) => world.loseAnswerOf('setConfigVars'),
    slow: slowRelease,
  },
  'flag-off': {
    prepare: ({ heroku }) => void (heroku.vars['FLAG_ROLE'] = '1'),
    effects: changes,
    interrupt: (world) => world.loseAnswerOf('setConfigVars'),
    slow: slowRelease,
  },
  'restart-undo': {
    prepare: older,
    effects: restarts,
    interrupt: (world) => world.loseAnswerOf('restartProcesses'),
    slow: ({ heroku }) => void (heroku.bootTakes = 8_000),
  },
  'restart-unbound': {
    prepare: older,
    effects: restarts,
    interrupt: (world) => world.loseAnswerOf('restartProcesses'),
    slow: ({ heroku }) => void (heroku.bootTakes = 8_000),
  },
  'smoke-undo': {
    effects: suites,
    interrupt: (world) => world.loseAnswerOf('dispatch'),
    slow: ({ github }) => void (github.suiteTakes = 60_000),
    once: 'per attempt',
  },
  'revoke-grants': {
    prepare: ({ database }) => void database.privileges.add('SELECT on orders'),
    effects: ({ database }) => database.grantsCommitted,
    interrupt: ({ database }) => void (database.losesNextCommit = true),
    slow: () => undefined,
  },
  'unbind-url': {
    prepare: (world) => {
      bound(world);
      world.heroku.attach('main-db', 'APP_ROLE_DATABASE', 'credential:app_role');
    },
    effects: changes,
    interrupt: (world) => world.loseAnswerOf('detachAddon'),
    slow: slowRelease,
  },
  'drop-credential': {
    prepare: bound,
    effects: ({ heroku }) => heroku.destroyed,
    interrupt: (world) => world.loseAnswerOf('destroyCredential'),
    slow: ({ heroku }) => void (heroku.credentialTakes = 8_000),
  },
  seal: {
    call: { seal: { by: 'Rita', planDigest: null, backup: null } },
    effects: ({ database }) => database.noted,
    interrupt: ({ database }) => void (database.losesNextCommit = true),
    slow: () => undefined,
  },
  'open-follow-ups': {
    call: { report: 'It is launched.' },
    effects: ({ github }) => (github.issues.length + github.comments.length) / 3,
    interrupt: (world) => world.loseAnswerOf('createComment'),
    slow: () => undefined,
  },
  'survey-rotation': null,
  'confirm-rotation': null,
  'verify-rotated': null,
  'rotate-credential': {
    call: rotationOfOwner,
    effects: ({ heroku }) => heroku.rotations,
    interrupt: (world) => world.loseAnswerOf('rotateCredential'),
    slow: ({ heroku }) => void (heroku.rotationTakes = 8_000),
  },
  'restart-rotated': {
    prepare: older,
    effects: restarts,
    interrupt: (world) => world.loseAnswerOf('restartProcesses'),
    slow: ({ heroku }) => void (heroku.bootTakes = 8_000),
  },
  'smoke-rotated': {
    call: { asRole: true },
    effects: suites,
    interrupt: (world) => world.loseAnswerOf('dispatch'),
    slow: ({ github }) => void (github.suiteTakes = 60_000),
    once: 'per attempt',
  },
  flag: { effects: changes, interrupt: (world) => world.loseAnswerOf('setConfigVars'), slow: slowRelease },
};

/** What a step is told; in a world that it has changed, what it was told before. */
const calls = new WeakMap<World, Partial<StepCall>>();
function callOf(world: World, { call = {} }: Row): Partial<StepCall> {
  const told = calls.get(world) ?? (typeof call === 'function' ? call(world) : call);
  calls.set(world, told);
  return told;
}

// What is rehearsed is the same activity.
const ownIds = stepIds.filter((step): step is OwnStepId => ownStep(step) === step);
const writing = ownIds.filter((step) => steps[step].writes).map((step) => ({ step, row: rows[step] as Row }));

test('every step that writes has a row, and no other', () => {
  expect(ownIds.filter((step) => rows[step] !== null)).toEqual(writing.map(({ step }) => step));
});

describe.each(writing)('$step', ({ step, row }) => {
  function begin(): World {
    const world = new World(sampleTarget(row.target));
    row.prepare?.(world);
    return world;
  }

  test('acts once and says so', async () => {
    const world = begin();
    expect((await world.perform(step, callOf(world, row))).did).toBe('acted');
    expect(row.effects(world)).toBe(1);
  });

  test('waits for its effect, and asks for it no second time', async () => {
    const world = begin();
    row.slow(world);
    expect((await world.perform(step, callOf(world, row))).did).toBe('acted');
    expect(row.effects(world)).toBe(1);
  });

  test('performed again, it finds its effect in place and changes nothing', async () => {
    const world = begin();
    const first = await world.perform(step, callOf(world, row));
    const before = world.snapshot();
    const again = await world.perform(step, callOf(world, row));
    expect(again.did).toBe('already');
    expect(world.snapshot()).toEqual(before);
    expect(Object.keys(again.evidence as object)).toEqual(Object.keys(first.evidence as object));
  });

  test('another attempt of the runbook is another effect only where it must be', async () => {
    const world = begin();
    await world.perform(step, callOf(world, row));
    await world.perform(step, { ...callOf(world, row), attempt: 2 });
    expect(row.effects(world)).toBe(row.once === 'per attempt' ? 2 : 1);
  });

  test('an answer that was lost is settled by looking', async () => {
    const world = begin();
    row.interrupt(world);
    await expect(world.perform(step, callOf(world, row))).rejects.toMatchObject({
      type: expect.stringMatching(/^(PlatformUnavailable|DatabaseUnreachable)$/),
      nonRetryable: false,
    });
    expect(row.effects(world)).toBe(1);
    const second = await world.perform(step, callOf(world, row), { attempt: 2 });
    expect(second.did).toBe('settled');
    expect(row.effects(world)).toBe(1);
  });

  test('an effect that an interrupted attempt left underway is waited for', async () => {
    const world = begin();
    row.slow(world);
    row.interrupt(world);
    await world.perform(step, callOf(world, row)).catch(() => undefined);
    await world.perform(step, callOf(world, row), { attempt: 2 });
    expect(row.effects(world)).toBe(1);
  });

  test('its evidence is what its schema takes, and holds no secret', async () => {
    const world = begin();
    const { evidence } = await world.perform(step, callOf(world, row));
    expect(steps[step].evidence.parse(evidence)).toEqual(evidence);
    expect(JSON.stringify(evidence)).not.toContain(world.heroku.password);
  });
});

const releasing = writing.filter(({ row }) => row.effects === changes);

test.each(releasing)('$step: a release that fails is told, for the old one serves on', async ({ step, row }) => {
  const world = new World(sampleTarget(row.target));
  row.prepare?.(world);
  world.heroku.nextReleaseFails = true;
  await expect(world.perform(step, callOf(world, row))).rejects.toMatchObject({
    type: 'ReleaseFailed',
    nonRetryable: true,
    message: expect.stringMatching(/Release v2 .* has failed: the release before it serves on\. Read the output/),
  });
  expect(row.effects(world)).toBe(1);
});
