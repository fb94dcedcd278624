import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { createRig, type Rig } from './cutover-rig.ts';
import { clientOf, eventually } from './heroku-client.ts';
import {
  addRevision,
  dynosOf,
  endRun,
  playTo,
  revisionOf,
  stepOf,
  whyRetried,
  withoutPullRequest,
  withSuperuser,
  type ListedDyno,
} from './run-control.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await createRig();
  rig.startWorker();
});
afterAll(() => rig.close());

/** A number that only these tests lock: the revision waits for it, and so shows when it has got there. */
const gate = 4711;
const waitsAtGate = (dir: string): Promise<void> =>
  addRevision(dir, '0003_waits', '0002_paper_orders', `op.execute("SELECT pg_advisory_xact_lock(${gate})")`);

async function startedApp(
  addon: string,
  migrations: Record<string, unknown>,
  alterSlug?: (dir: string) => Promise<void>,
) {
  const app = await rig.add(
    { ...raptor, addon: { name: addon, plan: 'standard-0' } },
    {
      ...(alterSlug ? { alterSlug } : {}),
      target: (target) => {
        withoutPullRequest(target);
        Object.assign(target['migrations'] as object, migrations);
      },
    },
  );
  return { app, start: () => rig.start(app) };
}

const upgradeDyno = (app: RehearsedApp, mark: string): Promise<ListedDyno | undefined> =>
  eventually(
    async () => (await dynosOf(rig, app)).find(({ command, state }) => command.includes(mark) && state === 'up'),
    (dyno) => dyno !== undefined,
  );
const stop = (app: RehearsedApp, dyno: ListedDyno | undefined): Promise<unknown> =>
  clientOf(rig.platform.heroku)('POST', `/apps/${app.herokuApp}/dynos/${dyno?.name}/actions/stop`);

describe('a one-off dyno that dies without a status', () => {
  test('before it has changed anything: another one does it', async () => {
    const { app, start } = await startedApp('died-early-db', { lockTimeoutSeconds: 60 }, waitsAtGate);
    await withSuperuser(rig, app, async (client) => {
      await client.query(`SELECT pg_advisory_lock(${gate})`);
      const handle = await start();
      await playTo(rig, handle, app, 'upgrade', 'running');
      // The command says whose it is, to people too: the run, its step and the attempt.
      const dyno = await upgradeDyno(app, `cutover/${(await handle.describe()).runId}/upgrade/1;`);
      await eventually(
        async () => (await client.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")).rowCount,
        (waiting) => waiting === 1,
      );
      await stop(app, dyno);
      const { type, message } = await whyRetried(handle);
      expect(type).toBe('OutcomeUnknown');
      expect(message).toContain(
        `${dyno?.name} ended without a status: it was killed, or its stream was lost. The version table settles`,
      );
      await client.query(`SELECT pg_advisory_unlock(${gate})`);

      const status = await playTo(rig, handle, app, 'upgrade');
      expect(stepOf(status, 'upgrade')).toMatchObject({ state: 'done', did: 'acted', evidence: { to: '0003_waits' } });
      expect((stepOf(status, 'upgrade').evidence as { dyno: string }).dyno).not.toBe(dyno?.name);
      await endRun(handle);
    });
  });

  test('after it has changed everything: the version table settles it, and no other one is started', async () => {
    const upgrade = 'alembic upgrade head && sleep 600';
    const { app, start } = await startedApp('died-late-db', { upgrade });
    const handle = await start();
    await playTo(rig, handle, app, 'upgrade', 'running');
    const dyno = await upgradeDyno(app, upgrade);
    await eventually(
      () => revisionOf(rig, app),
      (revision) => revision === '0002_paper_orders',
    );
    await stop(app, dyno);
    const status = await playTo(rig, handle, app, 'upgrade');
    expect(stepOf(status, 'upgrade')).toMatchObject({ state: 'done', did: 'settled', evidence: { dyno: null } });
    expect((await dynosOf(rig, app)).filter(({ command }) => command.includes(upgrade))).toEqual([]);
    await endRun(handle);
  });
});

test('another upgrade of the database: waited for, not joined', async () => {
  const { app, start } = await startedApp('shared-db', {});
  await withSuperuser(rig, app, async (client) => {
    // As the cutover of another app that shares the database would.
    await client.query("SELECT pg_advisory_lock(hashtext('cutover upgrade'))");
    const handle = await start();
    await playTo(rig, handle, app, 'upgrade', 'running');
    const { type, message } = await whyRetried(handle);
    expect(type).toBe('MigrationUnderway');
    expect(message).toContain('Another session holds the upgrade lock');
    expect(await revisionOf(rig, app)).toBeUndefined();
    await client.query('SELECT pg_advisory_unlock_all()');
    const status = await playTo(rig, handle, app, 'upgrade');
    expect(stepOf(status, 'upgrade')).toMatchObject({ state: 'done', did: 'acted' });
    await endRun(handle);
  });
});

test("somebody's lock on a table: given up on in time, so that readers are not queued behind it, and tried again", async () => {
  const { app, start } = await startedApp('locked-db', { lockTimeoutSeconds: 0.3 }, (dir) =>
    addRevision(dir, '0003_alters', '0002_paper_orders', 'op.execute("ALTER TABLE held ADD COLUMN late integer")'),
  );
  await withSuperuser(rig, app, async (client) => {
    const { rows } = await client.query<{ owner: string }>(
      'SELECT rolname AS owner FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE datname = current_database()',
    );
    await client.query('CREATE TABLE held (id integer)');
    await client.query(`ALTER TABLE held OWNER TO ${client.escapeIdentifier(rows[0]?.owner ?? '')}`);
    await client.query('BEGIN');
    await client.query('SELECT FROM held');
    const handle = await start();
    await playTo(rig, handle, app, 'upgrade', 'running');
    const { type, message } = await whyRetried(handle);
    expect(type).toBe('DatabaseBusy');
    expect(message).toContain('It gave up on a lock after 0.3 s');
    expect(message).toContain(`heroku pg:locks -a ${app.herokuApp}`);
    expect(await revisionOf(rig, app)).toBeUndefined();
    await client.query('COMMIT');
    const status = await playTo(rig, handle, app, 'upgrade');
    expect(stepOf(status, 'upgrade')).toMatchObject({ state: 'done', did: 'acted', evidence: { to: '0003_alters' } });
    await endRun(handle);
  });
});
