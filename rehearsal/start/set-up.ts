import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type Connection } from '@temporalio/client';
import type { DeployedApp } from '../apps.ts';
import type { AppOptions } from '../deploy-app.ts';
import { startPlatform, type Platform } from '../platform.ts';
import { portAnswers } from '../ports.ts';
import { preparePython } from '../python.ts';
import { startTemporal, type RehearsalTemporal } from '../temporal.ts';
import { startWorkerProcess, type WorkerProcess } from '../worker-process.ts';
import { orAborted } from './abort.ts';
import { connect } from '../connect.ts';
import { startEncryption, type Encryption } from './encryption.ts';
import { scratchFolder } from './scratch.ts';
import type { Layer, Teardown } from './teardown.ts';

/** The ports that the Temporal CLI and people expect; others are taken where these are in use. */
export const usualPort = 7233;
export const usualUiPort = 8233;
/** The worker's default. */
export const taskQueue = 'cutover';
/** Lines of a dead worker's log that are shown. */
const logLines = 8;

/** Everything that a cutover needs, up and running on this machine. */
export interface Rehearsal {
  /** Scratch folder. */
  readonly dir: string;
  readonly temporal: RehearsalTemporal;
  readonly platform: Platform;
  readonly worker: WorkerProcess;
  readonly client: Client;
  /** Folder of the target files. */
  readonly targets: string;
  /** What the worker is started with. */
  readonly workerEnv: Readonly<Record<string, string>>;
  /** Where payloads are encrypted. */
  readonly encryption?: Encryption;
  /** Aborted when the rehearsal is to end, and when something that it cannot do without has died. */
  readonly alive: AbortSignal;
}

/** What is up when the target files are asked for. */
export interface TargetsPlace {
  /** Scratch folder. */
  readonly dir: string;
  readonly platform: Platform;
  /** Folder with the app's Python. */
  readonly pythonBin: string;
  readonly signal: AbortSignal;
}

/** An app, as it is to be rehearsed. */
export interface Staging {
  readonly app: DeployedApp;
  readonly options: AppOptions;
  /** Its Python packages, where they are not Raptor's. */
  readonly requirements?: string;
  /** Answers the folder of target files for the worker. */
  readonly targets: (place: TargetsPlace) => Promise<string>;
  /** Answers what is added to the worker's environment, given the scratch folder and that of the target files. */
  readonly workerEnv?: (dir: string, targets: string) => Promise<Readonly<Record<string, string>>>;
}

export interface SetUpOptions {
  readonly staging: Staging;
  /** Told what is being done, and how far it is where that takes long. */
  readonly report: (text: string) => void;
  /** Gets whatever was started at once, so that an interruption at any moment stops all of it. */
  readonly teardown: Teardown;
  readonly signal: AbortSignal;
  /** Added to the worker's environment. */
  readonly workerEnv?: Readonly<Record<string, string>>;
  /** Whether payloads are encrypted. */
  readonly encrypt?: boolean;
}

/**
 * Brings every part up.
 *
 * @throws the signal's reason when it is aborted, or what went wrong with the part that failed first
 */
export async function setUp(options: SetUpOptions): Promise<Rehearsal> {
  const { staging, report, teardown, signal, workerEnv, encrypt = false } = options;
  const { dir, guard } = await scratchFolder(teardown);
  const failed = new AbortController();
  const alive = AbortSignal.any([signal, failed.signal]);

  /** Starts what knows nothing of each other. When one fails the others give up: that can save minutes. */
  const together = async <A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> => {
    const both = [first, second].map((part) => part.catch((error: unknown) => failed.abort(error)));
    await Promise.all(both);
    alive.throwIfAborted();
    return Promise.all([first, second]);
  };
  const up = async <T extends { stop(): Promise<unknown> }>(
    layer: Layer,
    what: string,
    start: () => Promise<T>,
  ): Promise<T> => {
    alive.throwIfAborted();
    report(`starting ${what}`);
    const started = await start();
    layer.add(what, () => started.stop());
    return started;
  };

  const { app, requirements } = staging;
  const services = teardown.layer();
  const preparing = { signal: alive, ...(requirements === undefined ? {} : { requirements }) };
  const python = preparePython(report, preparing);
  // Awaited below, where a failure is told.
  python.catch(() => undefined);
  const [temporal, platform] = await together(
    up(services, 'Temporal', () => startTemporalHere({ dir, log: report, signal: alive })),
    up(services, 'PostgreSQL and the stand-ins for Heroku and GitHub', async () => {
      return startPlatform({ dir, pythonBin: (await python).bin, signal: alive });
    }),
  );

  const encryption = encrypt ? await startEncryption(dir, temporal.uiUrl ?? '') : undefined;
  if (encryption) services.add('the codec server', () => encryption.server.stop());

  const targets = await staging.targets({ dir, platform, pythonBin: (await python).bin, signal: alive });
  const logFile = path.join(dir, 'worker.log');
  const env = {
    ...platform.workerEnv,
    TEMPORAL_ADDRESS: temporal.address,
    CUTOVER_TARGETS: targets,
    ...encryption?.workerEnv,
    ...(await staging.workerEnv?.(dir, targets)),
    ...workerEnv,
  };
  const worker = await up(teardown.layer(), 'the worker', () => {
    const started = startWorkerProcess({ env, logFile });
    guard.watchGroup(started.pid);
    return Promise.resolve(started);
  });
  void worker.ended.then(async () => failed.abort(await deathOf(logFile)));

  const { connection, close } = await connect(temporal.address);
  teardown.layer().add('the connection to Temporal', close);
  report(`deploying ${app.herokuApp}`);
  await together(platform.addApp(app, staging.options), untilPolled(connection, alive));

  const dataConverter = encryption && { payloadCodecs: [encryption.codec] };
  const client = new Client({ connection, ...(dataConverter ? { dataConverter } : {}) });
  const parts = { dir, temporal, platform, worker, client, targets, workerEnv: env, alive };
  return { ...parts, ...(encryption ? { encryption } : {}) };
}

interface TemporalHere {
  readonly dir: string;
  readonly log: (text: string) => void;
  readonly signal: AbortSignal;
}

async function startTemporalHere(options: TemporalHere): Promise<RehearsalTemporal> {
  const isTaken = async (): Promise<boolean> => (await portAnswers(usualPort)) || (await portAnswers(usualUiPort));
  if (!(await isTaken())) {
    try {
      return await startTemporal({ ...options, port: usualPort, uiPort: usualUiPort });
    } catch (error) {
      // Of two rehearsals that start at the same moment, the other may have been quicker.
      if (options.signal.aborted || !(await isTaken())) throw error;
    }
  }
  options.log(`port ${usualPort} or ${usualUiPort} is in use, perhaps by another rehearsal: taking other ports`);
  return startTemporal(options);
}

/** Resolves when a worker asks for work: it loads for some seconds, and what it cannot work with shows by then. */
async function untilPolled({ workflowService }: Connection, signal: AbortSignal): Promise<void> {
  for (;;) {
    const asked = workflowService.describeTaskQueue({
      namespace: 'default',
      taskQueue: { name: taskQueue },
      taskQueueType: 1,
    });
    const { pollers } = await orAborted(signal, asked);
    if (pollers.length > 0) return;
    await delay(100, undefined, { signal });
  }
}

async function deathOf(logFile: string): Promise<Error> {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  const lines = log.trim().split('\n').slice(-logLines);
  return new Error(
    ['The worker has ended by itself. The last lines of its log:', ...lines.map((line) => `  ${line}`)].join('\n'),
  );
}
