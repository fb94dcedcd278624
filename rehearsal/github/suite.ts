import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { OrphanGuard } from '../orphan-guard.ts';

/** A test suite that runs: a child process in a process group of its own. */
export interface RunningSuite {
  readonly pid: number | undefined;
  /** The exit code; `undefined` when a signal ended it or it could not be started. */
  readonly ended: Promise<number | undefined>;
  /** Ends the whole group: SIGTERM, and SIGKILL after a second. */
  stop(): Promise<void>;
}

const GRACE_MS = 1_000;

/**
 * Starts a suite.
 *
 * @param options.env what the suite sees besides `PATH`, `HOME` and the locale: a runner of GitHub's does not have the
 *   variables of whoever dispatched the run either
 * @param options.logFile takes the suite's output, merged
 */
export function runSuite(options: {
  command: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  logFile: string;
  guard: OrphanGuard;
}): RunningSuite {
  const [file, ...args] = options.command;
  if (file === undefined) throw new Error('a smoke suite needs a command');
  const kept = Object.entries(process.env).filter(([name]) => /^(PATH|HOME|LANG|LC_\w+|TMPDIR)$/.test(name));
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...Object.fromEntries(kept), CI: 'true', GITHUB_ACTIONS: 'true', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const { pid } = child;
  if (pid !== undefined) options.guard.watchGroup(pid);
  const log = createWriteStream(options.logFile, { mode: 0o600 });
  log.on('error', () => undefined);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const ended = new Promise<number | undefined>((resolve) => {
    child.once('error', (error) => {
      log.end(`${error.message}\n`);
      resolve(undefined);
    });
    // `close`, not `exit`: what the suite said last is in the log before the run counts as completed.
    child.once('close', (code) => {
      log.end();
      resolve(code ?? undefined);
    });
  }).finally(() => {
    if (pid !== undefined) options.guard.unwatchGroup(pid);
  });
  const stop = async (): Promise<void> => {
    if (pid === undefined || !signalGroup(pid, 'SIGTERM')) return;
    const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), GRACE_MS);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    clearTimeout(timer);
    // The suite itself is gone; a grandchild may have ignored the first signal.
    signalGroup(pid, 'SIGKILL');
    await ended;
  };
  return { pid, ended, stop };
}

/** False when nobody is left in the group. */
function signalGroup(pgid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pgid, signal);
    return true;
  } catch {
    return false;
  }
}
