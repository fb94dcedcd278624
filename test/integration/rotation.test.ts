import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { createRig, playPeople, type Rig } from './cutover-rig.ts';
import { cutOver, rotationsAsked, startRotation } from './rotating.ts';
import { withoutPullRequest } from './run-control.ts';
import { itemOf } from './steering.ts';
import { configVars } from './world.ts';

let rig: Rig;
let app: RehearsedApp;
beforeAll(async () => {
  rig = await createRig();
  rig.startWorker();
  app = await rig.add(raptor, { target: withoutPullRequest });
  await cutOver(rig, app);
});
afterAll(() => rig.close());

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
