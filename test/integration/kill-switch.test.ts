import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import type { Intercept } from '../../rehearsal/heroku/index.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import type { Status } from '../../workflows/view.ts';
import { createRig, playPeople, type CutoverHandle, type Rig } from './cutover-rig.ts';
import { clientOf, eventually } from './heroku-client.ts';
import { atGate, isRunning, watch } from './steering.ts';
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

const pull = (handle: CutoverHandle): Promise<void> =>
  handle.signal('killSwitch', { by: 'Cy', reason: 'it does not look right' });
const isGoingBack = (status: Status): boolean => status.procedure === 'kill-switch';

/** Holds the request that matches until somebody lets it go: the platform takes it then, late. */
function hold(matches: (request: Parameters<Intercept>[0]) => boolean): { isHeld: () => boolean; release: () => void } {
  let isHeld = false;
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  intercept = async (request) => {
    if (isHeld || !matches(request)) return undefined;
    isHeld = true;
    await released;
    return undefined;
  };
  return { isHeld: () => isHeld, release };
}

/** Plays the people until a step is stuck in the middle. */
function playUntilStuck(handle: CutoverHandle, step: string, isStuck: () => Promise<boolean> | boolean): Promise<void> {
  return playPeople(rig, handle, app, isRunning(step)).then(() =>
    eventually(async () => isStuck(), Boolean, 60_000).then(() => undefined),
  );
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
async function inTheWay(
  statement: string,
): Promise<{ isWaitedFor: () => Promise<boolean>; stop: () => Promise<void> }> {
  // Behind a kill switch it has another name.
  const url = Object.values(await configVars(rig, app)).find((value) => value.startsWith('postgres:')) ?? '';
  const client = await rig.platform.postgres.connect(new URL(url).pathname.slice(1));
  await client.query('BEGIN');
  await client.query(statement);
  return {
    isWaitedFor: async () => {
      // Within a transaction the view stands still.
      await client.query('SELECT pg_stat_clear_snapshot()');
      const { rowCount } = await client.query(
        'SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))',
      );
      return (rowCount ?? 0) > 0;
    },
    async stop() {
      await client.query('ROLLBACK');
      await client.end();
    },
  };
}

describe('pulled in the middle of', () => {
  test('the upgrade', async () => {
    const other = await inTheWay('CREATE TABLE alembic_version (version_num varchar(32))');
    const handle = await rig.start(app);
    await playUntilStuck(handle, 'upgrade', other.isWaitedFor);
    await pull(handle);
    await watch(handle, isGoingBack);
    await other.stop();
    await expectBackOnSqlite(handle);
  });

  test('the creation of the credential, which the platform takes late', async () => {
    const request = hold(({ method, path }) => method === 'POST' && path.endsWith('/credentials'));
    const handle = await rig.start(app);
    await playUntilStuck(handle, 'credential', request.isHeld);
    await pull(handle);
    await watch(handle, isGoingBack);
    request.release();
    await expectBackOnSqlite(handle);
  });

  test('the flag, which the platform takes late', async () => {
    const request = hold(({ method, path, body }) => {
      const change = (body ?? {}) as Record<string, unknown>;
      return method === 'PATCH' && path.endsWith('/config-vars') && change['FLAG_RAPTOR_APP_ROLE_SEPARATION'] === '1';
    });
    const handle = await rig.start(app);
    await playUntilStuck(handle, 'flag', request.isHeld);
    await pull(handle);
    await watch(handle, isGoingBack);
    request.release();
    await expectBackOnSqlite(handle);
  });

  test('the grants', async () => {
    const other = await inTheWay('GRANT SELECT ON paper_orders TO PUBLIC');
    const handle = await rig.start(app);
    await playUntilStuck(handle, 'grants', other.isWaitedFor);
    await pull(handle);
    await watch(handle, isGoingBack);
    await other.stop();
    await expectBackOnSqlite(handle);
  });

  test('the watch', async () => {
    const handle = await rig.start(app);
    await playPeople(rig, handle, app, atGate('launch'));
    await pull(handle);
    await expectBackOnSqlite(handle);
  });
});

test('and the next cutover completes', async () => {
  const status = await playPeople(rig, await rig.start(app), app);
  expect(status.outcome).toMatchObject({ result: 'completed' });
  expect(await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app)).toMatchObject({ ok: true });
});
