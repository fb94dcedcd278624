import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { raptor } from '../../rehearsal/apps.ts';
import { preparePython } from '../../rehearsal/python.ts';
import { createRig, type Rig } from './cutover-rig.ts';
import { endRun, playTo, stepOf, withoutPullRequest, withSuperuser } from './run-control.ts';

const fixture = path.resolve('test/fixtures/flask-app');

let rig: Rig;
beforeAll(async () => {
  // The first time, its packages are installed.
  const { bin } = await preparePython(() => undefined, { requirements: path.join(fixture, 'requirements.txt') });
  rig = await createRig({ pythonBin: bin });
  rig.startWorker();
}, 300_000);
afterAll(() => rig?.close());

test('an app that migrates with `flask db upgrade` reaches its head', async () => {
  const app = await rig.add(raptor, {
    alterSlug: async (dir) => {
      await rm(dir, { recursive: true });
      await cp(fixture, dir, { recursive: true });
    },
    target: (target) => {
      withoutPullRequest(target);
      // It speaks of Raptor's tables.
      delete target['rollback'];
      target['migrations'] = {
        upgrade: 'flask db upgrade',
        history: 'flask db history',
        versions: 'migrations/versions',
        versionTable: 'alembic_version',
        schema: 'public',
      };
      target['schema'] = {
        tables: ['members', 'loans'],
        columns: {
          loans: { id: 'bigint not null', member_id: 'bigint not null', due_at: 'timestamp with time zone' },
        },
        cascadesFrom: 'members',
      };
    },
  });
  const handle = await rig.start(app);
  const status = await playTo(rig, handle, app, 'restart');
  expect(status.outcome).toBeNull();
  expect(status.items.filter((item) => item.failure)).toEqual([]);
  expect(status.plans.go?.facts.migrations).toMatchObject({
    heads: ['9d53e8c6a270'],
    current: null,
    pending: ['1f0c2a7be401', '9d53e8c6a270'],
  });
  expect(stepOf(status, 'upgrade')).toMatchObject({
    did: 'acted',
    evidence: { from: null, to: '9d53e8c6a270', applied: ['1f0c2a7be401', '9d53e8c6a270'] },
  });
  expect(stepOf(status, 'verify-schema').state).toBe('done');
  const { rows } = await withSuperuser(rig, app, (client) => client.query('SELECT version_num FROM alembic_version'));
  expect(rows).toEqual([{ version_num: '9d53e8c6a270' }]);
  expect(await (await fetch(`${rig.platform.heroku.webUrl(app.herokuApp)}/health`)).json()).toEqual({ ok: true });
  await endRun(handle);
});
