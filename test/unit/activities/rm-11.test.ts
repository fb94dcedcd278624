import { describe, expect, test } from '@jest/globals';
import { sampleTarget } from './sample-target.ts';
import { expectRefusal, withQuickTime } from './world-tests.ts';
import { World } from './world.ts';

withQuickTime();

const configVar = sampleTarget({ role: { bindBy: 'config-var' } });

/** A world in which the credential exists. */
async function withCredential(target = sampleTarget()): Promise<World> {
  const world = new World(target);
  await world.heroku.client.createCredential('main-db', 'app_role');
  return world;
}

/** A world in which everything before the grants is done. */
async function withBinding(target = sampleTarget()): Promise<World> {
  const world = await withCredential(target);
  world.heroku.attach('main-db', 'APP_ROLE_DATABASE', 'credential:app_role');
  return world;
}

describe('bind-url by attachment', () => {
  test('the platform provides the variable', async () => {
    const world = await withCredential();
    expect((await world.perform('bind-url')).evidence).toEqual({
      variable: 'APP_ROLE_DATABASE_URL',
      by: 'attachment',
      release: 2,
    });
    expect(world.heroku.vars['APP_ROLE_DATABASE_URL']).toBe(world.heroku.urlOf('main-db', 'app_role'));
  });

  test('a variable that was set by hand is not overwritten', async () => {
    const world = await withCredential();
    world.heroku.vars['APP_ROLE_DATABASE_URL'] = world.heroku.urlOf('main-db', 'app_role');
    await expectRefusal(
      world,
      'bind-url',
      'BindingForeign',
      /set by hand.*heroku config:unset APP_ROLE_DATABASE_URL -a an-app/,
    );
  });

  test.each([
    ['another add-on', 'other-db', 'credential:app_role', /is other-db \(credential:app_role\)/],
    ['another credential', 'main-db', 'credential:reporting', /is main-db \(credential:reporting\)/],
    ['the owner', 'main-db', null, /is main-db \(its default credential\)/],
  ])('an attachment of %s is not taken for it', async (_, addon, namespace, message) => {
    const world = await withCredential();
    world.heroku.addAddon('other-db', 'heroku-postgresql:standard-0');
    world.heroku.attach(addon, 'APP_ROLE_DATABASE', namespace);
    const failure = await expectRefusal(world, 'bind-url', 'BindingForeign', message);
    expect(failure.message).toMatch(/heroku addons:detach APP_ROLE_DATABASE -a an-app/);
  });
});

describe('bind-url by config var', () => {
  test("the variable is given the credential's URL, and the result does not hold it", async () => {
    const world = await withCredential(configVar);
    const { did, evidence } = await world.perform('bind-url');
    expect(did).toBe('acted');
    expect(evidence).toEqual({ variable: 'APP_ROLE_DATABASE_URL', by: 'config-var', release: 2 });
    expect(world.heroku.vars['APP_ROLE_DATABASE_URL']).toBe(world.heroku.urlOf('main-db', 'app_role'));
  });

  test('performed again it does nothing', async () => {
    const world = await withCredential(configVar);
    await world.perform('bind-url');
    expect((await world.perform('bind-url')).did).toBe('already');
    expect(world.heroku.releases).toHaveLength(2);
  });
});

describe('credential', () => {
  test('one that is not active yet is waited for and not asked for again', async () => {
    const world = new World();
    world.heroku.credentialTakes = 30_000;
    await world.heroku.client.createCredential('main-db', 'app_role');
    expect(await world.perform('credential')).toEqual({
      did: 'already',
      evidence: { credential: 'app_role', state: 'active' },
    });
    expect(world.heroku.credentials.get('main-db')).toHaveLength(2);
  });
});

describe('grants', () => {
  test('the matrix is applied once, and the evidence says what was tried', async () => {
    const world = await withBinding();
    const { evidence } = await world.perform('grants');
    expect(evidence).toMatchObject({ privileges: 1, allowed: ['SELECT FROM orders'], refused: ['DROP orders'] });
    expect(world.database.privileges).toEqual(new Set(['SELECT on orders']));
  });

  test('looking changes nothing: what the role must be refused is tried and rolled back', async () => {
    const world = await withBinding();
    world.database.privileges = new Set(['SELECT on orders']);
    expect((await world.perform('grants')).did).toBe('already');
    expect(world.database.grantsCommitted).toBe(0);
  });

  test('a privilege that the matrix takes away is taken away', async () => {
    const world = await withBinding();
    world.database.privileges = new Set(['DROP on orders', 'SELECT on orders']);
    expect((await world.perform('grants')).did).toBe('acted');
    expect(world.database.privileges).toEqual(new Set(['SELECT on orders']));
  });

  test('a role that may do more than the target says', async () => {
    const world = await withBinding(sampleTarget({ role: { mayNot: ['DROP orders', 'UPDATE FROM orders'] } }));
    world.database.privileges = new Set(['SELECT on orders', 'UPDATE on orders']);
    await expectRefusal(
      world,
      'grants',
      'GrantsDiffer',
      /app_role still differs .*: it was allowed: UPDATE FROM orders\. Revoke/,
    );
  });

  test('a privilege that comes by PUBLIC or a membership', async () => {
    const world = await withBinding(sampleTarget());
    world.database.privileges = new Set(['SELECT on orders']);
    world.database.inherited = ['DELETE on orders'];
    await expectRefusal(world, 'grants', 'GrantsDiffer', /it has DELETE on orders by PUBLIC or a membership/);
  });

  test('another matrix than the one in the approved plan', async () => {
    const world = await withBinding(sampleTarget());
    await expectRefusal(world, 'grants', 'TargetChanged', /the approved plan has 0{12}\./, {
      call: { matrixDigest: '0'.repeat(64) },
    });
  });

  test('a role that may do less', async () => {
    const world = await withBinding(sampleTarget({ role: { may: ['SELECT FROM orders', 'INSERT FROM orders'] } }));
    world.database.privileges = new Set(['SELECT on orders']);
    await expectRefusal(world, 'grants', 'GrantsDiffer', /it was refused \(42501\): INSERT FROM orders/);
  });

  test('a forbidden statement that fails for another reason proves nothing', async () => {
    const world = await withBinding(sampleTarget({ role: { mayNot: ['DROP ghosts'] } }));
    world.database.privileges = new Set(['SELECT on orders']);
    await expectRefusal(world, 'grants', 'GrantsDiffer', /it was stopped only by 42P01: DROP ghosts/);
  });

  test.each(['may', 'mayNot'] as const)(
    "somebody's lock on a table that the role tries (%s): tried again",
    async (list) => {
      const world = await withBinding(sampleTarget({ role: { [list]: ['SELECT FROM orders'] } }));
      world.database.privileges = new Set(['SELECT on orders']);
      world.database.lockedTables = ['orders'];
      await expect(world.perform('grants')).rejects.toMatchObject({ type: 'DatabaseBusy', nonRetryable: false });
    },
  );

  test("a matrix in the app's repository is the one at the commit that is deployed", async () => {
    const world = await withBinding({
      ...sampleTarget({ role: { grants: { repository: 'owner/name', path: 'db/grants.sql' } } as never }),
      matrix: null,
    });
    world.github.texts.set(
      `db/grants.sql@${'d4'.repeat(20)}`,
      'GRANT SELECT ON orders TO app_role; GRANT INSERT ON orders TO app_role;',
    );
    await world.perform('grants');
    expect(world.database.privileges).toEqual(new Set(['SELECT on orders', 'INSERT on orders']));
  });

  test('and is refused where it would do more than grant', async () => {
    const world = await withBinding({
      ...sampleTarget({ role: { grants: { repository: 'owner/name', path: 'db/grants.sql' } } as never }),
      matrix: null,
    });
    world.github.texts.set(
      `db/grants.sql@${'d4'.repeat(20)}`,
      'GRANT SELECT ON orders TO app_role; DROP TABLE orders;',
    );
    await expectRefusal(world, 'grants', 'GrantMatrixInvalid', /DROP TABLE orders/);
  });
});

test('grants: another matrix than the one that was approved is refused, the same one is not', async () => {
  const world = await withBinding();
  await expectRefusal(world, 'grants', 'TargetChanged', /matrix/i, { call: { matrixDigest: '0'.repeat(64) } });
  expect((await world.perform('grants', { matrixDigest: world.target.matrix?.digest ?? '' })).did).toBe('acted');
});

describe('flag', () => {
  test('another value is not the value', async () => {
    const world = new World();
    world.heroku.vars['FLAG_ROLE'] = '0';
    expect(await world.perform('flag')).toEqual({ did: 'acted', evidence: { flag: 'FLAG_ROLE', release: 2 } });
    expect(world.heroku.vars['FLAG_ROLE']).toBe('1');
  });
});

describe('verify-sessions', () => {
  const app = (user: string) => ({ user, application: 'app' });

  test('the app is there as the role, and nobody as the owner; the runbook itself does not count', async () => {
    const world = await withBinding();
    world.database.sessions = [app('app_role'), app('app_role'), { user: 'owner', application: 'cutover-runbook' }];
    expect(await world.perform('verify-sessions')).toEqual({
      did: 'observed',
      evidence: { role: 2, owner: 0, encrypted: 2 },
    });
  });

  test('the second user name that a rotation gives the credential counts as the role', async () => {
    const world = await withBinding();
    const credential = world.heroku.credentials.get('main-db')?.find((one) => one.name === 'app_role');
    credential?.credentials.push({ user: 'app_role_rotated', state: 'rotating' });
    world.database.sessions = [app('app_role_rotated')];
    expect((await world.perform('verify-sessions')).evidence).toEqual({ role: 1, owner: 0, encrypted: 1 });
  });

  test('sessions of dynos that were just stopped are given time to go', async () => {
    const world = await withBinding();
    world.database.sessions = [app('owner')];
    setTimeout(() => (world.database.sessions = [app('app_role')]), 10_000);
    expect((await world.perform('verify-sessions')).evidence).toEqual({ role: 1, owner: 0, encrypted: 1 });
  });

  test.each([
    ['nobody is connected', [], /0 sessions of app_role and 0 of the owner/],
    [
      'the owner still is',
      [app('app_role'), app('owner')],
      /1 sessions of app_role and 1 of the owner.*The owner's: app \(process 1/,
    ],
    ['only somebody else is', [app('reporting')], /0 sessions of app_role/],
  ])('%s: different', async (_, sessions, message) => {
    const world = await withBinding();
    world.database.sessions = sessions;
    await expectRefusal(world, 'verify-sessions', 'SessionsDiffer', message);
  });

  test('a session of the app without TLS: not encrypted', async () => {
    const world = await withBinding();
    world.database.sessions = [app('app_role'), { ...app('app_role'), plain: true }];
    await expectRefusal(
      world,
      'verify-sessions',
      'DatabaseNotEncrypted',
      /1 of the app's sessions as app_role are not encrypted.*sslmode=require/,
    );
  });
});
