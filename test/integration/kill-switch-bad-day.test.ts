import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { raptor } from '../../rehearsal/apps.ts';
import type { Intercept } from '../../rehearsal/heroku/index.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { startPostgres } from '../../rehearsal/postgres.ts';
import { createRig, type Rig } from './cutover-rig.ts';
import { pullKillSwitch, startToLaunch } from './going-back.ts';
import { clientOf } from './heroku-client.ts';
import { ask } from './rehearsed-app.ts';
import { atGate, decide, isParkedAt, itemOf, watch } from './steering.ts';
import { connectAs } from './world.ts';

// The kill switch when something else goes wrong too.

let rig: Rig;
let intercept: Intercept;
beforeEach(async () => {
  intercept = async () => undefined;
  rig = await createRig({ heroku: { intercept: (request) => intercept(request) } });
  rig.startWorker();
});
afterEach(() => rig?.close());

test('a customer signs up between the two counts: refused behind the fence, which is lifted, and nothing is lost', async () => {
  const app = await rig.add(raptor);
  const url = rig.platform.heroku.webUrl(app.herokuApp);
  const handle = await startToLaunch(rig, app);

  // Somebody writes all the time; what is answered with success is counted.
  const written = { orders: 0, customers: 0 };
  let over = false;
  const writer = (async () => {
    while (!over) {
      const { status } = await ask(`${url}/paper-orders/round-trip`, {}).catch(() => ({ status: 0 }));
      if (status === 200) written.orders += 1;
    }
  })();
  intercept = async ({ method, path: asked, body }) => {
    const raises = (body as { maintenance?: boolean } | undefined)?.maintenance === true;
    if (method !== 'PATCH' || asked !== `/apps/${app.herokuApp}` || !raises || written.customers > 0) return undefined;
    const { status } = await ask(`${url}/signup`, { email: 'between@example.test' });
    if (status === 201) written.customers += 1;
    return undefined;
  };
  await pullKillSwitch(handle);
  const refused = await watch(handle, (status) => status.journal.some((entry) => entry.event === 'resumed'));
  over = true;
  await writer;

  expect(written).toEqual({ orders: expect.any(Number), customers: 1 });
  expect(written.orders).toBeGreaterThan(0);
  expect(refused.journal.map((entry) => entry.text).join('\n')).toMatch(/CustomerRowsExist.*customers: 1/);
  expect((await clientOf(rig.platform.heroku)('GET', `/apps/${app.herokuApp}`)).body).toMatchObject({
    maintenance: false,
  });
  expect(await lookFromOutside(url, app, 'role')).toMatchObject({ ok: true });
  const { rows } = await connectAs(rig, app, 'DATABASE_URL', (client) => client.query('SELECT email FROM customers'));
  expect(rows).toEqual([{ email: 'between@example.test' }]);
  // The run stands where it stood.
  await watch(handle, atGate('launch'));
  await handle.cancel();
  await handle.result();
});

test('a release command that was said to be safe fails on SQLite: parked behind the fence, and done once it is mended', async () => {
  const command = 'python -m backend_v2.release_check';
  let slug = '';
  const app = await rig.add(raptor, {
    alterSlug: async (dir) => {
      slug = dir;
      await appendFile(path.join(dir, 'Procfile'), `\nrelease: ${command}\n`);
      const lines = ['import os, sys', "sys.exit('sqlite' in os.environ['DATABASE_URL'])", ''];
      await writeFile(path.join(dir, 'backend_v2/release_check.py'), lines.join('\n'));
    },
    target: (target) => {
      Object.assign(target['rollback'] as object, { releaseCommandsSafeOnSqlite: [command] });
    },
  });
  const url = rig.platform.heroku.webUrl(app.herokuApp);
  const handle = await startToLaunch(rig, app);
  await pullKillSwitch(handle);
  const parked = await watch(handle, isParkedAt('to-sqlite'));
  expect(itemOf(parked, 'to-sqlite')?.failure).toMatchObject({
    type: 'ReleaseFailed',
    message: expect.stringMatching(/has failed: the release before it serves on/),
  });
  expect(parked.waitingFor?.choices).toEqual(['retry', 'abort']);
  // Nobody reaches the app meanwhile.
  expect((await fetch(`${url}/health`)).status).toBe(503);

  await writeFile(path.join(slug, 'backend_v2/release_check.py'), 'import sys\nsys.exit(0)\n');
  await rig.platform.heroku.deploy(app.herokuApp, { dir: slug, commit: 'e'.repeat(40) });
  await decide(handle, parked, 'retry');
  const { outcome } = await handle.result();
  expect(outcome).toMatchObject({ result: 'rolled-back', by: 'Cy' });
  expect(await lookFromOutside(url, app, 'sqlite')).toMatchObject({ ok: true });
});

test('PostgreSQL is down: a quorum decides, users are served from SQLite, and what needs the database waits for it', async () => {
  const second = await startPostgres({ dir: rig.dir });
  try {
    const app = await rig.add(
      { ...raptor, addon: { name: 'mortal-db', plan: 'standard-0' } },
      { addon: { postgres: second }, target: (target) => Object.assign(target['approvals'] as object, { quorum: 2 }) },
    );
    const url = rig.platform.heroku.webUrl(app.herokuApp);
    const handle = await startToLaunch(rig, app);
    await second.stop();
    await pullKillSwitch(handle);

    const asked = await watch(handle, atGate('uncounted-rows'));
    expect(asked.waitingFor).toMatchObject({ needed: 2, what: expect.stringMatching(/PostgreSQL cannot be asked/) });
    for (const by of ['Ada', 'Bo']) {
      await handle.signal('approve', { ...asked.waitingFor?.message, by, reason: 'the host is gone for good' });
    }
    // The others go on; what needs the database is decided about in the end.
    const parked = await watch(handle, isParkedAt('revoke-grants'));
    expect(itemOf(parked, 'revoke-grants')?.failure?.type).toBe('DatabaseUnreachable');
    for (const step of ['to-sqlite', 'lift-fence', 'verify-serving', 'unbind-url', 'restart-unbound'] as const) {
      expect(itemOf(parked, step)?.state).toBe('done');
    }
    expect(await lookFromOutside(url, app, 'sqlite')).toMatchObject({ ok: true });
    await decide(handle, parked, 'abort');
    const { outcome } = await handle.result();
    expect(outcome).toMatchObject({ result: 'aborted', by: 'Ada' });
    expect(outcome?.reason).toMatch(/Failed: .*revoke-grants \(DatabaseUnreachable\)/);
  } finally {
    await second.stop();
  }
});
