import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { devNull } from 'node:os';
import { fileURLToPath } from 'node:url';
import { programArgs } from '../scripts/run-node.mjs';

/** A worker in the middle of a step would take its own ten seconds; what it works on is about to go too. */
const stopGraceMs = 2_500;
const productionEntry = fileURLToPath(new URL('../worker/main.ts', import.meta.url));

export interface WorkerProcess {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Resolves once the process has ended, however it did. */
  readonly ended: Promise<void>;
  /** Asks it to stop, then makes it. May be called twice. */
  stop(): Promise<void>;
}

export interface WorkerProcessOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Takes what the worker prints. */
  readonly logFile: string;
  /** Path of the entry, in TypeScript or built; production's in TypeScript unless given. */
  readonly entry?: string;
  /** In which it runs, and whose packages it has; the project's unless a test brings its own. */
  readonly folder?: string;
}

/** Starts the runbook's worker as production does, in a process of its own. Only the environment differs. */
export function startWorkerProcess({
  env,
  logFile,
  entry = productionEntry,
  folder,
}: WorkerProcessOptions): WorkerProcess {
  const log = openSync(logFile, 'a', 0o600);
  const inherited = Object.fromEntries(
    ['PATH', 'HOME', 'TMPDIR', 'LANG'].flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
  const child = spawn(process.execPath, programArgs(entry), {
    ...(folder === undefined ? {} : { cwd: folder }),
    // Temporal's configuration file of whoever rehearses may lead to a server of production's.
    env: { ...inherited, TEMPORAL_CONFIG_FILE: devNull, ...env },
    stdio: ['ignore', log, log, 'ipc'],
    // A group of its own: Ctrl-C is for the rehearsal, which stops the worker in its turn.
    detached: true,
  });
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  let stopping: Promise<void> | undefined;
  return {
    pid: child.pid ?? 0,
    process: child,
    ended,
    stop: () =>
      (stopping ??= (async () => {
        child.kill('SIGTERM');
        const force = setTimeout(() => child.kill('SIGKILL'), stopGraceMs);
        await ended;
        clearTimeout(force);
      })()),
  };
}
