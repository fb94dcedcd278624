import { cp } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor } from '../../rehearsal/apps.ts';
import { createRig, playPeople, type Rig } from './cutover-rig.ts';
import { refusal } from './steering.ts';
import { configVars, connectAs, setConfigVars } from './world.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await createRig();
  rig.startWorker();
});
afterAll(() => rig.close());

describe('a database variable that is not the attached Standard-0', () => {
  test('empty', async () => {
    const app = await rig.add(raptor, { attachAs: null });
    const { type, message, writes } = await refusal(rig, app);
    expect(type).toBe('DatabaseUrlEmpty');
    expect(message).toContain('heroku pg:promote');
    expect(writes).toEqual([]);
  });

  test('SQLite', async () => {
    const app = await rig.add(raptor, {
      attachAs: null,
      configVars: { DATABASE_URL: 'sqlite+pysqlite:///./raptor.db' },
    });
    const { type, message, writes } = await refusal(rig, app);
    expect(type).toBe('DatabaseUrlSqlite');
    expect(message).toContain('heroku pg:promote');
    expect(writes).toEqual([]);
  });

  test('on Essential-0', async () => {
    const app = await rig.add({ ...raptor, addon: { name: 'small-db', plan: 'essential-0' } });
    const { type, message, writes } = await refusal(rig, app);
    expect(type).toBe('DatabasePlanTooSmall');
    expect(message).toContain('Standard-0');
    expect(writes).toEqual([]);
  });

  test('a PostgreSQL URL that no attachment provides', async () => {
    const other = await rig.add({ ...raptor, addon: { name: 'other-db', plan: 'standard-0' } });
    const app = await rig.add(raptor, { attachAs: null });
    await setConfigVars(rig, app, { DATABASE_URL: (await configVars(rig, other))['DATABASE_URL'] ?? '' });
    const { type, writes, message } = await refusal(rig, app);
    expect(type).toBe('DatabaseUrlForeign');
    expect(message).toContain('was set by hand');
    expect(writes).toEqual([]);
  });
});

test('a target file with several mistakes: all of them are named at once, and no request is made', async () => {
  const app = await rig.add(
    { ...raptor, addon: { name: 'mistaken-db', plan: 'standard-0' } },
    {
      target: (target) => {
        target['flag'] = { name: 'lower-case', value: '' };
        target['extra'] = true;
        delete target['smoke'];
      },
    },
  );
  const requests = rig.platform.heroku.requests.length;
  const { type, message } = await refusal(rig, app);
  expect(type).toBe('TargetFileInvalid');
  for (const mistake of ['flag.name', 'flag.value', 'smoke', 'extra']) expect(message).toContain(mistake);
  expect(rig.platform.heroku.requests).toHaveLength(requests);
});

test('an unknown app', async () => {
  const { type, message } = await refusal(rig, { ...raptor, herokuApp: 'nobodys-app' });
  expect(type).toBe('UnknownApp');
  expect(message).toContain('nobodys-app');
});

test('an input that brings policy, commands or URLs', async () => {
  const app = await rig.add({ ...raptor, addon: { name: 'policy-db', plan: 'standard-0' } });
  const requests = rig.platform.heroku.requests.length;
  const { type } = await refusal(rig, app, { migrations: { upgrade: 'true' }, approvers: ['me'] });
  expect(type).toBe('InputInvalid');
  expect(rig.platform.heroku.requests).toHaveLength(requests);
});

test('a failing smoke suite stops the run before RM-11', async () => {
  const app = await rig.add(
    { ...raptor, addon: { name: 'smoky-db', plan: 'standard-0' } },
    {
      // Its revision names the role, which would then be there before RM-11.
      target: (target) => {
        delete target['pullRequest'];
      },
    },
  );
  rig.platform.github.setSmoke('fail');
  try {
    const handle = await rig.start(app);
    const status = await playPeople(rig, handle, app);
    expect(status.stage).toBe('parked');
    expect(status.items.find((item) => item.id === 'smoke')?.failure).toMatchObject({ type: 'SmokeFailed' });
    expect(Object.keys(await configVars(rig, app)).filter((name) => name !== 'DATABASE_URL')).toEqual([]);
    const { rows } = await connectAs(rig, app, 'DATABASE_URL', (client) =>
      client.query("SELECT 1 FROM pg_roles WHERE rolname = 'raptor_app'"),
    );
    expect(rows).toEqual([]);

    // Mended, the same run goes on from there.
    rig.platform.github.setSmoke('pass');
    await handle.signal('resolve', {
      ...status.waitingFor?.message,
      by: 'Ada',
      action: 'retry',
      reason: 'the suite was mended',
    });
    const end = await playPeople(rig, handle, app, (seen) => seen.stage === 'ended');
    expect(end.outcome).toMatchObject({ result: 'completed' });
  } finally {
    rig.platform.github.setSmoke('pass');
  }
});

test('a failing revision leaves the database as it was', async () => {
  const fixture = path.resolve('test/fixtures/failing-revision/0003_fails.py');
  const app = await rig.add(
    { ...raptor, addon: { name: 'failing-db', plan: 'standard-0' } },
    {
      target: (target) => {
        delete target['pullRequest'];
      },
      alterSlug: async (dir) => {
        await cp(fixture, path.join(dir, 'backend_v2/alembic/versions/0003_fails.py'));
      },
    },
  );
  const handle = await rig.start(app);
  const status = await playPeople(rig, handle, app);
  expect(status.stage).toBe('parked');
  expect(status.items.find((item) => item.id === 'upgrade')?.failure).toMatchObject({ type: 'MigrationFailed' });
  const { rows } = await connectAs(rig, app, 'DATABASE_URL', (client) =>
    client.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"),
  );
  expect(rows).toEqual([]);

  await handle.signal('resolve', {
    ...status.waitingFor?.message,
    by: 'Ada',
    action: 'abort',
    reason: 'the revision must be mended',
  });
  expect((await handle.result()).outcome).toMatchObject({ result: 'aborted', by: 'Ada' });
});
