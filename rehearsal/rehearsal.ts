import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { startOrphanGuard } from './orphan-guard.ts';
import { startPlatform, type Platform } from './platform.ts';
import { portAnswers } from './ports.ts';
import { preparePython } from './python.ts';
import { startTemporal, type RehearsalTemporal } from './temporal.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';
import { targetsFolder, type RehearsedApp } from './apps.ts';
import type { productionCutover } from '../workflows/index.ts';

/** The ports that the Temporal CLI and people expect; others are taken where these are in use. */
export const usualPort = 7233;
const usualUiPort = 8233;

/** Everything that a cutover needs, up and running on this machine. */
export interface Rehearsal {
  readonly dir: string;
  readonly temporal: RehearsalTemporal;
  readonly platform: Platform;
  readonly worker: WorkerProcess;
  readonly client: Client;
  start(app: RehearsedApp, requestedBy: string): Promise<WorkflowHandle<typeof productionCutover>>;
}

/**
 * Brings every part up. What was started is registered with `cleanups` at once, so that an interruption at any moment
 * stops all of it.
 */
export async function setUp(
  app: RehearsedApp,
  report: (text: string) => void,
  cleanups: (() => Promise<unknown>)[],
  signal: AbortSignal,
): Promise<Rehearsal> {
  const guard = startOrphanGuard();
  cleanups.push(() => guard.close());
  const dir = await mkdtemp(path.join(tmpdir(), 'raptor-cutover-'));
  guard.watchFolder(dir);
  cleanups.push(() => rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));

  const up = async <T>(what: string, start: () => Promise<T>, stop: (started: T) => Promise<unknown>): Promise<T> => {
    signal.throwIfAborted();
    report(what);
    const started = await start();
    cleanups.push(() => stop(started));
    signal.throwIfAborted();
    return started;
  };

  const startTemporalHere = async (): Promise<RehearsalTemporal> => {
    const usual = !(await portAnswers(usualPort)) && !(await portAnswers(usualUiPort));
    return startTemporal({ dir, log: report, signal, ...(usual ? { port: usualPort, uiPort: usualUiPort } : {}) });
  };
  // Temporal and the platform know nothing of each other, and both take seconds.
  const [temporal, platform] = await settleAll([
    up('starting Temporal', startTemporalHere, (started) => started.stop()),
    up(
      'starting PostgreSQL and the stand-ins for Heroku and GitHub',
      async () => {
        const { bin } = await preparePython(report, { signal });
        const started = await startPlatform({ dir, pythonBin: bin });
        return started;
      },
      (started) => started.stop(),
    ),
  ]);
  const [worker] = await settleAll([
    up(
      'starting the worker',
      () => {
        const started = startWorkerProcess({
          env: { ...platform.workerEnv, TEMPORAL_ADDRESS: temporal.address, CUTOVER_TARGETS: targetsFolder },
          logFile: path.join(dir, 'worker.log'),
        });
        guard.watchGroup(started.pid);
        return Promise.resolve(started);
      },
      (started) => started.stop(),
    ),
    up(`deploying ${app.herokuApp}`, () => platform.addApp(app), () => Promise.resolve()),
  ]);
  const connection = await up('connecting', () => Connection.connect({ address: temporal.address }), (started) => started.close());
  const client = new Client({ connection });

  return {
    dir,
    temporal,
    platform,
    worker,
    client,
    start: (chosen, requestedBy) =>
      client.workflow.start<typeof productionCutover>('productionCutover', {
        taskQueue: 'cutover',
        workflowId: `cutover-${chosen.herokuApp}`,
        args: [{ app: chosen.herokuApp, requestedBy }],
      }),
  };
}

/** Like `Promise.all`, but waits for the others when one fails: what they start must be stopped too. */
async function settleAll<T extends readonly unknown[]>(promises: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  const results = await Promise.allSettled(promises);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results.map((result) => (result as PromiseFulfilledResult<unknown>).value) as unknown as T;
}
