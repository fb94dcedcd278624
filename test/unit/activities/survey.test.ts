import { describe, expect, test } from '@jest/globals';
import { planGates, type PlanGate, type PullRequestFacts } from '../../../workflows/facts.ts';
import { sampleTarget } from './sample-target.ts';
import { expectRefusal, withQuickTime } from './world-tests.ts';
import { World } from './world.ts';

withQuickTime();

const pullRequest: PullRequestFacts = {
  number: 12,
  repository: 'owner/name',
  title: 'Grants',
  base: 'main',
  merged: false,
  revisionFiles: [],
};

test('sees what a plan rests on, and changes nothing', async () => {
  const world = new World();
  world.database.revisions = ['0001'];
  world.filesNamingRole = ['db/versions/0002_grants.py', 'db/versions/0001.py'];
  world.heroku.vars['FLAG_ROLE'] = '1';
  world.heroku.vars['SETTING'] = 'a value';
  world.heroku.attach('main-db', 'GREEN', null);
  world.heroku.slug = { ...world.heroku.slug, process_types: { web: 'serve', release: 'alembic upgrade head' } };
  const { did, evidence } = await world.perform('survey', { gate: 'go', pullRequest });
  expect(did).toBe('observed');
  expect(evidence.facts).toEqual({
    app: 'an-app',
    targetDigest: world.target.digest,
    database: {
      attachment: 'DATABASE',
      addonId: 'id-main-db',
      addon: 'main-db',
      plan: 'heroku-postgresql:standard-0',
      promote: null,
      sharedWith: [],
    },
    release: { version: 1, slug: 'slug-1', commit: 'd4'.repeat(20) },
    releaseCommand: 'alembic upgrade head',
    killSwitchBlocked: expect.stringMatching(/every release runs the migrations \(`alembic upgrade head`\)/),
    config: { names: ['SETTING'], digest: expect.stringMatching(/^[0-9a-f]{64}$/), attachments: ['GREEN: main-db'] },
    migrations: { heads: ['0002'], current: '0001', pending: ['0002'], namingRole: ['0002'] },
    matrixDigest: world.target.matrix?.digest,
    role: { credential: 'app_role', state: 'absent', bound: false, flag: true },
    pullRequest,
  });
  expect(evidence.observations).toMatchObject({ tables: 3, rows: 7, serverVersion: '16.4', maintenance: false });
  expect(evidence.digest).toMatch(/^[0-9a-f]{64}$/);
  expect(world.heroku.releases).toHaveLength(1);
});

describe('the digest', () => {
  const digestOf = async (gate: PlanGate, prepare: (world: World) => void = () => undefined): Promise<string> => {
    const world = new World();
    prepare(world);
    return (await world.perform('survey', { gate })).evidence.digest;
  };
  /** What changes a plan, and the gates whose approval is bound to it. */
  const changes: Record<string, { change: (world: World) => void; binds: readonly PlanGate[] }> = {
    nothing: { change: () => undefined, binds: [] },
    'the target file': {
      change: (world) => (world.target = { ...world.target, digest: '9'.repeat(64) }),
      binds: planGates,
    },
    'who may approve': {
      change: (world) =>
        (world.target = { ...world.target, approvals: { ...world.target.approvals, approvers: ['Mallory'] } }),
      binds: planGates,
    },
    'the plan of the add-on': {
      change: ({ heroku }) =>
        (heroku.addons = [{ id: 'id-main-db', name: 'main-db', plan: { name: 'heroku-postgresql:premium-0' } }]),
      binds: planGates,
    },
    'a revision': { change: (world) => (world.revisions = ['0001', '0002', '0003']), binds: planGates },
    "the database's revision": { change: ({ database }) => (database.revisions = ['0001']), binds: planGates },
    'the flag': { change: ({ heroku }) => (heroku.vars['FLAG_ROLE'] = '1'), binds: planGates },
    'a credential': {
      change: ({ heroku }) => void heroku.client.createCredential('main-db', 'app_role'),
      binds: planGates,
    },
    'another app that shares the database': {
      change: ({ heroku }) =>
        heroku.elsewhere.push({
          ...(heroku.attachments[0] as never as (typeof heroku.attachments)[number]),
          id: 'x',
          app: { id: 'app-2', name: 'other-app' },
        }),
      binds: planGates,
    },
    'a config var': { change: ({ heroku }) => (heroku.vars['SETTING'] = 'another'), binds: ['go', 'rm-11'] },
    'another attachment': {
      change: ({ heroku }) => void heroku.attach('main-db', 'GREEN', null),
      binds: ['go', 'rm-11'],
    },
    'a deploy': { change: ({ heroku }) => (heroku.slug = { ...heroku.slug, commit: 'f0'.repeat(20) }), binds: ['go'] },
    'a release': { change: ({ heroku }) => heroku.release('Set a variable'), binds: ['go'] },
    'a release command': {
      change: ({ heroku }) => (heroku.slug = { ...heroku.slug, process_types: { release: 'true' } }),
      binds: ['go'],
    },
    'rows, dynos and sessions': {
      change: ({ heroku, database }) => {
        heroku.dynos = heroku.dynos.slice(1);
        database.sessions = [{ user: 'owner', application: 'app' }];
      },
      binds: [],
    },
  };

  test.each(Object.entries(changes))('of a plan: %s', async (_, { change, binds }) => {
    for (const gate of planGates) {
      expect([gate, (await digestOf(gate)) !== (await digestOf(gate, change))]).toEqual([gate, binds.includes(gate)]);
    }
  });

  test('is another one for another gate', async () => {
    expect(await digestOf('go')).not.toBe(await digestOf('rm-11'));
  });
});

describe('once a plan is approved', () => {
  test('a target that still is as it was is confirmed', async () => {
    const world = new World();
    const { digest } = (await world.perform('survey', { gate: 'go' })).evidence;
    expect(await world.perform('confirm', { gate: 'go', approved: digest })).toEqual({
      did: 'observed',
      evidence: { digest },
    });
  });

  test('one that has changed voids the approval, and both plans are named', async () => {
    const world = new World();
    const { digest } = (await world.perform('survey', { gate: 'go' })).evidence;
    world.heroku.vars['SETTING'] = 'another';
    const now = (await world.perform('survey', { gate: 'go' })).evidence.digest;
    await expect(world.perform('confirm', { gate: 'go', approved: digest })).rejects.toMatchObject({
      type: 'FactsChanged',
      nonRetryable: true,
      message: `what was approved is the plan ${digest.slice(0, 12)}, and an-app is now as in the plan ${now.slice(0, 12)}`,
    });
  });
});

test('where the database must be promoted, the plan says why and is made from the right one', async () => {
  const world = new World(sampleTarget({ database: { attachment: 'DATABASE', promote: true } as never }));
  world.heroku.vars = {};
  world.heroku.attachments = [];
  world.heroku.attach('main-db', 'GREEN', null);
  const { evidence } = await world.perform('survey');
  expect(evidence.facts.database).toMatchObject({
    addon: 'main-db',
    promote: expect.stringMatching(/DATABASE_URL of an-app is empty/),
  });
});

test('a database that the slug does not know is refused before anybody approves anything', async () => {
  const world = new World();
  world.database.revisions = ['9999'];
  await expect(world.perform('survey')).rejects.toMatchObject({ type: 'MigrationHeadsUnclear' });
});

test('an app without a deployed slug', async () => {
  const world = new World();
  world.heroku.releases = world.heroku.releases.map((release) => ({ ...release, slug: null }));
  await expect(world.perform('survey')).rejects.toMatchObject({
    type: 'PlatformAnswerUnexpected',
    message: expect.stringMatching(/Deploy it/),
  });
});

describe('verify-schema', () => {
  test('the schema as the target says: counted, with a fingerprint of what was seen', async () => {
    const world = new World();
    const { evidence } = await world.perform('verify-schema');
    expect(evidence).toMatchObject({
      tables: 3,
      columnsChecked: 3,
      cascades: 1,
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  type Shape = World['database']['shape'];
  const without = (shape: Shape, table: string): Shape => ({
    ...shape,
    tables: shape.tables.filter((name) => name !== table),
  });
  const column = (shape: Shape, name: string, change: object): Shape => ({
    ...shape,
    columns: shape.columns.map((one) => (one.table === 'orders' && one.column === name ? { ...one, ...change } : one)),
  });
  const mistakes: [string, (shape: Shape) => Shape, RegExp][] = [
    ['a missing table', (shape) => without(shape, 'customers'), /the table customers is missing/],
    ['no version table', (shape) => without(shape, 'version_table'), /the table version_table is missing/],
    [
      'a table that nobody expects',
      (shape) => ({ ...shape, tables: [...shape.tables, 'old_orders'] }),
      /the table old_orders is not expected/,
    ],
    [
      'a column of another type',
      (shape) => column(shape, 'id', { type: 'integer' }),
      /orders\.id is integer not null, expected bigint not null/,
    ],
    [
      'a column that may be null',
      (shape) => column(shape, 'id', { required: false }),
      /orders\.id is bigint, expected bigint not null/,
    ],
    [
      'a missing column',
      (shape) => ({ ...shape, columns: shape.columns.filter((one) => one.column !== 'at') }),
      /orders\.at is missing/,
    ],
    [
      'a column that nobody expects',
      (shape) => ({
        ...shape,
        columns: [...shape.columns, { table: 'orders', column: 'note', type: 'text', required: false }],
      }),
      /orders\.note is not expected/,
    ],
    [
      'a time stamp without zone, in whatever table',
      (shape) => ({
        ...shape,
        columns: [
          ...shape.columns,
          { table: 'customers', column: 'born', type: 'timestamp without time zone', required: false },
        ],
      }),
      /customers\.born is a time stamp without time zone/,
    ],
    [
      'a key that does not cascade',
      (shape) => ({ ...shape, foreignKeys: shape.foreignKeys.map((key) => ({ ...key, cascades: false })) }),
      /orders refers to customers \(orders_customer\) and does not cascade/,
    ],
    [
      'one further down that does not',
      (shape) => ({
        ...shape,
        foreignKeys: [...shape.foreignKeys, { name: 'lines_order', from: 'lines', to: 'orders', cascades: false }],
      }),
      /lines refers to orders \(lines_order\) and does not cascade/,
    ],
  ];
  test.each(mistakes)('%s', async (_, change, message) => {
    const world = new World();
    world.database.shape = change(world.database.shape);
    await expectRefusal(world, 'verify-schema', 'SchemaDiffers', message);
  });

  test('all of them at once, and an empty database in few words', async () => {
    const world = new World();
    world.database.shape = {
      tables: Array.from({ length: 500 }, (_, n) => `stray_${n}`),
      columns: [],
      foreignKeys: [],
    };
    const failure = await expectRefusal(
      world,
      'verify-schema',
      'SchemaDiffers',
      /customers is missing; the table orders is missing/,
    );
    expect(failure.message.length).toBeLessThan(5_000);
  });
});
