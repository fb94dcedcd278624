import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ledger, raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { startPostgres, type RehearsalPostgres } from '../../rehearsal/postgres.ts';
import { createRig, type Rig } from './cutover-rig.ts';
import { clientOf, eventually } from './heroku-client.ts';
import { ask } from './rehearsed-app.ts';
import { startStepRunner, type StepRunner } from './step-runner.ts';
import { configVars, connectAs } from './world.ts';

let rig: Rig;
let steps: StepRunner;
/** A server of its own: for add-ons with a role that the first one's server has already, and to be stopped. */
let second: RehearsalPostgres;
beforeAll(async () => {
  rig = await createRig();
  second = await startPostgres({ dir: rig.dir });
  steps = startStepRunner(rig);
});
afterAll(async () => {
  await steps?.stop();
  await second?.stop();
  await rig?.close();
});

/** Raptor with a process besides web, which the fence has to stop. */
async function withWorker(dir: string): Promise<void> {
  await appendFile(path.join(dir, 'Procfile'), '\nworker: sleep 600\n');
}

const heroku = (method: string, target: string, body?: unknown) => clientOf(rig.platform.heroku)(method, target, body);
const webUrl = (app: RehearsedApp): string => rig.platform.heroku.webUrl(app.herokuApp);
const dynosOf = async (app: RehearsedApp): Promise<{ name: string; type: string; command: string }[]> =>
  (await heroku('GET', `/apps/${app.herokuApp}/dynos`)).body as never;
const versionOf = async (app: RehearsedApp): Promise<number> =>
  ((await heroku('GET', `/apps/${app.herokuApp}/releases`)).body as { version: number }[]).length;

test('the kill switch, step by step: from the role on PostgreSQL to serving on SQLite, and forward again', async () => {
  const app = await rig.add(raptor, { alterSlug: withWorker });
  await heroku('PATCH', `/apps/${app.herokuApp}/formation/worker`, { quantity: 1 });
  await steps.cutOver(app);
  const killedAt = Date.now();
  // What a terminated run left running, and what somebody else is doing.
  for (const command of [': cutover/old/upgrade/1; ( sleep 300 )', 'sleep 301']) {
    await heroku('POST', `/apps/${app.herokuApp}/dynos`, { command, attach: false });
  }

  await steps.perform(app, 'read-seal');
  const { evidence: before } = await steps.perform(app, 'survey-way-back');
  expect(before).toMatchObject({
    variable: { is: 'postgresql' },
    credential: 'active',
    flag: true,
    fenced: false,
    sealed: false,
    revision: '0002_paper_orders',
    databaseReachable: true,
  });
  expect(before.formation).toContainEqual({ type: 'worker', quantity: 1 });

  const { stopped, others } = await steps.twice(app, 'settle-dynos');
  expect([stopped.length, others.length]).toEqual([1, 1]);
  expect(
    (await dynosOf(app)).map((dyno) => dyno.command).filter((command) => command.startsWith(': cutover/')),
  ).toEqual([]);

  await steps.perform(app, 'count-rows');
  expect(await steps.twice(app, 'fence')).toMatchObject({ keptIn: 'database', others });
  expect((await fetch(`${webUrl(app)}/health`)).status).toBe(503);
  expect((await dynosOf(app)).filter((dyno) => dyno.type === 'worker')).toEqual([]);
  // Another run finds the numbers where the fence wrote them down, and so does one whose fence was raised half way.
  expect((await steps.perform(app, 'survey-way-back')).evidence).toMatchObject({
    fenced: true,
    maintenance: true,
    formation: before.formation,
  });

  await steps.perform(app, 'count-rows-fenced');
  const version = await versionOf(app);
  const { attachment } = await steps.twice(app, 'to-sqlite');
  // The other attachment, the detached name, and the variable with the flag.
  expect((await versionOf(app)) - version).toBe(3);
  const vars = await configVars(rig, app);
  expect(vars).toMatchObject({
    DATABASE_URL: 'sqlite+pysqlite:///./raptor.db',
    [`${attachment}_URL`]: expect.stringMatching(/^postgres:/),
  });
  expect(vars).not.toHaveProperty('FLAG_RAPTOR_APP_ROLE_SEPARATION');

  expect((await steps.perform(app, 'verify-sqlite')).evidence.command).toBe('python -m backend_v2.selfcheck');
  expect(await steps.twice(app, 'lift-fence')).toMatchObject({ from: 'database', restored: before.formation });
  const { evidence: serving } = await steps.perform(app, 'verify-serving', { killedAt });
  expect(serving.secondsSinceKilled).toBeGreaterThan(0);
  expect(serving.secondsSinceKilled).toBeLessThan(120);
  expect(await ask(`${webUrl(app)}/paper-orders/round-trip`, {})).toMatchObject({ body: { round_trip: true } });
  await eventually(
    () => dynosOf(app),
    (dynos) => dynos.some((dyno) => dyno.type === 'worker'),
  );

  // Then RM-11 comes down, though the name DATABASE is not the add-on's any more.
  expect((await steps.perform(app, 'flag-off')).did).toBe('already');
  await steps.twice(app, 'revoke-grants');
  await steps.twice(app, 'unbind-url');
  await steps.twice(app, 'drop-credential');
  expect((await steps.perform(app, 'revoke-grants')).evidence.exists).toBe(false);
  expect((await steps.perform(app, 'survey-way-back')).evidence).toMatchObject({
    variable: { is: 'sqlite' },
    credential: 'absent',
    flag: false,
    maintenance: false,
    fenced: false,
  });

  // From here a cutover begins again.
  expect((await steps.perform(app, 'promote')).did).toBe('acted');
  await steps.cutOver(app);
}, 240_000);

test('a launched app: refused with its customers, sealed, and undone step by step where it must be', async () => {
  const own = { ...raptor, addon: { name: 'launched-db', plan: 'standard-0' } } as const;
  const app = await rig.add(own, { addon: { postgres: second } });
  await steps.cutOver(app);
  const { evidence: healthy } = await steps.perform(app, 'watch-sample', { baselineRevision: '0002_paper_orders' });
  expect(healthy).toMatchObject({ healthy: true, problems: [], revision: '0002_paper_orders', tokenHoursLeft: null });

  // One signup is enough.
  expect((await ask(`${webUrl(app)}/signup`, { email: 'first@example.test' })).status).toBe(201);
  const reason = await steps.refused(app, 'count-rows', 'CustomerRowsExist');
  expect(reason).toMatch(/customers: 1/);
  expect(reason).not.toContain('first@example.test');

  // The launch: a backup that is running, one that is older than the cutover, one that will do.
  const since = Date.now();
  const { addon } = app;
  const capture = (options: object) =>
    rig.platform.heroku.captureBackup({ app: app.herokuApp, addon: addon.name, ...options });
  const soon = new Date().toISOString();
  const claim = (id: string, finishedAt: string) => ({ backup: { id, finishedAt }, backupNotBefore: since });
  const old = new Date(since - 3_600_000);
  expect(await steps.refused(app, 'check-backup', 'BackupNotProven', claim('b009', soon))).toMatch(/no backup b009/);
  const running = capture({ end: 'running' });
  expect(await steps.refused(app, 'check-backup', 'BackupNotProven', claim(running, soon))).toMatch(/still running/);
  const stale = claim(capture({ at: old }), old.toISOString());
  expect(await steps.refused(app, 'check-backup', 'BackupNotProven', stale)).toMatch(/lacks what came since/);
  const done = capture({ at: new Date() });
  const [finished] = await eventually(
    async () =>
      ((await heroku('GET', `/client/v11/apps/${app.herokuApp}/transfers`)).body as { finished_at: string }[]).slice(
        -1,
      ),
    (seen) => seen[0]?.finished_at != null,
  );
  const proven = await steps.perform(app, 'check-backup', claim(done, finished?.finished_at ?? ''));
  expect(proven.evidence).toMatchObject({ kind: 'backup', id: done, addon: addon.name });
  const protectedBy = await steps.perform(app, 'check-backup', { backup: { continuousProtection: true } });
  expect(protectedBy.evidence).toMatchObject({ kind: 'continuous-protection', plan: 'heroku-postgresql:standard-0' });

  const sealing = { seal: { by: 'Rita', planDigest: 'a1'.repeat(32), backup: proven.evidence } };
  expect(await steps.twice(app, 'seal', sealing)).toMatchObject({ by: 'Rita', addon: addon.name });
  const later = await steps.perform(app, 'seal', { seal: { ...sealing.seal, by: 'Mallory' } });
  expect(later).toMatchObject({ did: 'already', evidence: { by: 'Rita' } });
  expect(await steps.refused(app, 'read-seal', 'Sealed')).toMatch(/sealed by Rita/);
  const tried = connectAs(rig, app, 'RAPTOR_APP_DATABASE_URL', (client) => client.query('SELECT FROM cutover.seal'));
  await expect(tried).rejects.toMatchObject({ code: '42501' });
  // A seal that a fork brought along is another database's.
  await connectAs(rig, app, 'DATABASE_URL', (client) => client.query("UPDATE cutover.seal SET addon_id = 'another'"));
  expect((await steps.perform(app, 'read-seal')).evidence.copiedFrom).toBe('another');

  const { issues, comment } = await steps.twice(app, 'open-follow-ups', { report: 'It is **launched**.' });
  expect(issues.map((one) => one.title)[0]).toMatch(/support_auth/);
  const opened = rig.platform.github.issues(app.repository);
  expect(opened).toHaveLength(6);
  expect(opened.find((one) => one.number === 1569)?.comments.map((one) => one.body)).toEqual([
    expect.stringContaining('It is **launched**.'),
  ]);
  expect(comment).toContain('#issuecomment-');

  // Undone, whoever made what is found: another app holds the credential, and the owner gave more than the matrix.
  const other = await rig.add({ ...ledger, addon: { name: 'other-db', plan: 'standard-0' } });
  await rig.platform.heroku.attach({
    addon: addon.name,
    app: other.herokuApp,
    as: 'REPORTS',
    namespace: 'credential:raptor_app',
  });
  await connectAs(rig, app, 'DATABASE_URL', (client) =>
    client.query('GRANT UPDATE (version_num) ON alembic_version TO raptor_app'),
  );
  await steps.twice(app, 'flag-off');
  await steps.perform(app, 'restart-undo');
  await steps.perform(app, 'smoke-undo', { asRole: false });
  expect((await steps.perform(app, 'verify-owner-sessions')).evidence).toMatchObject({ role: 0 });
  await steps.twice(app, 'revoke-grants');
  await steps.twice(app, 'unbind-url');
  const held = await steps.refused(app, 'drop-credential', 'CredentialHeldElsewhere');
  expect(held).toContain(`\`heroku addons:detach REPORTS -a ${other.herokuApp}\``);
  const { id } = (await heroku('GET', `/apps/${other.herokuApp}/addon-attachments/REPORTS`)).body as { id: string };
  await heroku('DELETE', `/addon-attachments/${id}`);
  await steps.twice(app, 'drop-credential');
  // The dynos of the release without the URL are about to be up.
  await eventually(
    () => lookFromOutside(webUrl(app), app),
    ({ text }) => /postgresql as u/.test(text),
  );
  const { evidence: after } = await steps.perform(app, 'watch-sample');
  expect(after.healthy).toBe(false);
  expect(after.problems.join('\n')).toMatch(/no session of raptor_app/);
  const left = await connectAs(rig, app, 'DATABASE_URL', (client) =>
    client.query('SELECT FROM pg_default_acl d, aclexplode(d.defaclacl) a WHERE a.grantee <> d.defaclrole'),
  );
  expect(left.rowCount).toBe(0);
}, 240_000);

test('with PostgreSQL down the fence goes up and down, and the app goes to SQLite', async () => {
  const app = await rig.add(ledger, { addon: { postgres: second } });
  for (const step of ['upgrade', 'credential', 'bind-url', 'grants', 'flag'] as const) await steps.perform(app, step);
  await second.stop();

  const { evidence: before } = await steps.perform(app, 'survey-way-back');
  expect(before).toMatchObject({ databaseReachable: false, sealed: null, revision: null, flag: true });
  await steps.refused(app, 'read-seal', 'DatabaseUnreachable');
  await steps.refused(app, 'count-rows', 'DatabaseUnreachable');
  const { formation } = before;
  expect(await steps.twice(app, 'fence', { formation })).toMatchObject({ keptIn: 'run', kept: formation });
  await steps.twice(app, 'to-sqlite');
  await steps.perform(app, 'verify-sqlite');
  expect(await steps.twice(app, 'lift-fence', { formation })).toMatchObject({ from: 'run', restored: formation });
  await steps.perform(app, 'verify-serving');
  await steps.twice(app, 'unbind-url');
  await steps.refused(app, 'revoke-grants', 'DatabaseUnreachable');
}, 240_000);
