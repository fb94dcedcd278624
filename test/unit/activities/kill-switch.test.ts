import { describe, expect, test } from '@jest/globals';
import { ConnectionError } from 'slonik';
import { releaseCommandBlocksKillSwitch } from '../../../activities/release-command.ts';
import { sampleTarget } from './sample-target.ts';
import { answerOverHttp, expectRefusal, withQuickTime } from './world-tests.ts';
import { World } from './world.ts';

withQuickTime();

const down = new ConnectionError('connect ECONNREFUSED', { cause: new Error('refused') });
const numbers = [
  { type: 'web', quantity: 2 },
  { type: 'worker', quantity: 3 },
];
/** An app with a process besides web. */
function withWorkers(target = sampleTarget()): World {
  const world = new World(target);
  world.heroku.formation = structuredClone(numbers);
  world.heroku.release('Scale', { now: true });
  return world;
}
const quantities = ({ heroku }: World): unknown =>
  Object.fromEntries(heroku.formation.map((one) => [one.type, one.quantity]));
const sealOf = (addon_id: string) => ({ addon_id, sealed_by: 'Rita', run: 'run-0', sealed_at: '2026-05-15T12:00:00Z' });

describe('read-seal', () => {
  test('an unsealed database lets the way back begin', async () => {
    const world = new World();
    expect(await world.perform('read-seal')).toEqual({
      did: 'observed',
      evidence: { addon: 'main-db', copiedFrom: null },
    });
    world.database.bookkeeping.seal = null;
    expect((await world.perform('read-seal')).did).toBe('observed');
  });

  test('a sealed one refuses it, by whatever name the add-on is attached', async () => {
    const world = new World();
    world.database.bookkeeping.seal = sealOf('id-main-db');
    await expectRefusal(world, 'read-seal', 'Sealed', /sealed by Rita at 2026-05-15T12:00:00Z \(run run-0\)/);
    world.heroku.attach('main-db', 'GREEN', null);
    await world.heroku.client.detachAddon('attachment-DATABASE');
    await expectRefusal(world, 'read-seal', 'Sealed', /an-app is launched/);
  });

  test('a seal that a fork brought along does not count', async () => {
    const world = new World();
    world.database.bookkeeping.seal = sealOf('id-leader');
    expect((await world.perform('read-seal')).evidence.copiedFrom).toBe('id-leader');
  });

  test('where the database cannot be asked, that is said', async () => {
    const world = new World();
    world.database.unreachable = down;
    await expectRefusal(world, 'read-seal', 'DatabaseUnreachable', /No connection to PostgreSQL/);
  });
});

describe('the database of the way back', () => {
  async function onSqlite(): Promise<World> {
    const world = new World();
    world.heroku.attach('main-db', 'GREEN', null);
    world.heroku.addAddon('small-db', 'heroku-postgresql:essential-0');
    world.heroku.attach('small-db', 'SMALL', null);
    await world.heroku.client.detachAddon('attachment-DATABASE');
    return world;
  }

  test('is found once its name is detached, beside one on a plan that cannot be it', async () => {
    const world = await onSqlite();
    expect((await world.perform('survey-way-back')).evidence).toMatchObject({
      addon: 'main-db',
      variable: { is: 'empty' },
    });
  });

  test('among several, the one that has the role; without it, it is never guessed', async () => {
    const world = await onSqlite();
    world.heroku.addAddon('other-db', 'heroku-postgresql:premium-0');
    world.heroku.attach('other-db', 'OTHER', null);
    await expectRefusal(world, 'survey-way-back', 'DatabaseUrlForeign', /several \(main-db, other-db\) can be/);
    await world.heroku.client.createCredential('main-db', 'app_role');
    expect((await world.perform('survey-way-back')).evidence.addon).toBe('main-db');
  });

  test('the one that the target names, whatever DATABASE is', async () => {
    const world = await onSqlite();
    world.heroku.addAddon('named-db', 'heroku-postgresql:standard-0');
    world.heroku.attach('named-db', 'NAMED', null);
    world.target = sampleTarget({ database: { addon: 'named-db' } as never });
    expect((await world.perform('survey-way-back')).evidence.addon).toBe('named-db');
  });
});

test('settle-dynos: strangers go on', async () => {
  const world = new World();
  world.heroku.dynos.push(
    world.heroku.dyno('run.7', 'run', 1, 'up', ': cutover/old/upgrade/1; alembic upgrade head'),
    world.heroku.dyno('run.8', 'run', 1, 'up', 'bash # cutover/by hand'),
  );
  expect((await world.perform('settle-dynos')).evidence).toEqual({ stopped: ['run.7'], others: ['run.8'] });
  expect(world.heroku.dynos.map((dyno) => dyno.name)).toContain('run.8');
});

describe('count-rows', () => {
  test('tables that hold nothing of a customer do not count', async () => {
    const world = new World(sampleTarget({ rollback: { referenceTables: ['orders'] } as never }));
    Object.assign(world.database.rowsOf, { orders: 5, version_table: 1 });
    expect((await world.perform('count-rows')).evidence).toEqual({
      tables: 1,
      ignored: ['version_table', 'orders'],
      addons: ['main-db'],
    });
  });

  test('one row of any other table refuses the way back, by table and number', async () => {
    const world = new World();
    Object.assign(world.database.rowsOf, { customers: 1, orders: 12 });
    await expectRefusal(
      world,
      'count-rows-fenced',
      'CustomerRowsExist',
      /main-db has customers: 1, orders: 12\. Expected none/,
    );
  });

  test('rows in another database that still serves the app count too', async () => {
    const world = new World(sampleTarget({ database: { addon: 'new-db' } as never }));
    world.heroku.addAddon('new-db', 'heroku-postgresql:standard-0');
    world.heroku.attach('new-db', 'NEW', null);
    expect((await world.perform('count-rows')).evidence.addons).toEqual(['new-db', 'DATABASE']);
  });
});

describe('the fence', () => {
  test('keeps the numbers, stops everything but web, and gives them back', async () => {
    const world = withWorkers();
    expect((await world.perform('fence')).evidence).toEqual({ kept: numbers, keptIn: 'database', others: [] });
    expect([world.heroku.details.maintenance, quantities(world)]).toEqual([true, { web: 2, worker: 0 }]);
    expect(world.heroku.dynos.map((dyno) => dyno.type)).toEqual(['web', 'web']);
    answerOverHttp(world);
    expect((await world.perform('lift-fence')).evidence).toEqual({ restored: numbers, from: 'database' });
    expect([world.heroku.details.maintenance, quantities(world)]).toEqual([false, { web: 2, worker: 3 }]);
    expect(world.database.bookkeeping.fence).toEqual(new Map());
  });

  test('raised half way, it keeps the numbers that it began with', async () => {
    const world = withWorkers();
    world.heroku.formation.push({ type: 'clock', quantity: 1 });
    world.loseAnswerOf('scale');
    await world.perform('fence').catch(() => undefined);
    // Somebody scales one up again meanwhile.
    await world.heroku.client.scale('an-app', [{ type: 'clock', quantity: 2 }]);
    expect((await world.perform('fence')).evidence.kept).toEqual([...numbers, { type: 'clock', quantity: 2 }]);
  });

  test('what an earlier fence left behind is neither kept again nor given back', async () => {
    const world = withWorkers();
    world.database.bookkeeping.fence = new Map([['worker', 9]]);
    answerOverHttp(world);
    expect((await world.perform('survey-way-back')).evidence).toMatchObject({ fenced: false, formation: numbers });
    await world.perform('lift-fence');
    expect(quantities(world)).toEqual({ web: 2, worker: 3 });
    world.database.bookkeeping.fence = new Map([['gone', 9]]);
    expect((await world.perform('fence')).evidence.kept).toEqual(numbers);
  });

  test('goes up and down without the database, by the numbers that the run has seen', async () => {
    const world = withWorkers();
    world.database.unreachable = down;
    const call = { formation: numbers };
    expect((await world.perform('fence', call)).evidence).toMatchObject({ kept: numbers, keptIn: 'run' });
    answerOverHttp(world);
    expect((await world.perform('lift-fence', call)).evidence.from).toBe('run');
    expect(quantities(world)).toEqual({ web: 2, worker: 3 });
  });

  test('is lifted where nobody knows the numbers: people come first', async () => {
    const world = withWorkers();
    world.database.unreachable = down;
    await world.perform('fence');
    answerOverHttp(world);
    expect((await world.perform('lift-fence')).evidence).toEqual({ restored: [], from: 'nowhere' });
    expect(world.heroku.details.maintenance).toBe(false);
  });
});

describe('to-sqlite', () => {
  test('the add-on keeps another attachment, so that its name may go', async () => {
    const world = new World();
    const { evidence } = await world.perform('to-sqlite');
    expect(evidence).toMatchObject({ variable: 'DATABASE_URL', addon: 'main-db', attachment: 'OTHER_DATABASE' });
    expect(world.heroku.attachments.map((one) => one.name)).toEqual(['OTHER_DATABASE']);
    expect(world.heroku.vars['DATABASE_URL']).toBe('sqlite+pysqlite:///./app.db');
  });

  test('a variable that was set by hand is set once, with the flag', async () => {
    const world = new World();
    world.heroku.attach('main-db', 'GREEN', null);
    world.heroku.attachments = world.heroku.attachments.filter((one) => one.name !== 'DATABASE');
    world.heroku.vars['FLAG_ROLE'] = '1';
    expect((await world.perform('to-sqlite')).evidence.release).toBe(2);
    expect(world.heroku.vars).not.toHaveProperty('FLAG_ROLE');
  });

  test('a release that fails is told, for PostgreSQL serves on', async () => {
    const world = new World();
    world.heroku.attach('main-db', 'GREEN', null);
    world.heroku.attachments = world.heroku.attachments.filter((one) => one.name !== 'DATABASE');
    world.heroku.nextReleaseFails = true;
    await expectRefusal(world, 'to-sqlite', 'ReleaseFailed', /v2 .* has failed: the release before it serves on/, {
      changes: true,
    });
  });

  test('without a block rollback there is no way', async () => {
    const world = new World({ ...sampleTarget(), rollback: undefined });
    await expectRefusal(world, 'to-sqlite', 'TargetFileInvalid', /no block rollback/);
  });
});

describe('on SQLite', () => {
  test('a command that fails, or does not tell, proves nothing', async () => {
    const world = new World();
    world.verify = () => ({ output: 'no such table: orders', status: 1 });
    await expectRefusal(world, 'verify-sqlite', 'SqliteNotProven', /ended with status 1 in run\.1.*no such table/s);
    world.verify = () => ({ output: '', status: undefined });
    await expectRefusal(world, 'verify-sqlite', 'OutcomeUnknown', /without telling its status/);
  });

  test('a command that prints its environment tells none of it, though the step reads no variable', async () => {
    const world = new World();
    world.heroku.vars['SESSION_KEY'] = 'k3y-of-every-session';
    world.verify = () => ({ output: `SESSION_KEY=${world.heroku.vars['SESSION_KEY']}`, status: 1 });
    await expectRefusal(world, 'verify-sqlite', 'SqliteNotProven', /SESSION_KEY=\[redacted\]$/);
  });

  test('serving is what the target says, and the time since the kill switch is told', async () => {
    const world = new World();
    answerOverHttp(world, () => ({ status: 200, body: { dialect: 'sqlite' } }));
    const { evidence } = await world.perform('verify-serving', { killedAt: Date.now() - 42_000 });
    expect(evidence).toMatchObject({ checks: 1, secondsSinceKilled: 42 });
    expect((await world.perform('verify-serving')).evidence.secondsSinceKilled).toBeNull();
  });

  test('an app that stays wrong is not serving', async () => {
    const world = new World();
    answerOverHttp(world, () => ({ status: 200, body: { dialect: 'postgresql' } }));
    await expectRefusal(
      world,
      'verify-serving',
      'NotServing',
      /For 5 s GET \/ready of an-app answered "postgresql" as dialect; expected "sqlite"/,
    );
  });
});

describe('a release command', () => {
  const target = sampleTarget({
    rollback: { releaseCommandsSafeOnSqlite: ['./safe', 'true; alembic upgrade head'] } as never,
  });
  const why = (command: string | null): string | null => releaseCommandBlocksKillSwitch(target, command);

  test('that is not there, or named as safe, does not stop the kill switch', () => {
    expect([why(null), why('./safe'), why('true; alembic upgrade head')]).toEqual([null, null, null]);
  });

  test('that migrates, or that nobody has judged, does', () => {
    expect(why('alembic upgrade head && ./seed')).toMatch(/runs the migrations/);
    expect(why('./safe --twice')).toMatch(/does not name as safe/);
    expect(releaseCommandBlocksKillSwitch({ ...target, rollback: undefined }, './safe')).toMatch(/does not name/);
  });
});
