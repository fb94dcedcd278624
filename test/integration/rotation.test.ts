import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ledger, raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { rotationTexts, type RotationPlan } from '../../workflows/rotation-plan.ts';
import type { Evidence } from '../../workflows/steps.ts';
import type { Status } from '../../workflows/view.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { createRig, playPeople, type Rig } from './cutover-rig.ts';
import { findLeaks, textOf } from '../../drill/leaks.ts';
import { cutOver, rotationsAsked, startRotation } from './rotating.ts';
import { withoutPullRequest } from './run-control.ts';
import { atGate, decide, isParkedAt, itemOf, stop, watch } from './steering.ts';
import { configVars, setConfigVars } from './world.ts';

let rig: Rig;
let app: RehearsedApp;
beforeAll(async () => {
  rig = await createRig();
  rig.startWorker();
  app = await rig.add(raptor, { target: withoutPullRequest });
  await cutOver(rig, app);
});
afterAll(() => rig.close());
const settings = () => rig.platform.heroku.settings;
const quick = {
  rotationMs: 1_000,
  resetMs: 0,
  rotationHiddenMs: 0,
  rotatedVariablesMs: 0,
  sessionsOfOldPassword: 'end',
} as const;
beforeEach(() => void Object.assign(settings(), quick));

const owner = (status: Status) => itemOf(status, 'rotate-credential')?.evidence as Evidence<'rotate-credential'>;

test('the owner is rotated: the old password is refused, and the app goes on as the role', async () => {
  const before = await configVars(rig, app);
  const handle = await startRotation(rig, app, 'owner');
  const status = await playPeople(rig, handle, app);
  expect(status.outcome).toMatchObject({ result: 'rotated', by: 'Rita' });
  expect(itemOf(status, 'rotate-credential')).toMatchObject({
    did: 'acted',
    evidence: { credential: 'default', oldPassword: 'refused', changed: [`DATABASE_URL of ${app.herokuApp}`] },
  });
  expect(itemOf(status, 'verify-rotated')).toMatchObject({ evidence: { as: 'role', old: 0 } });
  expect(rotationsAsked(rig, 'default')).toBe(1);
  const after = await configVars(rig, app);
  expect(after['DATABASE_URL']).not.toBe(before['DATABASE_URL']);
  expect(after['RAPTOR_APP_DATABASE_URL']).toBe(before['RAPTOR_APP_DATABASE_URL']);
  const outside = await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app);
  expect(outside).toMatchObject({ ok: true });
});

test('the role is rotated, which is attached: the platform changes its variable', async () => {
  const before = await configVars(rig, app);
  const handle = await startRotation(rig, app, 'role', { reason: 'it is May' });
  const status = await playPeople(rig, handle, app);
  expect(status.outcome).toMatchObject({ result: 'rotated' });
  expect(itemOf(status, 'rotate-credential')).toMatchObject({
    did: 'acted',
    evidence: { credential: 'raptor_app', oldPassword: 'refused' },
  });
  expect(rotationsAsked(rig, 'raptor_app')).toBe(1);
  const after = await configVars(rig, app);
  expect(after['RAPTOR_APP_DATABASE_URL']).not.toBe(before['RAPTOR_APP_DATABASE_URL']);
  expect(after['DATABASE_URL']).toBe(before['DATABASE_URL']);
});

/** Whether a URL still opens a session. */
async function opens(url = ''): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, ssl: { rejectUnauthorized: false } });
  client.on('error', () => undefined);
  return client.connect().then(
    () => client.end().then(() => true),
    () => false,
  );
}

test('a platform that shows late what it was asked, is slow, and changes the variables last: asked once', async () => {
  Object.assign(settings(), { rotationHiddenMs: 1_500, resetMs: 1_500, rotatedVariablesMs: 1_500 });
  const before = rotationsAsked(rig, 'default');
  const url = (await configVars(rig, app))['DATABASE_URL'];
  const status = await playPeople(rig, await startRotation(rig, app, 'owner'), app);
  expect(status.outcome).toMatchObject({ result: 'rotated' });
  expect(owner(status)).toMatchObject({ oldPassword: 'refused' });
  expect(rotationsAsked(rig, 'default')).toBe(before + 1);
  expect(await opens(url)).toBe(false);
  expect(await opens((await configVars(rig, app))['DATABASE_URL'])).toBe(true);
});

test('sessions of the old password that linger: told by name, and proven gone once they are ended', async () => {
  Object.assign(settings(), { sessionsOfOldPassword: 'linger' });
  const url = (await configVars(rig, app))['DATABASE_URL'];
  const console_ = new pg.Client({
    connectionString: url,
    ssl: { rejectUnauthorized: false },
    application_name: 'psql',
  });
  console_.on('error', () => undefined);
  await console_.connect();
  const handle = await startRotation(rig, app, 'owner');
  const parked = await playPeople(rig, handle, app, isParkedAt('verify-rotated'));
  expect(itemOf(parked, 'verify-rotated')?.failure).toMatchObject({
    type: 'SessionsDiffer',
    message: expect.stringMatching(/1 of the owner from before the rotation; .* From before: psql \(process \d+\)\./),
  });
  expect(parked.waitingFor?.choices).toEqual(['retry', 'abort']);
  await console_.end();
  await decide(handle, parked, 'retry');
  expect((await playPeople(rig, handle, app)).outcome).toMatchObject({ result: 'rotated' });
}, 120_000);

test('another app on the add-on: its attachment is changed, and a copy that nobody updates is named in the plan', async () => {
  const other = await rig.add(ledger);
  await rig.platform.heroku.attach({ addon: app.addon.name, app: other.herokuApp, as: 'SHARED' });
  const { SHARED_URL } = await configVars(rig, other);
  await setConfigVars(rig, other, { COPY_OF_SHARED: SHARED_URL ?? '' });
  const handle = await startRotation(rig, app, 'owner');
  const asked = await watch(handle, atGate('rotate'));
  expect(asked.rotation?.plan?.facts.bindings).toEqual(
    [
      { app: app.herokuApp, variable: 'DATABASE_URL', by: 'attachment' },
      { app: other.herokuApp, variable: 'COPY_OF_SHARED', by: 'copy' },
      { app: other.herokuApp, variable: 'SHARED_URL', by: 'attachment' },
    ].sort((a, b) => `${a.app} ${a.variable}`.localeCompare(`${b.app} ${b.variable}`, 'en')),
  );
  expect(rotationTexts(asked.rotation?.plan as RotationPlan)).toContainEqual([
    'hazard',
    `COPY_OF_SHARED of ${other.herokuApp} is a copy that nobody updates: ${other.herokuApp} loses the database with it`,
  ]);
  const status = await playPeople(rig, handle, app);
  expect(status.outcome).toMatchObject({ result: 'rotated' });
  const [ours, theirs] = [await configVars(rig, app), await configVars(rig, other)];
  expect(theirs['SHARED_URL']).toBe(ours['DATABASE_URL']);
  expect(theirs['COPY_OF_SHARED']).toBe(SHARED_URL);
  expect(owner(status).changed).not.toContain(`COPY_OF_SHARED of ${other.herokuApp}`);
});

test('a holder that comes between the approval and the act: nothing is reset, and it is asked anew', async () => {
  const before = rotationsAsked(rig, 'default');
  const handle = await startRotation(rig, app, 'owner');
  const asked = await watch(handle, atGate('rotate'));
  await setConfigVars(rig, app, { REPORTS_DB: (await configVars(rig, app))['DATABASE_URL'] ?? '' });
  await handle.signal('approve', { ...asked.waitingFor?.message, by: 'Ada' });
  const anew = await watch(handle, (status) => atGate('rotate')(status) && status.waitingFor?.round === 2);
  expect(anew.waitingFor?.changes.join()).toMatch(/^bindings: /);
  expect(rotationsAsked(rig, 'default')).toBe(before);
  await stop(handle);
  await setConfigVars(rig, app, { REPORTS_DB: null });
});

test('no password is in any history, and no URL', async () => {
  const secrets = rig.platform.heroku.secrets();
  expect(secrets.length).toBeGreaterThan(5);
  for await (const run of rig.client.workflow.list({ query: `WorkflowId = 'cutover-${app.herokuApp}'` })) {
    const history = await rig.client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
    expect(findLeaks([{ name: run.runId, text: textOf(history) }], secrets)).toEqual([]);
  }
});
