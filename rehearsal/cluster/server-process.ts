import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { OrphanGuard } from '../orphan-guard.ts';

const READY_LIMIT_MS = 60_000;
/** Its services leave one after the other, each in its own time. */
const STOP_GRACE_MS = 30_000;

export interface ServerOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Takes what it prints. */
  readonly logFile: string;
  /** Answers with 200 once it can be used. */
  readonly healthUrl: string;
  readonly guard: OrphanGuard;
  readonly signal: AbortSignal | undefined;
}

export interface ServerProcess {
  readonly pid: number;
  /** Asks it to stop, then makes it; `crash` makes it at once. */
  end(how?: 'crash'): Promise<void>;
}

/**
 * Starts a server and waits until it can be used.
 *
 * @throws where it ends before, or takes longer than a minute; nothing is left then
 */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const { command, env, logFile, healthUrl, guard, signal } = options;
  const [file = '', ...args] = command;
  const log = openSync(logFile, 'a', 0o600);
  // A group of its own: Ctrl-C on the terminal must not take it from under what is still shutting down.
  const child = spawn(file, args, { env, stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  let failure: string | undefined;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', (code, by) => (failure = `it ended with ${code ?? by}`));
  const pid = child.pid ?? 0;
  if (pid !== 0) guard.watchGroup(pid);
  const end = async (how?: 'crash'): Promise<void> => {
    await endProcess(child, how === 'crash' ? ['SIGKILL'] : ['SIGTERM', 'SIGKILL']);
    if (pid !== 0) guard.unwatchGroup(pid);
  };
  try {
    for (const until = Date.now() + READY_LIMIT_MS; ;) {
      if (await answers(healthUrl)) break;
      signal?.throwIfAborted();
      if (failure !== undefined) throw new Error(failure);
      if (Date.now() > until) throw new Error(`it was not usable after ${READY_LIMIT_MS / 1000} s`);
      await delay(100);
    }
    if (failure !== undefined) throw new Error(failure);
    return { pid, end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    async (response) => {
      await response.body?.cancel();
      return response.status === 200;
    },
    () => false,
  );
}

async function endProcess(child: ChildProcess, signals: readonly NodeJS.Signals[]): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (const signal of signals) {
    child.kill(signal);
    const limit = delay(STOP_GRACE_MS, 'late' as const, { ref: false });
    if ((await Promise.race([exited, limit])) !== 'late') return;
  }
}
