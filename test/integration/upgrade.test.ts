import { cp, mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { createRig, writesOf, type Rig } from './cutover-rig.ts';
import {
  addRevision,
  editSlug,
  endRun,
  playTo,
  retry,
  stepOf,
  withoutPullRequest,
  withSuperuser,
  withTables,
} from './run-control.ts';
import { refusal } from './steering.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await createRig();
  rig.startWorker();
});
afterAll(() => rig.close());

type Options = Parameters<Rig['add']>[1];
const add = (addon: string, options: Options = {}): Promise<RehearsedApp> =>
  rig.add(
    { ...raptor, addon: { name: addon, plan: 'standard-0' } },
    {
      ...options,
      target: (target) => {
        withoutPullRequest(target);
        options.target?.(target);
      },
    },
  );
const tablesOf = (app: RehearsedApp, schema = 'public'): Promise<string[]> =>
  withSuperuser(rig, app, async (client) => {
    const { rows } = await client.query<{ tablename: string }>(
      'SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1',
      [schema],
    );
    return rows.map(({ tablename }) => tablename);
  });

describe('refused before go, and nothing is changed', () => {
  test('a slug with several heads', async () => {
    const app = await add('two-heads-db', {
      alterSlug: (dir) => addRevision(dir, '0002_other', '0001_raptor_baseline', 'pass'),
    });
    const before = writesOf(rig.platform).length;
    const { type, message } = await refusal(rig, app);
    expect(type).toBe('MigrationHeadsUnclear');
    expect(message).toMatch(/has 2 heads \((0002_other, 0002_paper_orders|0002_paper_orders, 0002_other)\)/);
    expect(message).toContain('alembic merge');
    expect(writesOf(rig.platform).slice(before)).toEqual([]);
    expect(await tablesOf(app)).toEqual([]);
  });

  test('a database at a revision that the slug does not know', async () => {
    const app = await add('stranger-db');
    await withSuperuser(rig, app, (client) =>
      client.query("CREATE TABLE alembic_version AS SELECT 'feedface'::varchar(32) AS version_num"),
    );
    // Made by the superuser; on the platform the owner made it.
    await withSuperuser(rig, app, (client) => client.query('GRANT SELECT ON alembic_version TO PUBLIC'));
    const before = writesOf(rig.platform).length;
    const { type, message } = await refusal(rig, app);
    expect(type).toBe('MigrationHeadsUnclear');
    expect(message).toContain('feedface, which the slug does not know');
    expect(message).toContain('Deploy the slug that has it');
    expect(writesOf(rig.platform).slice(before)).toEqual([]);
  });
});

const failing = 'backend_v2/alembic/versions/0003_fails.py';

test.each<[string, string, (dir: string) => Promise<void>]>([
  [
    'a transaction for each revision',
    'step-by-step-db',
    (dir) =>
      editSlug(dir, 'backend_v2/alembic/env.py', 'transaction_per_migration=False', 'transaction_per_migration=True'),
  ],
  [
    'a statement outside any transaction',
    'autocommit-db',
    (dir) =>
      editSlug(
        dir,
        failing,
        'def upgrade():\n',
        'def upgrade():\n    with op.get_context().autocommit_block():\n' +
          '        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_late ON paper_orders (status)")\n',
      ),
  ],
])(
  '%s: a failure leaves the intermediate revision, and the mended slug goes on from it',
  async (_name, addon, alter) => {
    const app = await add(addon, {
      target: withTables('half_way'),
      alterSlug: async (dir) => {
        await cp(path.resolve('test/fixtures/failing-revision/0003_fails.py'), path.join(dir, failing));
        await alter(dir);
      },
    });
    const handle = await rig.start(app);
    const parked = await playTo(rig, handle, app, 'upgrade');
    expect(parked.stage).toBe('parked');
    const { failure } = stepOf(parked, 'upgrade');
    expect(failure).toMatchObject({ type: 'MigrationFailed' });
    expect(failure?.message).toContain('the database is at 0002_paper_orders, expected 0003_fails');
    expect(failure?.message).toContain('Mend the revision, deploy, then try again');
    const left = await tablesOf(app);
    expect(left).toContain('paper_orders');
    expect(left).not.toContain('half_way');

    const mended = path.join(rig.dir, 'slugs', `mended-${addon}`);
    await cp(path.join(rig.dir, 'slugs', `${app.herokuApp}-base`), mended, { recursive: true });
    await editSlug(
      mended,
      failing,
      'op.execute("ALTER TABLE a_table_that_is_not_there ADD COLUMN never INTEGER")',
      'pass',
    );
    await rig.platform.heroku.deploy(app.herokuApp, { dir: mended, commit: 'e'.repeat(40) });
    await retry(handle, parked);
    const status = await playTo(rig, handle, app, 'verify-schema');
    expect(stepOf(status, 'upgrade')).toMatchObject({
      attempt: 2,
      did: 'acted',
      evidence: { from: '0002_paper_orders', to: '0003_fails', applied: ['0003_fails'] },
    });
    expect(stepOf(status, 'verify-schema').state).toBe('done');
    await endRun(handle);
  },
);

test('another name and schema of the version table, made by the migration itself, and another working directory', async () => {
  const app = await add('elsewhere-db', {
    target: (target) => {
      Object.assign(target['migrations'] as object, {
        upgrade: 'cd deploy && alembic upgrade head',
        history: 'cd deploy && alembic history',
        versionTable: 'schema_steps',
        versionTableSchema: 'bookkeeping',
      });
    },
    alterSlug: async (dir) => {
      await mkdir(path.join(dir, 'deploy'));
      await rename(path.join(dir, 'alembic.ini'), path.join(dir, 'deploy/alembic.ini'));
      await editSlug(dir, 'deploy/alembic.ini', '%(here)s/backend_v2', '%(here)s/../backend_v2');
      await editSlug(dir, 'deploy/alembic.ini', 'prepend_sys_path = %(here)s', 'prepend_sys_path = %(here)s/..');
      await editSlug(
        dir,
        'backend_v2/alembic/env.py',
        'context.configure(connection=connection, ',
        'connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS bookkeeping")\n        connection.commit()\n' +
          '        context.configure(connection=connection, version_table="schema_steps", version_table_schema="bookkeeping", ',
      );
    },
  });
  const handle = await rig.start(app);
  const status = await playTo(rig, handle, app, 'verify-schema');
  expect(status.plans.go?.facts.migrations).toMatchObject({ current: null, heads: ['0002_paper_orders'] });
  expect(stepOf(status, 'upgrade')).toMatchObject({ did: 'acted', evidence: { to: '0002_paper_orders' } });
  expect(stepOf(status, 'verify-schema').state).toBe('done');
  expect(await tablesOf(app, 'bookkeeping')).toEqual(['schema_steps']);
  expect(await tablesOf(app)).not.toContain('alembic_version');
  await endRun(handle);
});
