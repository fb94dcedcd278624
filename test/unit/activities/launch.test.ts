import { describe, expect, test } from '@jest/globals';
import { ConnectionError } from 'slonik';
import type { Transfer } from '../../../activities/clients/heroku.ts';
import { NoAnswerError } from '../../../activities/clients/errors.ts';
import type { StepCall } from '../../../workflows/steps.ts';
import { sampleTarget } from './sample-target.ts';
import { answerOverHttp, expectRefusal, withQuickTime } from './world-tests.ts';
import { World } from './world.ts';

withQuickTime();

const at = '2026-05-15T10:00:00Z';
const backup: Transfer = {
  num: 7,
  from_type: 'pg_dump',
  to_type: 'gof3r',
  from_name: 'DATABASE',
  started_at: '2026-05-15T09:50:00Z',
  finished_at: at,
  succeeded: true,
  schedule: null,
  options: {},
};
const claim = (id: string, more: Partial<StepCall> = {}): Partial<StepCall> => ({
  backup: { id, finishedAt: at },
  backupNotBefore: Date.parse('2026-05-15T09:00:00Z'),
  ...more,
});

describe('check-backup', () => {
  test.each<[string, Partial<Transfer>, string]>([
    ['by hand', {}, 'b007'],
    ['by a schedule', { schedule: { uuid: 'x' } }, 'a007'],
    ['of the old service', { options: { pgbackups_name: 'b001' } }, 'ob001'],
  ])('one that was made %s is found by its name', async (_, change, id) => {
    const world = new World();
    world.heroku.transfers = [
      { ...backup, from_type: 'gof3r', to_type: 'pg_restore' },
      { ...backup, ...change },
    ];
    expect((await world.perform('check-backup', claim(id))).evidence).toEqual({
      kind: 'backup',
      addon: 'main-db',
      plan: 'heroku-postgresql:standard-0',
      id,
      finishedAt: at,
    });
  });

  test('the platform leaves its own prefix out', async () => {
    const world = new World();
    world.heroku.attach('main-db', 'HEROKU_POSTGRESQL_RED', null);
    world.heroku.transfers = [{ ...backup, from_name: 'RED' }];
    expect((await world.perform('check-backup', claim('b007'))).evidence.id).toBe('b007');
  });

  test.each<[string, Partial<Transfer>, Partial<StepCall>, RegExp]>([
    ['that is not there', { num: 8 }, {}, /has no backup b007/],
    ['of another database', { from_name: 'OTHER' }, {}, /has no backup b007/],
    ['that runs', { finished_at: null, succeeded: null }, {}, /still running/],
    ['that failed', { succeeded: false }, {}, /b007 has failed/],
    ['that began before the cutover', { started_at: '2026-05-15T08:59:59Z' }, {}, /lacks what came since/],
    ['that finished at another time', {}, { backup: { id: 'b007', finishedAt: '2026-05-14T10:00:00Z' } }, /was named/],
    ['of which the time cannot be read', {}, { backup: { id: 'b007', finishedAt: 'tonight' } }, /tonight was named/],
    ['that nobody named', {}, { backup: undefined as never }, /neither a backup nor/],
  ])('one %s proves nothing', async (_, change, call, message) => {
    const world = new World();
    world.heroku.transfers = [{ ...backup, ...change }];
    await expectRefusal(world, 'check-backup', 'BackupNotProven', message, { call: claim('b007', call) });
  });

  test('continuous protection comes with the plan', async () => {
    const call = { backup: { continuousProtection: true } as const };
    expect((await new World().perform('check-backup', call)).evidence).toMatchObject({
      kind: 'continuous-protection',
      plan: 'heroku-postgresql:standard-0',
    });
    const small = new World();
    small.heroku.addAddon('small-db', 'heroku-postgresql:essential-0');
    small.heroku.attach('small-db', 'DATABASE', null);
    await expectRefusal(small, 'check-backup', 'DatabasePlanTooSmall', /essential-0/, { call });
  });
});

test('seal: one that was copied along is replaced, and its own is never', async () => {
  const world = new World();
  const call = (by: string) => ({ seal: { by, planDigest: null, backup: null } });
  world.database.bookkeeping.seal = { addon_id: 'id-leader', sealed_by: 'Ada', run: 'r', sealed_at: at };
  expect((await world.perform('seal', call('Rita'))).evidence).toMatchObject({ by: 'Rita', run: 'run-1' });
  expect(await world.perform('seal', call('Mallory'))).toMatchObject({ did: 'already', evidence: { by: 'Rita' } });
});

describe('watch-sample', () => {
  /** A world that a cutover left, and whose app answers. */
  function watched(target = sampleTarget({ watch: { checks: [{ path: '/ready', json: { ok: true } }] } })): World {
    const world = new World(target);
    world.heroku.vars['FLAG_ROLE'] = '1';
    world.database.revisions = ['0002'];
    world.database.sessions = [{ user: 'app_role', application: 'web' }];
    answerOverHttp(world, () => ({ status: 200, body: { ok: true } }));
    return world;
  }
  const baseline = { baselineRelease: 1, baselineRevision: '0002' };

  test('nothing is wrong', async () => {
    const world = watched();
    world.heroku.tokenExpiresIn = 90_000;
    expect(await world.perform('watch-sample', baseline)).toEqual({
      did: 'observed',
      evidence: {
        healthy: true,
        problems: [],
        release: 1,
        revision: '0002',
        tokenHoursLeft: 25,
        at: expect.stringMatching(/Z$/),
      },
    });
  });

  test.each<[string, (world: World) => void, RegExp]>([
    [
      'maintenance',
      ({ heroku }) => void (heroku.details = { ...heroku.details, maintenance: true }),
      /is in maintenance/,
    ],
    ['no answer', (world) => answerOverHttp(world, () => ({ status: 503, body: null })), /an-app does not answer/],
    [
      'not ready',
      (world) => answerOverHttp(world, () => ({ status: 200, body: { ok: false } })),
      /answered false as ok/,
    ],
    ['no role', ({ database }) => void (database.sessions = []), /no session of app_role/],
    [
      'an owner',
      ({ database }) => void database.sessions.push({ user: 'owner', application: 'psql' }),
      /1 sessions of the owner/,
    ],
    ['another revision', ({ database }) => void (database.revisions = ['0003']), /is at 0003; expected 0002/],
    [
      'two revisions',
      ({ database }) => void (database.revisions = ['0002', '0003']),
      /cannot be asked: version_table holds 2/,
    ],
    [
      'another release',
      ({ heroku }) => heroku.release('Deploy 1234', { now: true }),
      /is v2 \(Deploy 1234\); expected v1/,
    ],
    ['no flag', ({ heroku }) => void delete heroku.vars['FLAG_ROLE'], /FLAG_ROLE is not 1/],
    [
      'another database',
      ({ heroku }) => {
        heroku.attach('main-db', 'GREEN', null);
        heroku.attachments = heroku.attachments.filter((one) => one.name !== 'DATABASE');
        heroku.vars['DATABASE_URL'] = 'sqlite:///x.db';
      },
      /DATABASE_URL is not main-db's/,
    ],
    ['a token that runs out', ({ heroku }) => void (heroku.tokenExpiresIn = 7_200), /expires in 2 hours/],
    [
      'a database that is away',
      ({ database }) => void (database.unreachable = new ConnectionError('refused', { cause: new Error('refused') })),
      /main-db cannot be asked/,
    ],
  ])('%s is a problem, and no failure', async (_, harm, problem) => {
    const world = watched();
    harm(world);
    const { evidence } = await world.perform('watch-sample', baseline);
    expect(evidence.healthy).toBe(false);
    expect(evidence.problems.join('\n')).toMatch(problem);
    expect(evidence.problems).toHaveLength(1);
  });

  test('it fails where the platform cannot be asked', async () => {
    const world = watched();
    world.heroku.client.listReleases = () => Promise.reject(new NoAnswerError('Heroku', 'GET', new Error('hung up')));
    await expectRefusal(world, 'watch-sample', 'PlatformUnavailable', /did not answer/);
  });
});

describe('open-follow-ups', () => {
  test('each is opened once, also after it was interrupted, closed, or performed by another run', async () => {
    const world = new World();
    world.loseAnswerOf('createIssue');
    await world.perform('open-follow-ups', { report: 'Done.' }).catch(() => undefined);
    expect(world.github.issues).toHaveLength(1);
    const { evidence } = await world.perform('open-follow-ups', { report: 'Done.' }, { attempt: 2 });
    await world.perform('open-follow-ups', { report: 'Done again.', run: 'run-2' });
    expect(evidence.issues.map((one) => one.number)).toEqual([1, 2]);
    expect(world.github.issues).toHaveLength(2);
    expect(world.github.issues[0]).toMatchObject({
      labels: ['chore'],
      body: 'It still bridges.\n\n<!-- cutover:an-app:follow-up:take-the-bridge-away-auth-py -->',
    });
    // One comment a run.
    expect(world.github.comments.map((one) => one.body?.split('\n')[0])).toEqual(['Done.', 'Done again.']);
  });

  test('without a tracking issue nothing is commented', async () => {
    const world = new World(sampleTarget({ followUps: { trackingIssue: undefined } as never }));
    expect((await world.perform('open-follow-ups')).evidence.comment).toBeNull();
    expect(world.github.comments).toEqual([]);
  });

  test('without follow-ups there are none to open', async () => {
    const world = new World({ ...sampleTarget(), followUps: undefined });
    await expectRefusal(world, 'open-follow-ups', 'TargetFileInvalid', /names no follow-ups/);
  });
});
