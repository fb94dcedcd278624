import { describe, expect, test } from '@jest/globals';
import { expectRefusal, withQuickTime } from './world-tests.ts';
import { World } from './world.ts';

withQuickTime();

test('the evidence tells from where to where, what was applied and by which dyno', async () => {
  const world = new World();
  world.database.revisions = ['0001'];
  const { evidence } = await world.perform('upgrade');
  expect(evidence).toEqual({ from: '0001', to: '0002', applied: ['0002'], dyno: 'run.2' });
});

test("the dyno is marked as the run's, and its session gives up on a lock", async () => {
  const world = new World();
  await world.perform('upgrade', { attempt: 3 });
  const { command, env } = world.heroku.oneOffs.find((one) => one.command.includes('alembic upgrade head')) ?? {};
  expect(command).toContain('cutover/run-1/upgrade/3');
  expect(env).toEqual({ PGOPTIONS: expect.stringContaining('lock_timeout') });
});

test("what the app asks of its sessions is kept beside it, or the migration could miss the app's schema", async () => {
  const world = new World();
  world.heroku.vars['PGOPTIONS'] = '-c search_path=app';
  await world.perform('upgrade');
  const { env } = world.heroku.oneOffs.find((one) => one.command.includes('alembic upgrade head')) ?? {};
  expect(env?.['PGOPTIONS']).toMatch(/^-c search_path=app -c lock_timeout=\d+ms$/);
});

test('nothing is run where the database is at the head already', async () => {
  const world = new World();
  world.database.revisions = ['0002'];
  expect(await world.perform('upgrade')).toEqual({
    did: 'already',
    evidence: { from: '0002', to: '0002', applied: [], dyno: null },
  });
  expect(world.upgrades).toBe(0);
});

describe('the command', () => {
  test('ended with an error: failed, with its last lines and where the database is', async () => {
    const world = new World();
    world.upgrade = () => ({
      output: 'line 1\npsycopg2.errors.UndefinedObject: role "app_role" does not exist',
      status: 1,
    });
    const failure = await expectRefusal(
      world,
      'upgrade',
      'MigrationFailed',
      /ended with status 1 in run\.2; the database is at no revision, expected 0002/,
    );
    expect(failure.message).toContain('role "app_role" does not exist');
  });

  test('ended with an error half way: the message says at which revision', async () => {
    const world = new World();
    world.upgrade = () => {
      world.database.revisions = ['0001'];
      return { output: 'boom', status: 1 };
    };
    await expectRefusal(world, 'upgrade', 'MigrationFailed', /the database is at 0001, expected 0002/, {
      changes: true,
    });
  });

  test('printed a secret: its output is redacted before it is quoted', async () => {
    const world = new World();
    world.upgrade = () => ({ output: `could not connect to ${world.heroku.urlOf('main-db')}`, status: 1 });
    const failure = await expectRefusal(world, 'upgrade', 'MigrationFailed', /could not connect to \[redacted\]/);
    expect(failure.message).not.toContain(world.heroku.password);
  });

  test('was lost before it did anything: unknown, and the next attempt does it once', async () => {
    const world = new World();
    world.upgrade = () => ({ output: 'Running', status: undefined });
    await expect(world.perform('upgrade')).rejects.toMatchObject({ type: 'OutcomeUnknown', nonRetryable: false });
    world.upgrade = undefined;
    expect((await world.perform('upgrade', {}, { attempt: 2 })).did).toBe('acted');
    expect(world.upgrades).toBe(1);
  });

  test('was lost after it did everything: unknown, and the version table settles it', async () => {
    const world = new World();
    world.upgrade = () => {
      world.database.revisions = ['0002'];
      return { output: 'Running', status: undefined };
    };
    await expect(world.perform('upgrade')).rejects.toMatchObject({ type: 'OutcomeUnknown' });
    expect((await world.perform('upgrade', {}, { attempt: 2 })).did).toBe('settled');
    expect(world.heroku.oneOffs.filter((one) => one.command.includes('upgrade head'))).toHaveLength(1);
  });

  test('was killed, and its shell lived to say so: unknown, and the next attempt does it', async () => {
    const world = new World();
    world.upgrade = () => ({ output: 'Killed', status: 137 });
    await expect(world.perform('upgrade')).rejects.toMatchObject({
      type: 'OutcomeUnknown',
      nonRetryable: false,
      message: expect.stringContaining('run.2 ended with status 137: it was killed'),
    });
    world.upgrade = undefined;
    expect((await world.perform('upgrade', {}, { attempt: 2 })).did).toBe('acted');
  });

  test('ended with an error over a database that is at the head: another dyno did it, and it is settled', async () => {
    const world = new World();
    world.upgrade = () => {
      world.database.revisions = ['0002'];
      return { output: 'relation "version_table" already exists', status: 1 };
    };
    await expect(world.perform('upgrade')).rejects.toMatchObject({ type: 'OutcomeUnknown', nonRetryable: false });
    expect((await world.perform('upgrade', {}, { attempt: 2 })).did).toBe('settled');
    expect(world.heroku.oneOffs.filter((one) => one.command.includes('upgrade head'))).toHaveLength(1);
  });

  test('ended well and the version table says otherwise: not in place', async () => {
    const world = new World();
    world.upgrade = () => ({ output: 'nothing to do', status: 0 });
    await expect(world.perform('upgrade')).rejects.toMatchObject({
      type: 'NotInPlace',
      message: expect.stringMatching(/at no revision, the slug's head is 0002/),
    });
  });
});

describe('a dyno of an earlier attempt that still runs', () => {
  const withDyno = (state = 'up', type = 'run'): World => {
    const world = new World();
    world.heroku.dynos.push(
      world.heroku.dyno('run.7', type, 1, state, ': cutover/run-1/upgrade/1; ( alembic upgrade head )'),
    );
    return world;
  };

  test.each(['complete', 'crashed', 'down'])('%s: it is listed still, and is not waited for', async (state) => {
    const world = withDyno(state);
    expect((await world.perform('upgrade', {}, { attempt: 2 })).did).toBe('acted');
  });

  test('that is the release command of the app: waited for too', async () => {
    const world = withDyno('up', 'release');
    setTimeout(() => {
      world.database.revisions = ['0002'];
      end(world);
    }, 30_000);
    expect((await world.perform('upgrade')).did).toBe('already');
    expect(world.upgrades).toBe(0);
  });
  const end = (world: World): void =>
    void (world.heroku.dynos = world.heroku.dynos.filter((one) => one.name !== 'run.7'));

  test('is waited for, and what it did counts', async () => {
    const world = withDyno();
    setTimeout(() => {
      world.database.revisions = ['0002'];
      end(world);
    }, 30_000);
    expect((await world.perform('upgrade', {}, { attempt: 2 })).did).toBe('settled');
    expect(world.upgrades).toBe(0);
  });

  test('is waited for, and when it died over it the upgrade is run', async () => {
    const world = withDyno();
    let joined = false;
    setTimeout(() => {
      joined = world.upgrades > 0;
      end(world);
    }, 30_000);
    expect((await world.perform('upgrade', {}, { attempt: 2 })).did).toBe('acted');
    expect(joined).toBe(false);
    expect(world.upgrades).toBe(1);
  });

  test('for ever: not in place, and never joined by a second one', async () => {
    const world = withDyno();
    await expect(world.perform('upgrade', {}, { attempt: 2 })).rejects.toMatchObject({
      type: 'NotInPlace',
      message: expect.stringContaining('run.7 is running'),
    });
    expect(world.upgrades).toBe(0);
  });
});

describe('refused before it is run', () => {
  test('another session holds the upgrade lock', async () => {
    const world = new World();
    world.database.lockedElsewhere = true;
    await expectRefusal(world, 'upgrade', 'MigrationUnderway', /Another session holds the upgrade lock/);
  });

  test('the database is at a revision that the slug does not know', async () => {
    const world = new World();
    world.database.revisions = ['9999'];
    await expectRefusal(
      world,
      'upgrade',
      'MigrationHeadsUnclear',
      /at the revision 9999, which the slug does not know/,
    );
  });

  test('the database is at two revisions', async () => {
    const world = new World();
    world.database.revisions = ['0001', '0001b'];
    await expectRefusal(world, 'upgrade', 'MigrationHeadsUnclear', /version_table holds 2 revisions \(0001, 0001b\)/);
  });

  test('the slug has several heads', async () => {
    const world = new World();
    world.revisions = ['0001 (head), x\n<base> -> 0002'];
    await expectRefusal(world, 'upgrade', 'MigrationHeadsUnclear', /has 2 heads/);
  });

  test("the slug's history cannot be read", async () => {
    const world = new World();
    world.heroku.runCommand = () => ({ output: 'bash: alembic: command not found', status: 127 });
    await expectRefusal(world, 'upgrade', 'MigrationHeadsUnclear', /ended with status 127.*command not found/s);
  });

  test('the dyno that reads the history is lost: it only reads, so it is run again', async () => {
    const world = new World();
    world.heroku.runCommand = () => ({ output: '', status: undefined });
    await expect(world.perform('upgrade')).rejects.toMatchObject({ type: 'OutcomeUnknown', nonRetryable: false });
  });

  test('the dyno that reads the history is killed: it is run again', async () => {
    const world = new World();
    world.heroku.runCommand = () => ({ output: 'Killed', status: 137 });
    await expect(world.perform('upgrade')).rejects.toMatchObject({ type: 'OutcomeUnknown', nonRetryable: false });
  });

  test('the variable points elsewhere by now', async () => {
    const world = new World();
    world.heroku.vars['DATABASE_URL'] = 'sqlite:///./app.db';
    await expectRefusal(world, 'upgrade', 'DatabaseUrlSqlite', /points to SQLite/);
  });
});
