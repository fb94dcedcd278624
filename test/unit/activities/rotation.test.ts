import { describe, expect, test } from '@jest/globals';
import type { StepCall } from '../../../workflows/steps.ts';
import { sqlError } from './fake-database.ts';
import { rotationOfOwner } from './rotation-call.ts';
import { expectRefusal, withQuickTime } from './world-tests.ts';
import { World } from './world.ts';

withQuickTime();

describe('the old password, once everybody has the new one', () => {
  test('is refused', async () => {
    const world = new World();
    const { evidence } = await world.perform('rotate-credential', rotationOfOwner(world));
    expect(evidence).toMatchObject({ oldPassword: 'refused' });
    expect(world.heroku.rotations).toBe(1);
  });

  test('is tried again where it is accepted for a while', async () => {
    const world = new World();
    const { accepts } = world.database;
    const until = Date.now() + 20_000;
    world.database.accepts = (url) => Date.now() < until || accepts(url);
    const { evidence } = await world.perform('rotate-credential', rotationOfOwner(world));
    expect(evidence).toMatchObject({ oldPassword: 'refused' });
    expect(Date.now()).toBeGreaterThanOrEqual(until);
  });

  test('is tried again where the server cannot be asked: nobody has it later', async () => {
    const world = new World();
    world.database.unreachable = sqlError('57P03', 'the database system is starting up');
    setTimeout(() => (world.database.unreachable = undefined), 20_000);
    const { evidence } = await world.perform('rotate-credential', rotationOfOwner(world));
    expect(evidence).toMatchObject({ oldPassword: 'refused' });
  });

  test('is not said to be refused where the server stays away', async () => {
    const world = new World();
    world.database.unreachable = sqlError('57P03', 'the database system is starting up');
    const failed = world.perform('rotate-credential', rotationOfOwner(world));
    await expect(failed).rejects.toMatchObject({ type: 'DatabaseUnreachable', nonRetryable: false });
    expect(world.heroku.rotations).toBe(1);
  });

  test('that stays accepted stops the run, and the platform is not asked twice', async () => {
    const world = new World();
    world.database.accepts = () => true;
    await expectRefusal(
      world,
      'rotate-credential',
      'OldPasswordAccepted',
      /still opens a session of an-app's database/,
      {
        call: rotationOfOwner(world),
        changes: true,
      },
    );
    expect(world.heroku.rotations).toBe(1);
  });
});

describe('verify-rotated', () => {
  const minutesAgo = (minutes: number): number => Date.now() - minutes * 60_000;
  const rotated = (world: World): Partial<StepCall> => ({
    rotation: { ...rotationOfOwner(world).rotation, credential: 'owner', rotatedAt: minutesAgo(5) },
  });
  const asOwner = { user: 'owner', application: 'app' };

  test('the app is connected, and no session is older than the new password', async () => {
    const world = new World();
    world.database.sessions = [asOwner, asOwner];
    world.database.aged = [{ who: 'app (process 1)', age: 60_000 }];
    expect(await world.perform('verify-rotated', rotated(world))).toEqual({
      did: 'observed',
      evidence: { as: 'owner', connected: 2, old: 0 },
    });
  });

  test('a session of before is given time to go', async () => {
    const world = new World();
    world.database.sessions = [asOwner];
    world.database.aged = [{ who: 'app (process 1)', age: 600_000 }];
    setTimeout(() => (world.database.aged = []), 10_000);
    expect((await world.perform('verify-rotated', rotated(world))).evidence.old).toBe(0);
  });

  test.each([
    ['one of before stays', 600_000, /1 sessions of the owner, and 1 of the owner from before.*psql \(process 1\)/],
    ['of one nobody can say when it began', null, /From before: psql \(process 1\)/],
  ])('%s: named, with what ends it', async (_, age, message) => {
    const world = new World();
    world.database.sessions = [asOwner];
    world.database.aged = [{ who: 'psql (process 1)', age }];
    await expectRefusal(world, 'verify-rotated', 'SessionsDiffer', message, { call: rotated(world) });
  });

  test('nobody is connected: not proven', async () => {
    const world = new World();
    await expectRefusal(world, 'verify-rotated', 'SessionsDiffer', /^0 sessions of the owner, and 0/, {
      call: rotated(world),
    });
  });

  test('at most five are named', async () => {
    const world = new World();
    world.database.sessions = [asOwner];
    world.database.aged = Array.from({ length: 7 }, (_, index) => ({ who: `psql (process ${index})`, age: 600_000 }));
    const failure = await expectRefusal(world, 'verify-rotated', 'SessionsDiffer', /and 7 of the owner/, {
      call: rotated(world),
    });
    expect(failure.message.match(/process \d/g)).toHaveLength(5);
  });
});
