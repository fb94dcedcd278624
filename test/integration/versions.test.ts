import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from '@temporalio/client';
import { bundleWorkflowCode, NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { connect } from '../../rehearsal/connect.ts';
import { deploymentOf } from '../../worker/create-worker.ts';
import { findOrphaned, readOpenRuns, type Poller } from '../../worker/open-runs.ts';
import { createFakeWorld } from '../workflow/fake-activities.ts';
import { approveGate, atGate, freshApp, quietRuntime, statusWhen, type CutoverHandle } from '../workflow/harness.ts';
import { eventually } from './heroku-client.ts';

const address = process.env['RC_TEST_TEMPORAL_ADDRESS'] ?? '';
const current = { codePath: process.env['RC_TEST_WORKFLOW_BUNDLE'] ?? '' };

const say = (): void => undefined;
const silent = { log: say, trace: say, debug: say, info: say, warn: say, error: say };

let native: NativeConnection;
let client: Client;
let close: () => Promise<void>;
let taskQueue: string;
let deployment: string;
let stops: (() => Promise<void>)[];
beforeAll(async () => {
  quietRuntime();
  native = await NativeConnection.connect({ address });
  const connected = await connect(address);
  close = connected.close;
  client = new Client({ connection: connected.connection });
});
afterAll(async () => {
  await native.close();
  await close();
});
beforeEach(() => {
  taskQueue = `versions-${randomUUID()}`;
  deployment = `cutover-${randomUUID()}`;
  stops = [];
});
afterEach(() => Promise.all(stops.map((stop) => stop())));

/** A worker as production makes it versioned, with the fake world's activities. */
async function deploy(
  buildId: string,
  workflowBundle: NonNullable<WorkerOptions['workflowBundle']>,
): Promise<() => Promise<void>> {
  const worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowBundle,
    // More than the history of a run that waits at `go`, and less than that of one that waits at `rm-11`.
    activities: createFakeWorld({ historyEventLimit: 60 }).activities,
    ...deploymentOf({ deploymentName: deployment, buildId }),
    stickyQueueScheduleToStartTimeout: '1s',
  });
  const ended = worker.run();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= (worker.shutdown(), ended));
  stops.push(stop);
  return stop;
}

async function temporal(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.env['RC_TEST_TEMPORAL_CLI'] ?? '', [
    ...args,
    '--address',
    address,
  ]);
  return stdout;
}

/** Makes a build the current one, as soon as the server has heard of it. */
async function makeCurrent(buildId: string): Promise<void> {
  const words = ['worker', 'deployment', 'set-current-version', '--deployment-name', deployment, '--build-id', buildId];
  for (let left = 100; ; left -= 1) {
    try {
      await temporal(...words, '--yes');
      return;
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function start(): Promise<CutoverHandle> {
  const app = freshApp('versions');
  return (await client.workflow.start('productionCutover', {
    taskQueue,
    workflowId: `cutover-${app}`,
    args: [{ app, requestedBy: 'Rita' }],
  })) as CutoverHandle;
}

/** The build that took the last task of a run: of a run that has just continued as new, as soon as there is one. */
async function buildOf(handle: CutoverHandle): Promise<string> {
  for (;;) {
    const { raw } = await client.workflow.getHandle(handle.workflowId).describe();
    const buildId = raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId;
    if (buildId != null) return buildId;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('a run stays on its build while another is deployed, and moves to it where it continues as new', async () => {
  await deploy('one', current);
  await makeCurrent('one');
  const handle = await start();
  await statusWhen(handle, atGate('go'));

  const workflowsPath = fileURLToPath(new URL('../fixtures/incompatible-build/index.ts', import.meta.url));
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: silent });
  await deploy('two', { code });
  await makeCurrent('two');
  expect(await buildOf(handle)).toBe('one');
  // What comes now is taken on the first build, which alone fits the history.
  await handle.signal('reject', { by: 'nobody' });

  if (await movesByItself()) {
    // Such a server suggests to continue as new once another build is current: at that wait, then.
    const latest = client.workflow.getHandle(handle.workflowId);
    expect(await latest.result()).toEqual({ build: 'incompatible', continued: 1 });
    expect(await buildOf(handle)).toBe('two');
  } else {
    expect((await statusWhen(handle, (status) => status.refusedMessages.length > 0)).stage).toBe('waiting');
    await approveGate(handle, 'go', 'Ada');
    // Such a server keeps it on its build, which is as safe, and it goes on there.
    await statusWhen(handle, (status) => atGate('rm-11')(status) && status.continued > 0);
    expect(await buildOf(handle)).toBe('one');
  }
  expect(await buildsOf(handle.workflowId, handle.firstExecutionRunId)).toEqual(new Set(['one']));
});

/** Every build that took a task of one run. */
async function buildsOf(workflowId: string, runId: string): Promise<Set<unknown>> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const completed = (events ?? []).flatMap((event) => event.workflowTaskCompletedEventAttributes ?? []);
  return new Set(completed.map((task) => task.deploymentVersion?.buildId));
}

/** Servers before 1.30 do not know the wish of continue-as-new for another build, and take no notice [source]. */
async function movesByItself(): Promise<boolean> {
  const { serverVersion } = await native.workflowService.getSystemInfo({});
  const [major = 0, minor = 0] = (serverVersion ?? '').split('.').map(Number);
  return major > 1 || minor >= 30;
}

/** What a worker says of the run that stands still, once the server has forgotten all workers but those of some builds. */
async function saidOf(handle: CutoverHandle, ...remembered: string[]): Promise<string | undefined> {
  const ours = ({ workflowId }: { workflowId: string }): boolean => workflowId === handle.workflowId;
  const { runs, pollers } = await eventually(
    () => readOpenRuns(client),
    (open) => open.runs.find(ours)?.searchAttributes.TemporalWorkerDeploymentVersion !== undefined,
    60_000,
  );
  const isRemembered = ({ deploymentOptions }: Poller): boolean =>
    remembered.includes(deploymentOptions?.buildId ?? '');
  const left = new Map([[taskQueue, (pollers.get(taskQueue) ?? []).filter(isRemembered)]]);
  return findOrphaned({ runs: runs.filter(ours), pollers: left }, Date.now()).at(0)?.why;
}

test('a run whose build is gone is moved to the current one by the command of docs/on-call.md', async () => {
  const stop = await deploy('one', current);
  await makeCurrent('one');
  const handle = await start();
  await statusWhen(handle, atGate('go'));
  await stop();
  await deploy('two', current);
  await makeCurrent('two');
  expect(await buildOf(handle)).toBe('one');
  // The server remembers a worker for some minutes after it has last asked for work.
  expect(await saidOf(handle, 'one', 'two')).toBeUndefined();
  expect(await saidOf(handle, 'two')).toMatch(/stays on the build .*:one, of which no worker is left/);
  expect(await saidOf(handle)).toMatch(/no worker asks for work there/);

  const rescue = ['workflow', 'update-options', '--versioning-override-behavior', 'auto_upgrade'];
  await temporal(...rescue, '--workflow-id', handle.workflowId);
  await approveGate(handle, 'go', 'Ada');
  await statusWhen(handle, atGate('rm-11'));
  expect(await buildOf(handle)).toBe('two');
});
