import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { raptor, type RehearsedApp } from '../rehearsal/apps.ts';
import { connect } from '../rehearsal/connect.ts';
import type { Intercept } from '../rehearsal/heroku/index.ts';
import type { OrphanGuard } from '../rehearsal/orphan-guard.ts';
import { startPlatform, type Platform } from '../rehearsal/platform.ts';
import { scenarios } from '../rehearsal/scenarios.ts';
import { certificateOf, certificatesFor } from '../rehearsal/soak.ts';
import { copyTarget, type TargetChange } from '../rehearsal/target-copy.ts';
import { startTemporal, type RehearsalTemporal } from '../rehearsal/temporal.ts';
import { startWorkerProcess, type WorkerProcess } from '../rehearsal/worker-process.ts';
import type { productionCutover } from '../workflows/index.ts';
import type { CutoverInput, RunInput, WorkflowType } from '../workflows/input.ts';
import { listenForEffects } from './effects.ts';
import type { Workplace } from './workers/mortal-workers.ts';

export type Run = WorkflowHandle<typeof productionCutover> & { readonly firstExecutionRunId: string };

/** What a run is asked for, besides its app; a cutover that Rita asks for unless said. */
export interface Asked {
  readonly type?: WorkflowType;
  readonly input?: Partial<RunInput>;
}

/** Which of the shipped apps is put up, and what its target file says besides. */
export interface Staged {
  readonly app: RehearsedApp;
  readonly target?: TargetChange;
}

/** What the cases of a drill have in common. */
export interface Place {
  /** A scratch folder. */
  readonly dir: string;
  readonly guard: OrphanGuard;
  readonly pythonBin: string;
  /** Path of the workflow bundle. */
  readonly codePath: string;
  readonly temporal: { readonly address: string; readonly cli: string };
  /** Aborted when the drill is to end. */
  readonly signal: AbortSignal;
}

/** An app that nobody has touched, on stand-ins and a PostgreSQL of its own: what one case does is no other one's. */
export interface Stage extends Workplace {
  readonly app: RehearsedApp;
  readonly platform: Platform;
  readonly client: Client;
  /** Temporal's server, where the case has one of its own. */
  readonly temporal: OwnTemporal | undefined;
  /** Every run that was started here, in order. */
  readonly runs: readonly Run[];
  /** URLs of databases that are to let nobody in when the run is over; whoever knows of one adds it. */
  readonly outdated: string[];
  /** The folder in which workers keep certificates, and the public key of those that sign them. */
  readonly certificates: { readonly folder: string; readonly key: string };
  start(asked: Asked): Promise<Run>;
  /** Starts a run in the place of the one that there is. */
  startInstead(asked: Asked): Promise<Run>;
  /** Everything that must not be found anywhere. */
  secrets(): string[];
  /** May be called twice. */
  stop(): Promise<void>;
}

export interface StageOptions {
  readonly intercept: Intercept;
  readonly ownTemporal: boolean;
  readonly staged?: Staged;
}

/** A Temporal server that can be killed, and comes back with what it had written down. */
export interface OwnTemporal {
  readonly address: string;
  kill(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

async function startOwnTemporal(dir: string, { temporal: { cli }, signal }: Place): Promise<OwnTemporal> {
  const options = { dir, cli, ui: false, dbFile: path.join(dir, 'temporal.db'), signal };
  let server: RehearsalTemporal = await startTemporal(options);
  const { address } = server;
  return {
    address,
    async kill() {
      process.kill(server.pid, 'SIGKILL');
      await server.stop();
    },
    async resume() {
      server = await startTemporal({ ...options, port: Number(address.split(':')[1]) });
    },
    stop: () => server.stop(),
  };
}

/** Two of those who may approve, and of them not Rita, who asks for every cutover. */
export const drillApprovals = { approvers: ['Ada', 'Bo', 'Rita'], onCall: ['Cy'], quorum: 2 };

/** The state of production in which the cutover leaves no step out; see `lists.ts`. */
const { options: appOptions } = scenarios['from-essential-0'];

/** Deploys a fresh app, and brings up what its case needs besides. */
export async function setStage(
  name: string,
  place: Place,
  { intercept, ownTemporal, staged = { app: raptor } }: StageOptions,
): Promise<Stage> {
  const { guard, signal } = place;
  const dir = path.join(place.dir, name);
  const targets = path.join(dir, 'targets');
  await mkdir(targets, { recursive: true });
  const app: RehearsedApp = { ...staged.app, herokuApp: `raptor-${randomUUID().slice(0, 8)}` };
  const closers: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      for (const close of closers.reverse()) await close();
    })());
  try {
    const temporal = ownTemporal ? await startOwnTemporal(dir, place) : undefined;
    if (temporal) closers.push(() => temporal.stop());
    const platform = await startPlatform({ dir, pythonBin: place.pythonBin, heroku: { intercept }, signal });
    closers.push(() => platform.stop());
    await copyTarget(staged.app, app, targets, (target) => {
      // Looked at every second: a drill does not wait for GitHub's rate limit.
      Object.assign(target['pullRequest'] as object, { pollSeconds: 1 });
      Object.assign(target, { approvals: drillApprovals });
      staged.target?.(target);
    });
    const signing = await certificatesFor(dir, targets);
    const certificates = {
      folder: signing['CUTOVER_CERTIFICATES_DIR'] ?? '',
      key: await readFile(path.join(targets, String(certificateOf(app.herokuApp)['key'])), 'utf8'),
    };
    const signingKey = await readFile(signing['CUTOVER_SIGNING_KEY'] ?? '', 'utf8');
    await platform.addApp(app, appOptions);
    await listenForEffects(platform.postgres);
    const { address } = temporal ?? place.temporal;
    const { connection, close } = await connect(address);
    closers.push(close);
    const client = new Client({ connection });
    const taskQueue = `drill-${app.herokuApp}`;
    const env = {
      ...platform.workerEnv,
      ...signing,
      TEMPORAL_ADDRESS: address,
      CUTOVER_TASK_QUEUE: taskQueue,
      CUTOVER_TARGETS: targets,
    };
    const startWorker: Stage['startWorker'] = (options): WorkerProcess => {
      const worker = startWorkerProcess({ env, logFile: path.join(dir, 'worker.log'), ...options });
      guard.watchGroup(worker.pid);
      void worker.ended.then(() => guard.unwatchGroup(worker.pid));
      return worker;
    };
    const runs: Run[] = [];
    const start = async ({ type = 'productionCutover', input }: Asked, instead: boolean): Promise<Run> => {
      const run: Run = await client.workflow.start<typeof productionCutover>(type, {
        taskQueue,
        workflowId: `cutover-${app.herokuApp}`,
        args: [{ app: app.herokuApp, requestedBy: 'Rita', ...input } as CutoverInput],
        ...(instead ? { workflowIdConflictPolicy: 'TERMINATE_EXISTING' } : {}),
      });
      runs.push(run);
      return run;
    };
    return {
      ...{ dir, codePath: place.codePath, app, platform, client, temporal, runs, certificates, startWorker, stop },
      outdated: [],
      start: (asked) => start(asked, false),
      startInstead: (asked) => start(asked, true),
      // The lines of a key without those that say what it is.
      secrets: () => [...platform.secrets(), ...signingKey.split('\n').filter((line) => /^[^-]{40,}$/.test(line))],
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
