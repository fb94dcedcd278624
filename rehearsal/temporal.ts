import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { freePort } from './ports.ts';
import { startOrphanGuard, type OrphanGuard } from './orphan-guard.ts';
import { findTemporalCli } from './temporal-cli.ts';

export { findTemporalCli } from './temporal-cli.ts';

/** A Temporal dev server on this machine. */
export interface RehearsalTemporal {
  /** `127.0.0.1:PORT`, for a client or worker. */
  readonly address: string;
  /** The Web UI; missing when the server was started without. */
  readonly uiUrl?: string;
  readonly pid: number;
  /** The Temporal CLI that it was started with. */
  readonly cli: string;
  /** Within 5 s, leaving nothing. May be called twice. */
  stop(): Promise<void>;
}

/**
 * What differs from how Temporal ships its server, here and in `cluster/dynamic-config.yaml`, where the reason stands.
 */
export const serverSettings: Readonly<Record<string, string>> = { 'history.transferProcessorMaxPollRPS': '1000' };

export interface TemporalOptions {
  /** Takes the server's log; made if it is missing, left to the caller to remove. */
  readonly dir: string;
  /** Of the frontend; a free one unless given. */
  readonly port?: number;
  /** Of the Web UI; a free one unless given. */
  readonly uiPort?: number;
  /** False: no Web UI. */
  readonly ui?: boolean;
  /** Keeps the server's state in this SQLite file; in memory unless given. */
  readonly dbFile?: string;
  /** The server's dynamic configuration; `serverSettings` unless given. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The Temporal CLI, when it has been found already. */
  readonly cli?: string;
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal;
}

const READY_LIMIT_MS = 30_000;
const ANNOUNCE_LIMIT_MS = 3_000;
const STOP_GRACE_MS = 3_000;

/** Starts a dev server on 127.0.0.1 and waits until its namespace `default` answers. Its log is `temporal.log`. */
export async function startTemporal(options: TemporalOptions): Promise<RehearsalTemporal> {
  const { signal } = options;
  const cli = options.cli ?? (await findTemporalCli(options.log ?? (() => undefined), signal ? { signal } : {}));
  await mkdir(options.dir, { recursive: true });
  const guard = startOrphanGuard();
  try {
    return await startOnFreePorts(cli, options, guard);
  } catch (error) {
    await guard.close();
    throw error;
  }
}

async function startOnFreePorts(cli: string, options: TemporalOptions, guard: OrphanGuard): Promise<RehearsalTemporal> {
  const logFile = join(options.dir, 'temporal.log');
  for (let attempt = 1; ; attempt += 1) {
    options.signal?.throwIfAborted();
    const port = options.port ?? (await freePort());
    const uiPort = options.ui === false ? undefined : (options.uiPort ?? (await freePort()));
    const child = launch(cli, port, uiPort, options, logFile);
    if (child.pid !== undefined) guard.watchGroup(child.pid);
    const end = async (): Promise<void> => {
      await endServer(child);
      if (child.pid !== undefined) guard.unwatchGroup(child.pid);
    };
    const address = `127.0.0.1:${port}`;
    const problem = await waitUntilUsable(child, address, logFile, options.signal).catch(String);
    if (problem === undefined && child.pid !== undefined) {
      let stopping: Promise<void> | undefined;
      const uiUrl = uiPort === undefined ? {} : { uiUrl: `http://127.0.0.1:${uiPort}` };
      return { address, ...uiUrl, pid: child.pid, cli, stop: () => (stopping ??= end().then(() => guard.close())) };
    }
    await end();
    options.signal?.throwIfAborted();
    const complaint = (await readFile(logFile, 'utf8').catch(() => '')).trim().slice(-1_000);
    // Between asking for a free port and using it, somebody else may have taken it.
    const taken = /address already in use|can't run on port|can't set frontend port/i.test(complaint);
    const chosen = options.port !== undefined || options.uiPort !== undefined;
    if (attempt < 3 && taken && !chosen) continue;
    throw new Error(`the Temporal dev server did not start (${problem}): ${complaint}`);
  }
}

function launch(
  cli: string,
  port: number,
  uiPort: number | undefined,
  { dbFile, settings = serverSettings }: TemporalOptions,
  logFile: string,
): ChildProcess {
  // The user's own TEMPORAL_… variables name other servers, profiles and namespaces.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')));
  const log = openSync(logFile, 'w', 0o600);
  try {
    return spawn(
      cli,
      [
        ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'warn'],
        ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
        ...(dbFile === undefined ? [] : ['--db-filename', dbFile]),
        ...Object.entries(settings).flatMap(([name, value]) => ['--dynamic-config-value', `${name}=${value}`]),
      ],
      // A group of its own: Ctrl-C on the terminal must not take the server from under a workflow that is cleaning up.
      { env, stdio: ['ignore', log, log], detached: true },
    );
  } finally {
    closeSync(log);
  }
}

/**
 * The port answers before the namespace does, and each of the server's services learns of the namespace by itself:
 * frontend (the list of workflows) and matching (a task queue) are both asked. What is wrong, or `undefined`.
 *
 * Another Temporal server may have the port, and ours be about to find out: ours says its address when it has it.
 */
async function waitUntilUsable(
  child: ChildProcess,
  address: string,
  logFile: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  let failed: string | undefined;
  child.once('error', (error) => (failed = error.message));
  child.once('exit', (code, by) => (failed = `it ended with ${code ?? by}`));
  const connection = Connection.lazy({ address });
  const namespace = 'default';
  const announced = new RegExp(`Server:.*:${address.split(':')[1]}\\b`);
  let answeredAt: number | undefined;
  try {
    for (const until = Date.now() + READY_LIMIT_MS; Date.now() < until;) {
      if (failed !== undefined) return failed;
      signal?.throwIfAborted();
      try {
        await connection.withDeadline(Date.now() + 2_000, async () => {
          await connection.workflowService.listWorkflowExecutions({ namespace, pageSize: 1 });
          const taskQueue = { name: 'ready' };
          await connection.workflowService.describeTaskQueue({ namespace, taskQueue, taskQueueType: 1 });
        });
        answeredAt ??= Date.now();
      } catch {
        // Not yet.
      }
      // A CLI that says it in other words is believed when it has not ended meanwhile.
      const said = answeredAt !== undefined && announced.test(await readFile(logFile, 'utf8'));
      if (said || (answeredAt !== undefined && Date.now() - answeredAt > ANNOUNCE_LIMIT_MS)) return failed;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return `it was not usable after ${READY_LIMIT_MS / 1000} s`;
  } finally {
    await connection.close();
  }
}

async function endServer(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    child.kill(signal);
    const limit = new Promise<'late'>((resolve) => setTimeout(resolve, STOP_GRACE_MS, 'late').unref());
    if ((await Promise.race([exited, limit])) !== 'late') return;
  }
}
