import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { queryStatus } from '../../rehearsal/query-status.ts';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import type { Status } from '../../workflows/view.ts';
import { createRig, type CutoverHandle, type Rig } from './cutover-rig.ts';
import { eventually } from './heroku-client.ts';
import { endRun, playTo, retry, stepOf, withoutPullRequest } from './run-control.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await createRig();
  rig.startWorker();
});
afterAll(() => rig.close());

const add = (addon: string, smoke: Record<string, unknown>): Promise<RehearsedApp> =>
  rig.add(
    { ...raptor, addon: { name: addon, plan: 'standard-0' } },
    {
      target: (target) => {
        withoutPullRequest(target);
        const { kind } = target['smoke'] as { kind: string };
        target['smoke'] =
          smoke['kind'] === undefined ? { ...(target['smoke'] as object), ...smoke } : { kind, ...smoke };
      },
    },
  );
const failureOf = (status: Status): { type: string; message: string } => {
  expect(status.stage).toBe('parked');
  return stepOf(status, 'smoke').failure ?? { type: 'none', message: '' };
};
const lastRun = () => {
  const run = rig.platform.github.runs.at(-1);
  if (run === undefined) throw new Error('no run was dispatched');
  return run;
};
const linkOf = (id: number): string => `/actions/runs/${id}`;

describe('in GitHub Actions, in one run', () => {
  let app: RehearsedApp;
  let handle: CutoverHandle;
  let status: Status;
  beforeAll(async () => {
    app = await add('patient-db', { withinMinutes: 0.04 });
  });
  afterAll(() => {
    rig.platform.github.setSmoke('pass');
    rig.platform.github.setDispatch('details');
  });
  /** Tries the suite again and answers how it failed. */
  const again = async (): Promise<{ type: string; message: string }> => {
    await retry(handle, status);
    status = await playTo(rig, handle, app, 'smoke');
    return failureOf(status);
  };

  test('waiting for an approval until the deadline: overdue, with its link and what to do', async () => {
    rig.platform.github.setSmoke('waiting');
    handle = await rig.start(app);
    status = await playTo(rig, handle, app, 'smoke');
    const { type, message } = failureOf(status);
    expect(type).toBe('SmokeOverdue');
    expect(message).toContain('the suite is still waiting; expected a conclusion');
    expect(message).toContain(linkOf(lastRun().id));
    expect(message).toContain('wants an approval of its environment');
  });

  test('queued until the deadline: overdue', async () => {
    rig.platform.github.setSmoke('queued');
    const { type, message } = await again();
    expect(type).toBe('SmokeOverdue');
    expect(message).toContain('still queued');
    expect(message).toContain(linkOf(lastRun().id));
  });

  test.each(['cancelled', 'timed_out'] as const)('%s: failed, with its link', async (mode) => {
    rig.platform.github.setSmoke(mode);
    const { type, message } = await again();
    expect(type).toBe('SmokeFailed');
    expect(message).toContain(`The suite concluded ${mode}; expected success`);
    expect(message).toContain(linkOf(lastRun().id));
  });

  test('for another commit than the one deployed: says nothing of the app', async () => {
    rig.platform.github.setSmoke('pass');
    const deployed = status.plans.go?.facts.release.commit ?? '';
    rig.platform.github.push(app.repository, 'd'.repeat(40));
    const { type, message } = await again();
    expect(type).toBe('SmokeWrongCommit');
    expect(message).toContain(`ran for dddddddddddd, and ${app.herokuApp} runs ${deployed.slice(0, 12)}`);
    expect(message).toContain('Deploy what main holds');
    rig.platform.github.push(app.repository, deployed);
    await endRun(handle);
  });
});

describe('in GitHub Actions', () => {
  let app: RehearsedApp;
  beforeAll(async () => {
    app = await add('suite-db', {});
  });

  test('waiting for an approval is no failure: once approved it runs, and is the evidence', async () => {
    rig.platform.github.setSmoke('waiting');
    const handle = await rig.start(app);
    await playTo(rig, handle, app, 'smoke', 'running');
    await eventually(
      async () => rig.platform.github.runs.at(-1)?.status,
      (seen) => seen === 'waiting',
    );
    const asked = rig.platform.github.requests.length;
    await eventually(
      async () => rig.platform.github.requests.length,
      (now) => now > asked + 2,
    );
    expect((await queryStatus(handle)).stage).toBe('working');
    rig.platform.github.approveWaiting();
    const smoke = stepOf(await playTo(rig, handle, app, 'smoke'), 'smoke');
    const { id, headSha } = lastRun();
    expect(smoke).toMatchObject({ state: 'done', attempt: 1, did: 'acted' });
    expect(smoke.evidence).toMatchObject({ conclusion: 'success', commit: headSha });
    expect((smoke.evidence as { link: string }).link).toContain(linkOf(id));
    rig.platform.github.setSmoke('pass');
    await endRun(handle);
  });

  test.each(['no-content', 'refuses-field'] as const)(
    'a server that answers a dispatch with %s: the run is found by its marker, among similar ones',
    async (mode) => {
      const { github } = rig.platform;
      github.setDispatch(mode);
      const handle = await rig.start(app);
      const { runId } = await handle.describe();
      // Another attempt's, another step's, another cutover's, and one that nobody dispatched.
      const marker = `cutover/${runId}/smoke/1`;
      const planted = [`${marker}0`, `${marker}1`, `cutover/${runId}/smoke-rm-11/1`, `x${marker}`].map((text) =>
        github.plantRun(app.repository, { inputs: { marker: text }, conclusion: 'failure' }),
      );
      planted.push(github.plantRun(app.repository, { inputs: { marker }, conclusion: 'failure', event: 'push' }));
      const smoke = stepOf(await playTo(rig, handle, app, 'smoke'), 'smoke');
      expect(smoke).toMatchObject({ state: 'done', did: 'acted', evidence: { conclusion: 'success' } });
      const marked = github.runs.filter((run) => run.inputs['marker'] === marker && !planted.includes(run));
      expect(marked).toHaveLength(1);
      expect((smoke.evidence as { link: string }).link).toContain(linkOf(marked[0]?.id ?? 0));
      github.setDispatch('details');
      await endRun(handle);
    },
  );
});

describe('without CI', () => {
  test('over HTTP: every check that the target names, field by field', async () => {
    const app = await add('http-db', {
      kind: 'http',
      patienceSeconds: 1,
      checks: [
        { path: '/health' },
        { path: '/ready', json: { dialect: 'postgresql', revision: '0002_paper_orders' } },
        { path: '/nothing', status: 404 },
        { path: '/ready', json: { dialect: 'sqlite' } },
      ],
    });
    const handle = await rig.start(app);
    const { type, message } = failureOf(await playTo(rig, handle, app, 'smoke'));
    expect(type).toBe('SmokeFailed');
    expect(message).toBe(
      `GET /ready of ${app.herokuApp} answered "postgresql" as dialect; expected "sqlite". Mend it, then try again or abort.`,
    );
    await endRun(handle);
  });

  test("a command beside the worker: told where the app is, and none of the worker's secrets", async () => {
    // It fails the first time, and says what it was told.
    const script =
      'const fs = require("fs"); const { SMOKE_BASE_URL: at, ...env } = process.env;' +
      'console.log(`asked ${at} with ${Object.keys(env).sort()}`);' +
      'if (!fs.existsSync(process.argv[1])) { fs.writeFileSync(process.argv[1], ""); process.exit(3); }' +
      'fetch(`${at}/health`).then((answer) => process.exit(answer.ok ? 0 : 4));';
    const app = await add('command-db', {
      kind: 'command',
      command: [process.execPath, '-e', script, `${rig.dir}/command-ran`],
    });
    const handle = await rig.start(app);
    const parked = await playTo(rig, handle, app, 'smoke');
    const { type, message } = failureOf(parked);
    expect(type).toBe('SmokeFailed');
    expect(message).toContain('ended with 3; expected 0');
    expect(message).toContain(`asked ${rig.platform.heroku.webUrl(app.herokuApp)} with `);
    expect(message).toMatch(/ with [A-Z,_]*SMOKE_EXPECT_USER/);
    expect(message).not.toMatch(/HEROKU|GITHUB|TOKEN|KEY/);
    await retry(handle, parked);
    const smoke = stepOf(await playTo(rig, handle, app, 'smoke'), 'smoke');
    expect(smoke).toMatchObject({ state: 'done', attempt: 2, evidence: { conclusion: 'success', link: null } });
    await endRun(handle);
  });
});
