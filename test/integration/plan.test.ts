import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { runTool } from '../../rehearsal/run-tool.ts';
import { scenarios } from '../../rehearsal/scenarios.ts';
import { typescriptFlags } from '../../scripts/run-node.mjs';
import type { Plan } from '../../workflows/facts.ts';
import { hazards } from '../../workflows/hazards.ts';
import type { Preview } from '../../workflows/preview.ts';
import { createRig, writesOf, type CutoverHandle, type Rig } from './cutover-rig.ts';
import { textOf } from '../../drill/leaks.ts';
import { withSuperuser, withoutPullRequest } from './run-control.ts';
import { startStepRunner, type StepRunner } from './step-runner.ts';
import { atGate, stop, watch } from './steering.ts';
import { connectAs, setConfigVars } from './world.ts';

/** What one-off dynos were asked to run. */
const commands: string[] = [];
let rig: Rig;
let steps: StepRunner;
beforeAll(async () => {
  rig = await createRig({
    heroku: {
      intercept: async ({ method, path: target, body }) => {
        if (method === 'POST' && target.endsWith('/dynos')) commands.push((body as { command: string }).command);
        return undefined;
      },
    },
  });
  rig.startWorker();
  steps = startStepRunner(rig);
});
afterAll(async () => {
  await steps?.stop();
  await rig?.close();
});

/** Everything that PostgreSQL knows of the database's objects and roles; `xmin` changes with each row that is written. */
async function catalogOf(app: RehearsedApp): Promise<unknown> {
  return withSuperuser(rig, app, async (client) => {
    const rows = ['pg_class', 'pg_namespace', 'pg_default_acl', 'pg_attribute', 'pg_proc', 'pg_constraint'].map(
      (table) => `SELECT '${table}', md5(string_agg(t.xmin || ' ' || t::text, ',' ORDER BY t::text)) FROM ${table} t`,
    );
    const roles = `SELECT 'roles', string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles`;
    return (await client.query([...rows, roles].join(' UNION ALL '))).rows;
  });
}

/** Runs mode plan, proves that nothing was written, and answers the plan. */
async function planOf(app: RehearsedApp): Promise<{ plan: Plan; preview: Preview; handle: CutoverHandle }> {
  const [writes, catalog] = [writesOf(rig.platform).length, await catalogOf(app)];
  commands.length = 0;
  const handle = await rig.start(app, { mode: 'plan' });
  const { outcome, plans } = await handle.result();
  expect(outcome).toMatchObject({ result: 'planned' });
  expect(writesOf(rig.platform).slice(writes)).toEqual([]);
  expect(await catalogOf(app)).toEqual(catalog);
  // A dyno is started by a POST that counts as a look: what these run may only list and print.
  expect(commands.filter((one) => /upgrade/.test(one.replaceAll(/upgrade \S+ --sql/g, '')))).toEqual([]);
  const plan = plans.go;
  if (plan?.preview === undefined) throw new Error('the run has no plan with a preview');
  return { plan, preview: plan.preview, handle };
}

/** Starts the cutover itself, and ends it at its first gate. */
async function askedAtGo(app: RehearsedApp): Promise<Plan | null> {
  const handle = await rig.start(app);
  const status = await watch(handle, atGate('go'));
  await stop(handle);
  expect(status.waitingFor?.message['plan']).toBe(status.plans.go?.digest);
  return status.plans.go;
}

/** `npm run plan:sql` in the environment of the rig's worker. */
async function planSql(app: RehearsedApp, ...more: string[]) {
  const args = [...typescriptFlags(), 'worker/plan-sql.ts', app.herokuApp, ...more];
  const { PATH, HOME } = process.env;
  return runTool(process.execPath, args, { env: { PATH, HOME, ...rig.workerEnv }, limitMs: 120_000 });
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('before anything was migrated', () => {
  let app: RehearsedApp;
  let made: Awaited<ReturnType<typeof planOf>>;
  beforeAll(async () => {
    const { options } = scenarios['pr-without-revision'];
    app = await rig.add({ ...raptor, addon: { name: 'fresh-db', plan: 'standard-0' } }, options);
    made = await planOf(app);
  });

  test('it says what a cutover would do', async () => {
    const { preview, plan } = made;
    const file = async (name: string): Promise<string> =>
      sha256(await readFile(`migrations/versions/${name}.py`, 'utf8'));
    expect(preview.revisions).toEqual([
      { revision: '0001_raptor_baseline', sha256: await file('0001_raptor_baseline') },
      { revision: '0002_paper_orders', sha256: await file('0002_paper_orders') },
    ]);
    expect(preview.noSql).toBeNull();
    expect(preview.sql?.command).toMatch(/; alembic upgrade base:0002_paper_orders --sql$/);
    expect(preview.privileges).toEqual([
      '+ GRANT USAGE ON SCHEMA public TO raptor_app',
      expect.stringMatching(
        /^\+ GRANT SELECT, INSERT, UPDATE, DELETE ON admin_sessions, .*, watchlists TO raptor_app$/,
      ),
      '+ GRANT SELECT ON alembic_version TO raptor_app',
      '+ GRANT SELECT, INSERT ON audit_customer_access, audit_events TO raptor_app',
      '+ GRANT USAGE, SELECT ON SEQUENCE every sequence that the revisions create TO raptor_app',
      '+ ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO raptor_app',
      '+ ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO raptor_app',
    ]);
    expect(preview.vars).toEqual([
      '+ RAPTOR_APP_DATABASE_URL (provided by the credential raptor_app)',
      '+ FLAG_RAPTOR_APP_ROLE_SEPARATION',
    ]);
    expect([preview.obstacles, preview.asTheyStand, hazards(plan)]).toEqual([[], [], []]);
  });

  test('the history has the digest of the SQL, and stays small without it', async () => {
    const history = textOf(await made.handle.fetchHistory());
    expect(history).toContain(made.preview.sql?.sha256);
    expect(history).not.toMatch(/CREATE TABLE/);
    expect(JSON.stringify(made.plan).length).toBeLessThan(8_000);
  });

  test('a command prints the SQL of that digest, and says so where it is another one', async () => {
    const digest = made.preview.sql?.sha256 ?? '';
    const out = path.join(rig.dir, 'revisions.sql');
    const [right, wrong] = [
      await planSql(app, '--sha256', digest.slice(0, 12), '--out', out),
      await planSql(app, '--sha256', '0123456789ab'),
    ];
    expect(right).toMatchObject({ code: 0, output: `SHA-256 ${digest}\n` });
    const text = await readFile(out, 'utf8');
    expect(sha256(text)).toBe(digest);
    expect(text.match(/^-- Running upgrade .*$/gm)).toHaveLength(2);
    expect(wrong.code).toBe(1);
    expect(wrong.output).toMatch(/The SQL is not that of the plan, .* Make a new plan\.\n$/);
  });

  test('the cutover asks for the same digest afterwards, and keeps no preview', async () => {
    const { preview: _, ...asked } = made.plan;
    expect(await askedAtGo(app)).toEqual({ ...asked, observations: expect.anything() });
  });
});

test('from Essential-0: the variables that promoting changes, and the same digest', async () => {
  const app = await rig.add(
    { ...raptor, addon: { name: 'grown-db', plan: 'standard-0' } },
    {
      others: [{ name: 'outgrown-db', plan: 'essential-0', attachAs: 'DATABASE' }],
      attachAs: 'AMBER',
      target: withoutPullRequest,
    },
  );
  const { plan, preview } = await planOf(app);
  expect(preview.vars).toEqual([
    '~ DATABASE_URL (provided by grown-db)',
    '+ HEROKU_POSTGRESQL_<COLOUR>_URL (for outgrown-db, the way back)',
    '+ RAPTOR_APP_DATABASE_URL (provided by the credential raptor_app)',
    '+ FLAG_RAPTOR_APP_ROLE_SEPARATION',
  ]);
  expect(hazards(plan)).toEqual([expect.stringMatching(/^the app is moved to another database first: /)]);
  expect((await askedAtGo(app))?.digest).toBe(plan.digest);
});

test('with a role that exists and has wrong privileges, the difference is what is wrong', async () => {
  const app = await rig.add(
    { ...raptor, addon: { name: 'spoilt-db', plan: 'standard-0' } },
    { target: withoutPullRequest },
  );
  await steps.cutOver(app);
  const asOwner = (...statements: string[]): Promise<void> =>
    connectAs(rig, app, 'DATABASE_URL', async (client) => {
      for (const one of statements) await client.query(one);
    });
  expect((await planOf(app)).preview).toMatchObject({
    revisions: [],
    sql: null,
    privileges: [],
    asTheyStand: [],
    vars: [],
    obstacles: [],
  });

  await asOwner(
    'GRANT TRUNCATE, REFERENCES ON orders, trades TO raptor_app',
    'GRANT UPDATE ON alembic_version TO raptor_app',
    'REVOKE SELECT ON customers FROM raptor_app',
    'REVOKE USAGE ON SEQUENCE orders_id_seq FROM raptor_app',
    'GRANT UPDATE ON SEQUENCE trades_id_seq TO raptor_app',
    'GRANT CREATE ON SCHEMA public TO raptor_app, PUBLIC',
    'ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE INSERT ON TABLES FROM raptor_app',
    'GRANT DELETE ON audit_events TO PUBLIC',
  );
  await setConfigVars(rig, app, { FLAG_RAPTOR_APP_ROLE_SEPARATION: 'true' });
  const { plan, preview } = await planOf(app);
  expect(preview.privileges).toEqual([
    '- REVOKE CREATE ON SCHEMA public FROM PUBLIC',
    '- REVOKE CREATE ON SCHEMA public FROM raptor_app',
    '- REVOKE UPDATE ON alembic_version FROM raptor_app',
    '- REVOKE TRUNCATE, REFERENCES ON orders, trades FROM raptor_app',
    '+ GRANT SELECT ON customers TO raptor_app',
    '- REVOKE UPDATE ON SEQUENCE trades_id_seq FROM raptor_app',
    '+ GRANT USAGE ON SEQUENCE orders_id_seq TO raptor_app',
    '+ ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT INSERT ON TABLES TO raptor_app',
  ]);
  expect(preview.vars).toEqual(['~ FLAG_RAPTOR_APP_ROLE_SEPARATION']);
  expect(hazards(plan)).toEqual([
    'raptor_app would have DELETE on audit_events by PUBLIC or a membership, which the matrix does not take away: grants would stop with GrantsDiffer',
  ]);

  // What the lines say is what puts it right.
  await asOwner(...preview.privileges.map((line) => line.slice(2)), 'REVOKE DELETE ON audit_events FROM PUBLIC');
  expect((await planOf(app)).preview).toMatchObject({ privileges: [], obstacles: [] });
});

describe('where the SQL cannot be known beforehand', () => {
  const inSlug = (file: string, change: (text: string) => string) => async (dir: string) => {
    const whole = path.join(dir, file);
    await writeFile(whole, change(await readFile(whole, 'utf8')));
  };
  const versions = 'backend_v2/alembic';

  test.each([
    [
      'a revision reads data',
      inSlug(`${versions}/versions/0002_paper_orders.py`, (text) =>
        text.replace('def upgrade():', 'def upgrade():\n    op.get_bind().execute(sa.text("SELECT 1")).scalar()'),
      ),
      {},
      /needs a database to say what it runs/,
    ],
    [
      'env.py takes no notice and upgrades the database',
      inSlug(`${versions}/env.py`, (text) => text.replace('if context.is_offline_mode():', 'if False:')),
      {},
      /needs a database to say what it runs/,
    ],
    [
      'the command is a script',
      async (dir: string) => writeFile(path.join(dir, 'migrate.sh'), 'alembic upgrade head\n'),
      { upgrade: 'sh migrate.sh upgrade head' },
      /`sh migrate\.sh upgrade head` is not a plain `alembic upgrade`/,
    ],
  ])('%s: the revisions are listed with their digests', async (name, alterSlug, migrations, reason) => {
    const addon = `unknown-${name.length}-db`;
    const app = await rig.add(
      { ...raptor, addon: { name: addon, plan: 'standard-0' } },
      {
        alterSlug,
        target: (target) => {
          withoutPullRequest(target);
          Object.assign(target['migrations'] as object, migrations);
        },
      },
    );
    const { plan, preview } = await planOf(app);
    expect(preview.sql).toBeNull();
    expect(preview.noSql).toMatch(reason);
    expect(preview.revisions).toEqual([
      { revision: '0001_raptor_baseline', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { revision: '0002_paper_orders', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    expect(hazards(plan)).toEqual([expect.stringMatching(/^the SQL of the revisions is not known beforehand: /)]);
    const { code, output } = await planSql(app);
    expect(code).toBe(1);
    expect(output).toMatch(/^There is no SQL beforehand: .* 0001_raptor_baseline, 0002_paper_orders\.\n$/);
  });
});
