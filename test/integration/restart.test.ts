import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import type { Status } from '../../workflows/view.ts';
import { createRig, playPeople, type CutoverHandle, type Rig } from './cutover-rig.ts';
import { clientOf, eventually, rendezvous } from './heroku-client.ts';
import { dynosOf, endRun, playTo, retry, stepOf, withoutPullRequest } from './run-control.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await createRig({ heroku: { settings: { crashBackoffMs: 100, prebootMs: 1_000 } } });
  rig.startWorker();
});
afterAll(() => rig.close());

const ready = async (app: RehearsedApp): Promise<Record<string, unknown>> => {
  const response = await fetch(`${rig.platform.heroku.webUrl(app.herokuApp)}${app.ready.path}`);
  return response.status === 200 ? ((await response.json()) as Record<string, unknown>) : { status: response.status };
};

describe('the dynos after the upgrade, in one run', () => {
  let app: RehearsedApp;
  let handle: CutoverHandle;
  let status: Status;
  beforeAll(async () => {
    app = await rig.add(
      { ...raptor, addon: { name: 'dynos-db', plan: 'standard-0' } },
      { platform: { web: 0 }, target: withoutPullRequest },
    );
    handle = await rig.start(app);
  });
  const heroku = (method: string, target: string, body?: unknown) =>
    clientOf(rig.platform.heroku)(method, `/apps/${app.herokuApp}${target}`, body);

  test('no web dyno: "all dynos are up" would mean nothing', async () => {
    status = await playTo(rig, handle, app, 'restart');
    expect(status.stage).toBe('parked');
    const { failure } = stepOf(status, 'restart');
    expect(failure?.type).toBe('DynosNotUp');
    expect(failure?.message).toContain(`heroku ps:scale web=1 -a ${app.herokuApp}`);
  });

  test('a crash loop: told as one within seconds, and not waited for', async () => {
    rig.platform.heroku.setWebBoot(app.herokuApp, { exitCode: 1, prints: 'no module named backend_v3' });
    await heroku('PATCH', '/formation/web', { quantity: 1 });
    await retry(handle, status);
    const began = Date.now();
    status = await playTo(rig, handle, app, 'restart');
    expect(status.stage).toBe('parked');
    const { failure } = stepOf(status, 'restart');
    expect(failure?.type).toBe('DynosCrashed');
    expect(failure?.message).toContain('web.1 crashed');
    expect(failure?.message).toContain(`heroku logs -a ${app.herokuApp}`);
    expect(Date.now() - began).toBeLessThan(20_000);
  });

  test('a slow start: waited for', async () => {
    rig.platform.heroku.setWebBoot(app.herokuApp, { delayMs: 3_000 });
    await heroku('DELETE', '/formations/web');
    await retry(handle, status);
    status = await playTo(rig, handle, app, 'restart');
    const restart = stepOf(status, 'restart');
    expect(restart).toMatchObject({ state: 'done', evidence: { dynos: [{ name: 'web.1', state: 'up' }] } });
    expect((restart.finishedAt ?? 0) - (restart.startedAt ?? 0)).toBeGreaterThanOrEqual(2_000);
    expect(await ready(app)).toMatchObject({ dialect: 'postgresql' });
    await endRun(handle);
    rig.platform.heroku.setWebBoot(app.herokuApp, undefined);
  });
});

test('with preboot, the restart is over only once the old dynos serve no more', async () => {
  const app = await rig.add(
    { ...raptor, addon: { name: 'preboot-db', plan: 'standard-0' } },
    {
      platform: { preboot: true },
      target: (target) => {
        withoutPullRequest(target);
        target['restart'] = { prebootSeconds: 4 };
      },
    },
  );
  rig.platform.heroku.settings.prebootListsOld = true;
  const handle = await rig.start(app);
  const restart = stepOf(await playTo(rig, handle, app, 'restart'), 'restart');
  expect(restart).toMatchObject({ state: 'done', did: 'acted' });
  const { dynos } = restart.evidence as { dynos: { name: string; since: string }[] };
  expect(dynos.map(({ name }) => name)).toEqual(['web.1']);
  expect((restart.finishedAt ?? 0) - Date.parse(dynos[0]?.since ?? '')).toBeGreaterThanOrEqual(4_000);
  expect((await dynosOf(rig, app)).filter(({ type }) => type === 'web')).toHaveLength(1);
  rig.platform.heroku.settings.prebootListsOld = false;
  await endRun(handle);
});

/** Two consoles of somebody else's, as `heroku run` and `heroku run:detached` start them. */
async function openConsoles(app: RehearsedApp) {
  const call = clientOf(rig.platform.heroku);
  const start = async (attach: boolean) => {
    const { body } = await call('POST', `/apps/${app.herokuApp}/dynos`, { attach, command: 'echo begun; sleep 600' });
    return body as { id: string; attach_url: string };
  };
  const [detached, attached] = [await start(false), await start(true)];
  const console = await rendezvous(attached.attach_url, rig.platform.heroku.caFile);
  const open = async (): Promise<string[]> =>
    (await dynosOf(rig, app)).filter(({ type, state }) => type === 'run' && state === 'up').map(({ id }) => id);
  await eventually(open, (ids) => ids.length === 2);
  return {
    ids: [detached.id, attached.id].sort(),
    open: async () => (await open()).sort(),
    leave: () => console.leave(),
  };
}

test('a config write whose release fails: parked while the old release serves on, and mended the run completes', async () => {
  const app = await rig.add(
    { ...raptor, addon: { name: 'release-db', plan: 'standard-0' } },
    {
      alterSlug: async (dir) => {
        const procfile = path.join(dir, 'Procfile');
        const command = 'test "$FLAG_RAPTOR_APP_ROLE_SEPARATION" != 1 || test -e mended';
        await writeFile(procfile, `${(await readFile(procfile, 'utf8')).trimEnd()}\nrelease: ${command}\n`);
      },
      target: (target) => {
        withoutPullRequest(target);
        target['smoke'] = {
          kind: 'http',
          checks: [{ path: '/health' }, { path: '/ready', json: { dialect: 'postgresql' } }],
          asRole: [{ path: '/ready', json: { current_user: 'raptor_app' } }],
        };
      },
    },
  );
  const consoles = await openConsoles(app);
  const handle = await rig.start(app);
  const parked = await playTo(rig, handle, app, 'restart-rm-11');
  expect(parked.stage).toBe('parked');
  const { failure } = stepOf(parked, 'flag');
  expect(failure?.type).toBe('ReleaseFailed');
  expect(failure?.message).toMatch(/^Release v\d+ \(.*\) has failed: the release before it serves on/);
  expect(failure?.message).toContain('make a new release, then try the step again');
  const [web] = (await dynosOf(rig, app)).filter(({ type }) => type === 'web');
  expect(failure?.message).toContain(`Release v${(web?.release.version ?? 0) + 1} `);
  const served = await ready(app);
  expect(served).toMatchObject({ dialect: 'postgresql' });
  expect(served['current_user']).not.toBe('raptor_app');

  const mended = path.join(rig.dir, 'slugs', 'mended');
  await cp(path.join(rig.dir, 'slugs', `${app.herokuApp}-base`), mended, { recursive: true });
  await writeFile(path.join(mended, 'mended'), '');
  await rig.platform.heroku.deploy(app.herokuApp, { dir: mended, commit: 'e'.repeat(40) });
  await retry(handle, parked);
  const status = await playPeople(rig, handle, app);
  expect(status.outcome).toMatchObject({ result: 'completed' });
  expect(stepOf(status, 'flag')).toMatchObject({ attempt: 2, evidence: { release: (web?.release.version ?? 0) + 2 } });
  // The suite over HTTP asks one check more once the app must be the role.
  expect(stepOf(status, 'smoke').evidence).toMatchObject({ by: '2 HTTP checks', conclusion: 'success' });
  expect(stepOf(status, 'smoke-rm-11').evidence).toMatchObject({ by: '3 HTTP checks', conclusion: 'success' });
  expect(await ready(app)).toMatchObject({ current_user: 'raptor_app' });
  // The runbook restarted the dynos of the formation only, attached or not.
  expect(stepOf(status, 'restart').did).toBe('acted');
  expect(await consoles.open()).toEqual(consoles.ids);
  consoles.leave();
});
