import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { createRig, playPeople, type Rig } from './cutover-rig.ts';
import { cutOver, rotationsAsked, startRotation } from './rotating.ts';
import { withoutPullRequest } from './run-control.ts';
import { itemOf } from './steering.ts';
import { configVars, setConfigVars } from './world.ts';

// The role's URL is a copy, as the original page had it: the platform leaves it stale, and the runbook writes it.

let rig: Rig;
let app: RehearsedApp;
beforeAll(async () => {
  rig = await createRig({ heroku: { settings: { rotationMs: 6_000 } } });
  rig.startWorker();
  app = await rig.add(raptor, {
    target: (target) => {
      withoutPullRequest(target);
      (target['role'] as Record<string, unknown>)['bindBy'] = 'config-var';
    },
  });
  await cutOver(rig, app);
});
afterAll(() => rig.close());

test('the copy follows every URL that the platform gives out, and is written in the form that it had', async () => {
  const { RAPTOR_APP_DATABASE_URL: url = '' } = await configVars(rig, app);
  await setConfigVars(rig, app, { REPORTS_DB: `${url.replace('postgres:', 'postgresql:')}?application_name=reports` });
  const handle = await startRotation(rig, app, 'role');
  const status = await playPeople(rig, handle, app);
  expect(status.outcome).toMatchObject({ result: 'rotated' });
  expect(itemOf(status, 'rotate-credential')).toMatchObject({
    did: 'acted',
    evidence: {
      oldPassword: 'refused',
      changed: [`RAPTOR_APP_DATABASE_URL of ${app.herokuApp} (a copy)`, `REPORTS_DB of ${app.herokuApp} (a copy)`],
    },
  });
  expect(rotationsAsked(rig, 'raptor_app')).toBe(1);
  // One change with the second user name, and one with the first one's new password.
  const changes = rig.platform.heroku.requests.filter(
    ({ method, path }) => method === 'PATCH' && path === `/apps/${app.herokuApp}/config-vars`,
  );
  const own = 3; // The copy and the flag of the cutover, and this test's own.
  expect(changes.length - own).toBe(2);
  const after = await configVars(rig, app);
  expect(after['RAPTOR_APP_DATABASE_URL']).not.toBe(url);
  const { username, password } = new URL(after['RAPTOR_APP_DATABASE_URL'] ?? '');
  expect(username).toBe('raptor_app');
  expect(after['REPORTS_DB']).toMatch(
    new RegExp(`^postgresql://raptor_app:${password}@.*\\?application_name=reports$`),
  );
  expect(await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app)).toMatchObject({ ok: true });
}, 120_000);
