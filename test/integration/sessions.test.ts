import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import type { Status } from '../../workflows/view.ts';
import { createRig, playPeople, type CutoverHandle, type Rig } from './cutover-rig.ts';
import { eventually } from './heroku-client.ts';
import { playTo, retry, stepOf, withoutPullRequest, withSuperuser } from './run-control.ts';
import { configVars } from './world.ts';

let rig: Rig;
let app: RehearsedApp;
let handle: CutoverHandle;
let parked: Status;
/** A person's psql as the owner. */
let owner: pg.Client;

beforeAll(async () => {
  // A rotation that lasts for as long as the test looks.
  rig = await createRig({ heroku: { settings: { rotationMs: 120_000 } } });
  rig.startWorker();
  app = await rig.add(raptor, {
    target: (target) => {
      withoutPullRequest(target);
      target['sessions'] = { lingerSeconds: 2 };
      // The app's own suite, run beside the worker.
      target['smoke'] = {
        kind: 'command',
        command: [
          path.join(process.env['RC_TEST_PYTHON_BIN'] ?? '', 'python3'),
          path.resolve('rehearsal/raptor/smoke.py'),
        ],
      };
    },
  });
  owner = new pg.Client({
    connectionString: (await configVars(rig, app))['DATABASE_URL'],
    ssl: { rejectUnauthorized: false },
    application_name: 'psql',
  });
  // The end of the database's server ends it too.
  owner.on('error', () => undefined);
  await owner.connect();
});
afterAll(async () => {
  await owner?.end().catch(() => undefined);
  await rig.close();
});

interface Sample {
  readonly sessions: number;
  readonly encrypted: number;
  readonly tls: string | null;
}

/** Looks at the worker's own sessions, as the superuser, for as long as the work takes. */
async function watchWorker<T>(work: Promise<T>): Promise<{ result: T; samples: Sample[] }> {
  let over = false;
  void work.then(
    () => (over = true),
    () => (over = true),
  );
  const samples = await withSuperuser(rig, app, async (client) => {
    const seen: Sample[] = [];
    while (!over) {
      const { rows } = await client.query<Sample>(
        `SELECT count(*)::int AS sessions, (count(*) FILTER (WHERE s.ssl))::int AS encrypted, min(s.version) AS tls
         FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
         WHERE a.application_name = 'cutover-runbook' AND a.backend_type = 'client backend'`,
      );
      seen.push(...rows);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return seen;
  });
  return { result: await work, samples };
}

test('the worker holds two sessions at most during a whole run, every one of them encrypted', async () => {
  handle = await rig.start(app);
  const { result, samples } = await watchWorker(playPeople(rig, handle, app));
  parked = result;
  const held = samples.filter(({ sessions }) => sessions > 0);
  expect(held.length).toBeGreaterThan(20);
  expect(Math.max(...held.map(({ sessions }) => sessions))).toBeLessThanOrEqual(2);
  expect(held.filter(({ sessions, encrypted }) => sessions !== encrypted)).toEqual([]);
  expect(held.every(({ tls }) => tls !== null && tls.startsWith('TLSv1'))).toBe(true);
  // What the worker saw of its own session is in the evidence.
  expect(stepOf(parked, 'config-check').evidence).toMatchObject({
    tls: {
      version: expect.stringMatching(/^TLSv1\.[23]$/),
      cipher: expect.stringMatching(/\w/),
      fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
    },
  });
});

test("a console that is open as the owner: the failure names it, and the app's own sessions are the role's", async () => {
  expect(parked.stage).toBe('parked');
  const { failure } = stepOf(parked, 'verify-sessions');
  expect(failure?.type).toBe('SessionsDiffer');
  const { rows } = await owner.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  expect(failure?.message).toMatch(
    /^[1-9]\d* sessions of raptor_app and 1 of the owner; expected at least one and none\./,
  );
  expect(failure?.message).toContain(`The owner's: psql (process ${rows[0]?.pid}, since `);
  expect(failure?.message).toContain("End consoles and scripts that use the owner's URL");
  // The suite that ran as a command was told as whom the app must answer.
  expect(stepOf(parked, 'smoke-rm-11')).toMatchObject({ state: 'done', evidence: { conclusion: 'success' } });
});

test('closed, and while the role is rotated and has two user names, the run completes', async () => {
  await rig.platform.heroku.rotateCredential({ addon: app.addon.name, name: 'raptor_app' });
  const user = await eventually(
    async () => {
      const response = await fetch(`${rig.platform.heroku.webUrl(app.herokuApp)}${app.ready.path}`);
      if (response.status !== 200) return '';
      return String(((await response.json()) as Record<string, unknown>)[app.ready.user]);
    },
    (name) => /^raptor_app_rotation_/.test(name),
  );
  await owner.end();
  await retry(handle, parked);
  const status = await playTo(rig, handle, app, 'verify-sessions');
  expect(stepOf(status, 'verify-sessions')).toMatchObject({ state: 'done', attempt: 2, evidence: { owner: 0 } });
  const { role, encrypted } = stepOf(status, 'verify-sessions').evidence as { role: number; encrypted: number };
  expect(role).toBeGreaterThanOrEqual(1);
  expect(encrypted).toBe(role);
  const names = await withSuperuser(rig, app, async (client) => {
    const { rows } = await client.query<{ usename: string }>(
      "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'raptor-web'",
    );
    return rows.map(({ usename }) => usename);
  });
  expect(names).toEqual([user]);
  expect((await playPeople(rig, handle, app)).outcome).toMatchObject({ result: 'completed' });
});
