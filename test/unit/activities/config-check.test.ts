import { describe, expect, test } from '@jest/globals';
import { expectRefusal, withQuickTime } from './world-tests.ts';
import { sampleTarget } from './sample-target.ts';
import { World } from './world.ts';

withQuickTime();

test("the attached add-on's own URL is accepted, and the evidence holds no secret", async () => {
  const world = new World();
  const { did, evidence } = await world.perform('config-check');
  expect(did).toBe('observed');
  expect(evidence).toMatchObject({
    variable: 'DATABASE_URL',
    scheme: 'postgres',
    attachment: 'DATABASE',
    addon: 'main-db',
    plan: 'heroku-postgresql:standard-0',
    promote: null,
    serverVersion: '16.4',
    tls: { version: 'TLSv1.3', fingerprint: 'AB:CD' },
  });
  expect(JSON.stringify(evidence)).not.toContain(world.heroku.password);
});

test.each([
  'heroku-postgresql:standard-0',
  'heroku-postgresql:premium-4',
  'heroku-postgresql:private-0',
  'heroku-postgresql:shield-2',
])('the plan %s will do', async (plan) => {
  const world = new World();
  world.heroku.addons = [{ id: 'id-main-db', name: 'main-db', plan: { name: plan } }];
  expect((await world.perform('config-check')).evidence.plan).toBe(plan);
});

test('postgresql:// is as good as postgres://', async () => {
  const world = new World();
  world.heroku.vars['DATABASE_URL'] = world.heroku.urlOf('main-db').replace('postgres:', 'postgresql:');
  expect((await world.perform('config-check')).evidence.scheme).toBe('postgresql');
});

describe('refused, with the command that mends it', () => {
  const promote = /heroku pg:promote .* -a an-app/;
  const url = (change: (url: string) => string) => (world: World) => {
    world.heroku.vars['DATABASE_URL'] = change(world.heroku.urlOf('main-db'));
  };
  const plan = (name: string) => (world: World) => {
    world.heroku.addons = [{ id: 'id-main-db', name: 'main-db', plan: { name } }];
  };
  const cases: [string, (world: World) => void, Parameters<typeof expectRefusal>[2], RegExp][] = [
    ['an empty variable', url(() => ''), 'DatabaseUrlEmpty', /is empty/],
    [
      'no variable',
      ({ heroku }) => {
        heroku.vars = {};
        heroku.attachments = [];
      },
      'DatabaseUrlEmpty',
      /is empty/,
    ],
    ['SQLite', url(() => 'sqlite+pysqlite:///./app.db'), 'DatabaseUrlSqlite', /points to SQLite/],
    [
      'another scheme',
      url((text) => text.replace('postgres:', 'mysql:')),
      'DatabaseUrlForeign',
      /not a PostgreSQL URL/,
    ],
    ['junk', url(() => 'postgres:// not a url %%'), 'DatabaseUrlForeign', /not a PostgreSQL URL/],
    [
      'another host',
      url((text) => text.replace('db.example', 'other.example')),
      'DatabaseUrlForeign',
      /another host, database or user/,
    ],
    [
      'another port',
      url((text) => text.replace(':5432/', ':5433/')),
      'DatabaseUrlForeign',
      /another host, database or user/,
    ],
    ['another database', url((text) => `${text}-2`), 'DatabaseUrlForeign', /another host, database or user/],
    [
      'another user',
      url((text) => text.replace('//owner:', '//somebody:')),
      'DatabaseUrlForeign',
      /another host, database or user/,
    ],
    [
      'a user with a bare %',
      url((text) => text.replace('//owner:', '//own%zzer:')),
      'DatabaseUrlForeign',
      /another host, database or user/,
    ],
    [
      'a URL that was set by hand',
      ({ heroku }) => {
        heroku.attachments = [];
      },
      'DatabaseUrlForeign',
      /was set by hand: no attachment DATABASE provides it/,
    ],
    [
      'an attachment of another credential',
      ({ heroku }) => void heroku.attach('main-db', 'DATABASE', 'credential:reporting'),
      'DatabaseUrlForeign',
      /no attachment DATABASE provides it/,
    ],
    [
      'Essential',
      plan('heroku-postgresql:essential-0'),
      'DatabasePlanTooSmall',
      /main-db on heroku-postgresql:essential-0/,
    ],
    ['its predecessor', plan('heroku-postgresql:mini'), 'DatabasePlanTooSmall', /heroku-postgresql:mini/],
    ['an Advanced plan', plan('heroku-postgresql:advanced'), 'DatabasePlanUnsupported', /heroku-postgresql:advanced/],
    ['another add-on service', plan('other-postgres:standard-0'), 'DatabasePlanUnsupported', /other-postgres/],
  ];
  test.each(cases)('%s', async (_, prepare, type, message) => {
    const world = new World();
    prepare(world);
    const failure = await expectRefusal(world, 'config-check', type, message);
    expect(failure.message).toMatch(promote);
  });

  test('another add-on than the target names', async () => {
    const world = new World(sampleTarget({ database: { attachment: 'DATABASE', addon: 'other-db' } as never }));
    await expectRefusal(world, 'config-check', 'DatabaseUrlForeign', /is the add-on main-db; expected other-db/);
  });

  test('a connection that is not encrypted', async () => {
    const world = new World();
    world.database.tls = { ...world.database.tls, version: '' };
    await expectRefusal(world, 'config-check', 'DatabaseNotEncrypted', /not encrypted; expected TLS/);
  });

  test('a database that takes no writes', async () => {
    for (const [field, word] of [
      ['recovering', 'follower'],
      ['readOnly', 'read-only'],
    ] as const) {
      const world = new World();
      world.database[field] = true;
      await expectRefusal(world, 'config-check', 'DatabaseReadOnly', new RegExp(word));
    }
  });

  test('an app in maintenance, or on a platform without one-off dynos', async () => {
    const resting = new World();
    resting.heroku.details = { ...resting.heroku.details, maintenance: true };
    await expectRefusal(resting, 'config-check', 'AppInMaintenance', /maintenance:off -a an-app/);
    const modern = new World();
    modern.heroku.details = { ...modern.heroku.details, generation: { name: 'fir' } };
    await expectRefusal(modern, 'config-check', 'AppUnsupported', /fir/);
  });
});

test('a database that does not answer is tried again', async () => {
  const world = new World();
  world.database.unreachable = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  await expect(world.perform('config-check')).rejects.toMatchObject({
    type: 'DatabaseUnreachable',
    nonRetryable: false,
  });
});

test('a target file that changed under the run stops every step that asks for it', async () => {
  const world = new World();
  await expectRefusal(
    world,
    'config-check',
    'TargetChanged',
    /has the digest c3c3c3c3c3c3, and the run was started with 0000/,
    {
      call: { targetDigest: '0'.repeat(64) },
    },
  );
});

describe('where the target allows promoting', () => {
  const allowing = (): World => {
    const world = new World(sampleTarget({ database: { attachment: 'DATABASE', promote: true } as never }));
    world.heroku.vars = {};
    world.heroku.attachments = [];
    return world;
  };

  test('an empty variable is a step of the plan, on the only add-on that will do', async () => {
    const world = allowing();
    world.heroku.attach('main-db', 'GREEN', null);
    expect((await world.perform('config-check')).evidence).toMatchObject({
      addon: 'main-db',
      attachment: 'GREEN',
      promote: expect.stringMatching(/is empty/),
    });
  });

  test('two add-ons that would do are for a person to choose', async () => {
    const world = allowing();
    world.heroku.attach('main-db', 'GREEN', null);
    world.heroku.addAddon('second-db', 'heroku-postgresql:standard-0');
    world.heroku.attach('second-db', 'BLUE', null);
    await expectRefusal(world, 'config-check', 'DatabaseUrlEmpty', /pg:promote main-db .* pg:promote second-db /);
  });

  test('no add-on that would do', async () => {
    const world = allowing();
    world.heroku.addAddon('small-db', 'heroku-postgresql:essential-0');
    world.heroku.attach('small-db', 'SMALL', null);
    await expectRefusal(world, 'config-check', 'DatabaseUrlEmpty', /is empty/);
  });
});
