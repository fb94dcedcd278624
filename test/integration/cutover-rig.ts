import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { connect } from '../../rehearsal/connect.ts';
import { queryStatus } from '../../rehearsal/query-status.ts';
import type { RehearsedApp } from '../../rehearsal/apps.ts';
import { startOrphanGuard } from '../../rehearsal/orphan-guard.ts';
import { createPeople, type Intervention } from '../../rehearsal/people.ts';
import type { AppOptions } from '../../rehearsal/deploy-app.ts';
import { startPlatform, type Platform, type PlatformOptions } from '../../rehearsal/platform.ts';
import { copyTarget, type TargetChange } from '../../rehearsal/target-copy.ts';
import { startWorkerProcess, type WorkerProcess, type WorkerProcessOptions } from '../../rehearsal/worker-process.ts';
import type { productionCutover } from '../../workflows/index.ts';
import type { Status } from '../../workflows/view.ts';

export type { TargetChange } from '../../rehearsal/target-copy.ts';

export type CutoverHandle = WorkflowHandle<typeof productionCutover>;

/** A platform of its own, and a task queue of its own on the test run's Temporal server. */
export interface Rig {
  readonly dir: string;
  /** Path of the workflow bundle that the test run has built. */
  readonly codePath: string;
  readonly platform: Platform;
  readonly client: Client;
  readonly workerLog: string;
  /** What a worker of this rig is started with. */
  readonly workerEnv: Readonly<Record<string, string>>;
  /**
   * Deploys an app with a copy of its shipped target file. The app gets a name of its own, so that runs of several test
   * files do not meet on the one Temporal server; with `ownName` it keeps the one it has, for a server of the test's own.
   */
  add(app: RehearsedApp, options?: AppOptions & { target?: TargetChange; ownName?: boolean }): Promise<RehearsedApp>;
  /** Starts production's worker, or another entry with a worker's environment, as a process that ends with the rig. */
  startWorker(options?: Partial<Omit<WorkerProcessOptions, 'logFile'>>): WorkerProcess;
  start(app: RehearsedApp, input?: Record<string, unknown>): Promise<CutoverHandle>;
  close(): Promise<void>;
}

/** What a rig's platform is started with, where that is not what all tests share. */
export type RigOptions = Pick<PlatformOptions, 'heroku'> &
  Partial<Pick<PlatformOptions, 'pythonBin'>> & {
    /** A Temporal server of the test's own. */
    readonly temporal?: { readonly address: string; readonly taskQueue: string };
    /** Added to what workers are started with. */
    readonly workerEnv?: Readonly<Record<string, string>>;
  };

export async function createRig({ temporal, workerEnv: more, ...options }: RigOptions = {}): Promise<Rig> {
  const dir = await mkdtemp(path.join(tmpdir(), 'cutover-rig-'));
  // A test run that is killed leaves no worker behind either.
  const guard = startOrphanGuard();
  guard.watchFolder(dir);
  const targets = path.join(dir, 'targets');
  await mkdir(targets);
  const address = temporal?.address ?? environment('RC_TEST_TEMPORAL_ADDRESS');
  const platform = await startPlatform({ dir, pythonBin: environment('RC_TEST_PYTHON_BIN'), ...options });
  const { connection, close } = await connect(address);
  const client = new Client({ connection });
  const taskQueue = temporal?.taskQueue ?? `cutover-${randomUUID()}`;
  const workers: WorkerProcess[] = [];
  const workerLog = path.join(dir, 'worker.log');
  const workerEnv = {
    ...platform.workerEnv,
    TEMPORAL_ADDRESS: address,
    CUTOVER_TASK_QUEUE: taskQueue,
    CUTOVER_TARGETS: targets,
    ...more,
  };

  return {
    dir,
    codePath: process.env['RC_TEST_WORKFLOW_BUNDLE'] ?? '',
    platform,
    client,
    workerLog,
    workerEnv,
    async add(app, { target: change, ownName = false, ...appOptions } = {}) {
      const herokuApp = ownName ? app.herokuApp : `${app.source}-${randomUUID().slice(0, 6)}`;
      const own: RehearsedApp = { ...app, herokuApp };
      await copyTarget(app, own, targets, (target) => {
        // Looked at every second: a test does not wait for GitHub's rate limit.
        Object.assign((target['pullRequest'] as object | undefined) ?? {}, { pollSeconds: 1 });
        Object.assign(target, { approvals: { approvers: ['Ada', 'Bo'], onCall: ['Cy'] } });
        change?.(target);
      });
      await platform.addApp(own, appOptions);
      return own;
    },
    startWorker({ env = {}, ...more } = {}) {
      const worker = startWorkerProcess({ env: { ...workerEnv, ...env }, logFile: workerLog, ...more });
      workers.push(worker);
      guard.watchGroup(worker.pid);
      void worker.ended.then(() => guard.unwatchGroup(worker.pid));
      return worker;
    },
    start: (app, input = {}) =>
      client.workflow.start('productionCutover', {
        taskQueue,
        workflowId: `cutover-${app.herokuApp}`,
        args: [{ app: app.herokuApp, requestedBy: 'Rita', ...input }],
      }) as Promise<CutoverHandle>,
    async close() {
      for (const worker of workers) await worker.stop();
      await close();
      await platform.stop();
      await rm(dir, { recursive: true, force: true });
      await guard.close();
    },
  };
}

function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is not set: these tests run under \`npm test\`, which starts what they need`);
  return value;
}

/** Plays the people until a run ends or waits for something that they do not do; answers the last status. */
export async function playPeople(
  rig: Rig,
  handle: CutoverHandle,
  app: RehearsedApp,
  until = isOver,
  interventions: readonly Intervention[] = [],
): Promise<Status> {
  const people = createPeople(handle, rig.platform, app, interventions);
  for (;;) {
    const status = await queryStatus(handle);
    if (until(status)) return status;
    await people.answer(status);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function isOver(status: Status): boolean {
  return status.stage === 'ended' || status.stage === 'parked';
}

/** Requests that changed something, as `METHOD /path`, of one app's platform. */
export function writesOf({ heroku, github }: Platform): string[] {
  return [...heroku.requests, ...github.requests]
    .filter(({ method, path: target, status }) => method !== 'GET' && status < 400 && !isLook(method, target))
    .map(({ method, path: target }) => `${method} ${target}`);
}

/** A one-off dyno that lists the slug's revisions is started by a POST, and changes nothing. */
function isLook(method: string, target: string): boolean {
  return method === 'POST' && /\/dynos$/.test(target);
}
