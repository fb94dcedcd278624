import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { OrphanGuard } from './orphan-guard.ts';
import { freePort } from './ports.ts';

/** Whom the server runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface PostmasterOptions {
  /** Folder of `postgres`. */
  readonly bin: string;
  /** Its data, made by `initdb`. */
  readonly data: string;
  readonly account: Account | undefined;
  /** Whether what is committed is on the disk. */
  readonly outlivesPowerCut: boolean;
  /** Told of each process, and when it is gone. */
  readonly guard: OrphanGuard;
  /** Gives up a start that is under way. */
  readonly signal: AbortSignal | undefined;
}

/** The server's own process, whichever it is at the moment. */
export interface Postmaster {
  readonly port: number;
  readonly pid: number;
  /** Ends it as a crash does. */
  halt(): Promise<void>;
  /** Starts it again behind `halt`, on the same port. */
  resume(): Promise<void>;
  end(): Promise<void>;
}

/** PostgreSQL's "fast" shutdown, in which sessions are told, then its "immediate" one. */
const inOrder: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGKILL'];
const asByACrash: readonly NodeJS.Signals[] = ['SIGQUIT', 'SIGKILL'];
const STOP_GRACE_MS = 3_000;
const START_LIMIT_MS = 60_000;

/** Starts the server on a free port of 127.0.0.1, and waits until it takes connections. */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const { guard } = options;
  const started = await launchOnFreePort(options);
  const { port } = started;
  let { child } = started;
  const pidOf = (process: ChildProcess): number => process.pid as number;
  guard.watchGroup(pidOf(child));
  const end = async (how: readonly NodeJS.Signals[]): Promise<void> => {
    await endPostmaster(child, how);
    guard.unwatchGroup(pidOf(child));
  };
  return {
    port,
    get pid() {
      return pidOf(child);
    },
    halt: () => end(asByACrash),
    async resume() {
      const again = launch(options, port);
      child = again.child;
      guard.watchGroup(pidOf(child));
      if (!(await again.ready)) throw new Error(`PostgreSQL did not start again: ${again.complaint().trim()}`);
    },
    end: () => end(inOrder),
  };
}

async function launchOnFreePort(options: PostmasterOptions): Promise<{ child: ChildProcess; port: number }> {
  const { signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const { child, ready, complaint } = launch(options, port);
    const abort = (): void => void child.kill('SIGQUIT');
    signal?.addEventListener('abort', abort, { once: true });
    const up = await ready;
    signal?.removeEventListener('abort', abort);
    if (up && !signal?.aborted) return { child, port };
    await endPostmaster(child, inOrder);
    signal?.throwIfAborted();
    // Between asking for a free port and using it, somebody else may have taken it.
    if (attempt === 3 || !/could not bind|Address already in use/i.test(complaint())) {
      throw new Error(`PostgreSQL did not start: ${complaint().trim()}`);
    }
  }
}

function launch(
  { bin, data, account, outlivesPowerCut }: PostmasterOptions,
  port: number,
): { child: ChildProcess; ready: Promise<boolean>; complaint: () => string } {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    ssl: 'on',
    password_encryption: 'scram-sha-256',
    max_connections: '120',
    shared_buffers: '64MB',
    // Where it is off, what is committed is with the operating system, and so outlives a crash of the server.
    fsync: outlivesPowerCut ? 'on' : 'off',
    full_page_writes: outlivesPowerCut ? 'on' : 'off',
    timezone: 'UTC',
    // A statement that fails is logged with its text, and that text may hold a new role's password.
    log_min_error_statement: 'panic',
    log_min_messages: 'log',
  };
  const child = spawn(
    join(bin, 'postgres'),
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    // A group of its own: Ctrl-C on the terminal must not take the database from under what is still shutting down.
    { ...account, cwd: data, env: serverEnvironment(), stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  );
  let text = '';
  const ready = new Promise<boolean>((resolve) => {
    const limit = setTimeout(() => resolve(false), START_LIMIT_MS);
    const settle = (up: boolean): void => {
      clearTimeout(limit);
      resolve(up);
    };
    child.once('error', (error) => {
      text += error.message;
      settle(false);
    });
    child.once('exit', () => settle(false));
    child.stderr.on('data', (chunk: Buffer) => {
      if (text.length < 10_000) text += chunk.toString();
      if (text.includes('database system is ready to accept connections')) settle(true);
    });
  });
  return { child, ready, complaint: () => text };
}

async function endPostmaster(child: ChildProcess, how: readonly NodeJS.Signals[]): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (const signal of how) {
    child.kill(signal);
    const limit = new Promise<'late'>((resolve) => setTimeout(resolve, STOP_GRACE_MS, 'late').unref());
    if ((await Promise.race([exited, limit])) !== 'late') return;
  }
}

/** What the server gets to see of our environment. `PG…` variables of the user's would change what it does. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => /^(PATH|LD_LIBRARY_PATH|DYLD_.*|TMPDIR)$/.test(name));
  // The readiness line is recognised by its English text.
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}
