import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import type { Intercept } from '../../rehearsal/heroku/index.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import type { Status } from '../../workflows/view.ts';
import { createRig, playPeople, type CutoverHandle, type Rig } from './cutover-rig.ts';
import { pullKillSwitch, startToLaunch } from './going-back.ts';
import { holdRequest } from './held-request.ts';
import { clientOf, eventually } from './heroku-client.ts';
import { isRunning, watch } from './steering.ts';
import { configVars } from './world.ts';

// One app, and the kill switch in the middle of one step after the other; each next cutover begins from what that left.

let rig: Rig;
let app: RehearsedApp;
let intercept: Intercept = async () => undefined;
beforeAll(async () => {
  rig = await createRig({ heroku: { intercept: (request) => intercept(request) } });
  rig.startWorker();
  app = await rig.add(raptor);
});
afterAll(() => rig?.close());

const isGoingBack = (status: Status): boolean => status.procedure === 'kill-switch';

/** What makes a step wait in the middle, until it is let go. */
interface Obstacle {
  readonly isMet: () => Promise<boolean> | boolean;
  readonly letGo: () => Promise<void> | void;
}

/** Takes a cutover to a step that meets the obstacle there, and pulls the kill switch before that lets go. */
async function pullInTheMiddleOf(step: string, { isMet, letGo }: Obstacle): Promise<void> {
  const handle = await rig.start(app);
  await playPeople(rig, handle, app, isRunning(step));
  await eventually(async () => isMet(), Boolean, 60_000);
  await pullKillSwitch(handle);
  await watch(handle, isGoingBack);
  await letGo();
  await expectBackOnSqlite(handle);
}

/** A request that the platform takes late. */
function lateRequest(matches: Parameters<typeof holdRequest>[0]): Obstacle {
  const request = holdRequest(matches);
  ({ intercept } = request);
  return { isMet: request.isHeld, letGo: request.release };
}

/** What must hold after a kill switch, wherever it was pulled. */
async function expectBackOnSqlite(handle: CutoverHandle): Promise<void> {
  const { outcome, items } = await handle.result();
  expect(outcome).toMatchObject({ result: 'rolled-back', by: 'Cy' });
  expect(items.filter((item) => item.failure)).toEqual([]);
  expect(await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app, 'sqlite')).toMatchObject({ ok: true });
  const names = Object.keys(await configVars(rig, app));
  expect(names.filter((name) => /RAPTOR_APP/.test(name))).toEqual([]);
  const client = clientOf(rig.platform.heroku);
  const { body: credentials } = await client('GET', `/postgres/v0/databases/${app.addon.name}/credentials`);
  expect((credentials as { name: string }[]).map((one) => one.name)).toEqual(['default']);
  expect((await client('GET', `/apps/${app.herokuApp}`)).body).toMatchObject({ maintenance: false });
  expect(await roles()).toEqual([]);
}

async function roles(): Promise<unknown[]> {
  const client = await rig.platform.postgres.connect('postgres');
  const { rows } = await client.query("SELECT rolname FROM pg_roles WHERE rolname = 'raptor_app'");
  await client.end();
  return rows;
}

/** Makes the statements of others wait: a session whose transaction is open has touched what they want to touch. */
async function inTheWay(statement: string): Promise<Obstacle> {
  // Behind a kill switch it has another name.
  const url = Object.values(await configVars(rig, app)).find((value) => value.startsWith('postgres:')) ?? '';
  const client = await rig.platform.postgres.connect(new URL(url).pathname.slice(1));
  await client.query('BEGIN');
  await client.query(statement);
  return {
    isMet: async () => {
      // Within a transaction the view stands still.
      await client.query('SELECT pg_stat_clear_snapshot()');
      const { rowCount } = await client.query(
        'SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))',
      );
      return (rowCount ?? 0) > 0;
    },
    async letGo() {
      await client.query('ROLLBACK');
      await client.end();
    },
  };
}

describe('pulled in the middle of', () => {
  test('the upgrade', async () => {
    await pullInTheMiddleOf('upgrade', await inTheWay('CREATE TABLE alembic_version (version_num varchar(32))'));
  });

  test('the creation of the credential, which the platform takes late', async () => {
    const request = lateRequest(({ method, path }) => method === 'POST' && path.endsWith('/credentials'));
    await pullInTheMiddleOf('credential', request);
  });

  test('the flag, which the platform takes late', async () => {
    const request = lateRequest(({ method, path, body }) => {
      const change = (body ?? {}) as Record<string, unknown>;
      return method === 'PATCH' && path.endsWith('/config-vars') && change['FLAG_RAPTOR_APP_ROLE_SEPARATION'] === '1';
    });
    await pullInTheMiddleOf('flag', request);
  });

  test('the grants', async () => {
    await pullInTheMiddleOf('grants', await inTheWay('GRANT SELECT ON paper_orders TO PUBLIC'));
  });

  test('the watch', async () => {
    const handle = await startToLaunch(rig, app);
    await pullKillSwitch(handle);
    await expectBackOnSqlite(handle);
  });
});

test('and the next cutover completes', async () => {
  const status = await playPeople(rig, await rig.start(app), app);
  expect(status.outcome).toMatchObject({ result: 'completed' });
  expect(await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app)).toMatchObject({ ok: true });
});
