import { describe, expect, test } from '@jest/globals';
import { sampleTarget } from './sample-target.ts';
import { expectRefusal, withQuickTime } from './world-tests.ts';
import { World } from './world.ts';

withQuickTime();

/** A world after RM-11. */
async function afterRm11(target = sampleTarget()): Promise<World> {
  const world = new World(target);
  await world.heroku.client.createCredential('main-db', 'app_role');
  world.heroku.attach('main-db', 'APP_ROLE_DATABASE', 'credential:app_role');
  world.heroku.vars['FLAG_ROLE'] = '1';
  world.database.privileges.add('SELECT on orders');
  return world;
}

const holding = (world: World, name: string) => ({
  ...world.heroku.attach('main-db', 'REPORTS', 'credential:app_role'),
  app: { id: `app-${name}`, name },
});

test('flag-off: a flag of any value goes', async () => {
  const world = await afterRm11();
  world.heroku.vars['FLAG_ROLE'] = 'half';
  await world.perform('flag-off');
  expect(world.heroku.vars).not.toHaveProperty('FLAG_ROLE');
});

describe('revoke-grants', () => {
  test('a role that is gone has nothing left', async () => {
    const world = new World();
    world.database.roleExists = false;
    expect(await world.perform('revoke-grants')).toEqual({
      did: 'already',
      evidence: { role: 'app_role', exists: false, privileges: 0 },
    });
  });

  test('what the owner gave goes, and what others gave is named', async () => {
    const world = await afterRm11();
    world.database.foreignPrivileges = ['SELECT on audit'];
    const message = /still has 1 privileges in main-db: SELECT on audit; expected none/;
    await expectRefusal(world, 'revoke-grants', 'GrantsDiffer', message, { changes: true });
    expect(world.database.privileges).toEqual(new Set());
    await expectRefusal(world, 'revoke-grants', 'GrantsDiffer', message);
  });
});

describe('unbind-url', () => {
  test('every attachment of the credential goes, and a variable that was set by hand', async () => {
    const world = await afterRm11(sampleTarget({ role: { bindBy: 'config-var' } }));
    world.heroku.attachments = world.heroku.attachments.filter((one) => one.name !== 'APP_ROLE_DATABASE');
    world.heroku.attach('main-db', 'BY_SOMEBODY', 'credential:app_role');
    await world.perform('unbind-url');
    expect(world.heroku.attachments.map((one) => one.name)).toEqual(['DATABASE']);
    expect(Object.keys(world.heroku.vars)).toEqual(['DATABASE_URL', 'FLAG_ROLE']);
  });

  test("an attachment of that name that is not the cutover's stays", async () => {
    const world = await afterRm11();
    world.heroku.attach('main-db', 'APP_ROLE_DATABASE', null);
    await expectRefusal(world, 'unbind-url', 'BindingForeign', /is main-db \(its default credential\).*addons:detach/);
  });
});

describe('drop-credential', () => {
  test('an app that holds it is named, with the command that a person would run', async () => {
    const world = await afterRm11();
    const elsewhere = holding(world, 'reports-app');
    world.heroku.attachments = world.heroku.attachments.filter((one) => one.namespace === null);
    world.heroku.elsewhere = [elsewhere];
    await expectRefusal(
      world,
      'drop-credential',
      'CredentialHeldElsewhere',
      /still attached: reports-app \(REPORTS\).*`heroku addons:detach REPORTS -a reports-app`/,
    );
    world.heroku.elsewhere = [];
    expect((await world.perform('drop-credential')).evidence).toEqual({ credential: 'app_role', addon: 'main-db' });
  });

  test('it is found where DATABASE is detached already', async () => {
    const world = await afterRm11();
    await world.perform('to-sqlite');
    await world.perform('unbind-url');
    expect((await world.perform('drop-credential')).did).toBe('acted');
    expect(world.heroku.credentials.get('main-db')?.map((one) => one.name)).toEqual(['default']);
  });
});

describe('verify-owner-sessions', () => {
  test("the app's sessions are the owner's", async () => {
    const world = await afterRm11();
    world.database.sessions = [
      { user: 'owner', application: 'web' },
      { user: 'app_role', application: 'cutover-runbook' },
    ];
    expect((await world.perform('verify-owner-sessions')).evidence).toEqual({ role: 0, owner: 1 });
  });

  test.each([
    [
      'the role is still there',
      [{ user: 'app_role', application: 'web' }],
      /0 sessions of the owner and 1 of app_role.*The role's: web/,
    ],
    ['nobody is there', [], /0 sessions of the owner and 0 of app_role; expected at least one and none\. End/],
  ])('refused where %s', async (_, sessions, message) => {
    const world = await afterRm11();
    world.database.sessions = sessions;
    await expectRefusal(world, 'verify-owner-sessions', 'SessionsDiffer', message);
  });
});
