import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { targetsFolder, type RehearsedApp } from '../../rehearsal/apps.ts';
import { createPeople } from '../../rehearsal/people.ts';
import { startPlatform, type AppOptions, type Platform, type PlatformOptions } from '../../rehearsal/platform.ts';
import { startWorkerProcess, type WorkerProcess } from '../../rehearsal/worker-process.ts';
import type { productionCutover } from '../../workflows/index.ts';
import type { Status } from '../../workflows/view.ts';

type CutoverHandle = WorkflowHandle<typeof productionCutover>;

/** A platform of its own, and a task queue of its own on the test run's Temporal server. */
export interface Rig {
  readonly dir: string;
  readonly platform: Platform;
  readonly client: Client;
  readonly workerLog: string;
  /** What a worker of this rig is started with. */
  readonly workerEnv: Readonly<Record<string, string>>;
  /**
   * Deploys an app with a copy of its shipped target file. The app gets a name of its own, so that runs of several test
   * files do not meet on the one Temporal server.
   */
  add(app: RehearsedApp, options?: AppOptions & { target?: TargetChange }): Promise<RehearsedApp>;
  /** Starts production's worker as a process. */
  startWorker(): WorkerProcess;
  start(app: RehearsedApp, input?: Record<string, unknown>): Promise<CutoverHandle>;
  close(): Promise<void>;
}

export type TargetChange = (target: Record<string, unknown>) => void;

export async function createRig(options: Pick<PlatformOptions, 'heroku'> = {}): Promise<Rig> {
  const dir = await mkdtemp(path.join(tmpdir(), 'cutover-rig-'));
  const targets = path.join(dir, 'targets');
  await mkdir(targets);
  const address = environment('RC_TEST_TEMPORAL_ADDRESS');
  const platform = await startPlatform({ dir, pythonBin: environment('RC_TEST_PYTHON_BIN'), ...options });
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  const taskQueue = `cutover-${randomUUID()}`;
  const workers: WorkerProcess[] = [];
  const workerLog = path.join(dir, 'worker.log');
  const workerEnv = {
    ...platform.workerEnv,
    TEMPORAL_ADDRESS: address,
    CUTOVER_TASK_QUEUE: taskQueue,
    CUTOVER_TARGETS: targets,
  };

  return {
    dir,
    platform,
    client,
    workerLog,
    workerEnv,
    async add(app, { target: change, ...appOptions } = {}) {
      const suffix = randomUUID().slice(0, 6);
      const own: RehearsedApp = { ...app, herokuApp: `${app.source}-${suffix}` };
      await writeTarget(targets, app, own, change);
      await platform.addApp(own, appOptions);
      return own;
    },
    startWorker() {
      const worker = startWorkerProcess({ env: workerEnv, logFile: workerLog });
      workers.push(worker);
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
      await connection.close();
      await platform.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is not set: these tests run under \`npm test\`, which starts what they need`);
  return value;
}

/** Copies a shipped target file under another app's name, and has the pull request looked at every second. */
async function writeTarget(
  folder: string,
  from: RehearsedApp,
  own: RehearsedApp,
  change: TargetChange | undefined,
): Promise<void> {
  const text = await readFile(path.join(targetsFolder, `${from.herokuApp}.json`), 'utf8');
  const target = JSON.parse(text) as Record<string, Record<string, unknown>>;
  const { database, role, pullRequest } = target as Record<string, Record<string, unknown>>;
  if (database?.['addon'] !== undefined) database['addon'] = own.addon.name;
  if (role !== undefined) role['grants'] = path.resolve(targetsFolder, String(role['grants']));
  if (pullRequest !== undefined) pullRequest['pollSeconds'] = 1;
  const changed: Record<string, unknown> = { ...target, app: own.herokuApp };
  change?.(changed);
  await writeFile(path.join(folder, `${own.herokuApp}.json`), JSON.stringify(changed));
}

/** Plays the people until a run ends or waits for something that they do not do; answers the last status. */
export async function playPeople(rig: Rig, handle: CutoverHandle, app: RehearsedApp, until = isOver): Promise<Status> {
  const people = createPeople(handle, rig.platform, app);
  for (;;) {
    const status = await handle.query<Status>('status');
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
