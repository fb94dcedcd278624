import { spawn } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import type { OrphanGuard } from '../orphan-guard.ts';

export interface DynoCommand {
  readonly command: string;
  /** The slug's folder, which the dyno gets a copy of. */
  readonly slugDir: string;
  /** Where that copy goes; it is lost with the dyno. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Folder that leads the PATH. */
  readonly pythonBin: string;
  readonly input: boolean;
}

/** A dyno's process group. */
export interface DynoProcess {
  readonly pid: number;
  /** Null when the dyno takes no input. */
  readonly input: Writable | null;
  /** Standard output and standard error, merged in the order of writing [seen]. */
  readonly output: Readable;
  /** The exit code once everything of the dyno is gone; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Ends the whole group. Answers when it is gone. */
  kill(signals: readonly NodeJS.Signals[], graceMs: number): Promise<void>;
}

const DRAIN_LIMIT_MS = 1_000;

/** Copies the slug and runs the command in a shell at its root, in a process group of its own. */
export async function startDynoProcess(what: DynoCommand, guard: OrphanGuard): Promise<DynoProcess> {
  // [docs] A dyno's file system is its own, starts as the slug, and is lost when the dyno ends.
  await cp(what.slugDir, what.folder, { recursive: true });
  // The inner shell is the dyno's; the outer one only merges the two streams, and is replaced by it.
  const child = spawn('/bin/sh', ['-c', 'exec /bin/sh -c "$1" 2>&1', 'sh', what.command], {
    cwd: what.folder,
    detached: true,
    stdio: [what.input ? 'pipe' : 'ignore', 'pipe', 'ignore'],
    // Nothing of our own environment but the PATH: it may hold the user's real credentials.
    env: {
      HOME: what.folder,
      LANG: 'C.UTF-8',
      PYTHONUNBUFFERED: '1',
      ...what.env,
      PATH: `${what.pythonBin}:${process.env.PATH ?? '/usr/bin:/bin'}`,
    },
  });
  // A command that does not read its input closes the pipe; that is no fault.
  child.stdin?.on('error', () => undefined);
  const { pid } = child;
  if (pid === undefined) throw new Error('a dyno could not be started: /bin/sh did not run');
  guard.watchGroup(pid);

  const output = child.stdout as Readable;
  let gone = false;
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', () => {
      // What it left in the background goes with the dyno. A process that moved itself to another group may still hold
      // the output open: the dyno does not wait for it.
      signalGroup(pid, 'SIGKILL');
      setTimeout(() => output.destroy(), DRAIN_LIMIT_MS).unref();
    });
    child.once('close', (code) => resolve(code));
  }).then(async (code) => {
    // From here on the number may belong to somebody else's process.
    gone = true;
    guard.unwatchGroup(pid);
    await rm(what.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    return code;
  });

  const kill = async (signals: readonly NodeJS.Signals[], graceMs: number): Promise<void> => {
    if (gone) return;
    for (const signal of signals) signalGroup(pid, signal);
    const hard = setTimeout(() => !gone && signalGroup(pid, 'SIGKILL'), graceMs);
    await ended;
    clearTimeout(hard);
  };
  return { pid, input: child.stdin, output, ended, kill };
}

function signalGroup(pgid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pgid, signal);
  } catch (error) {
    // ESRCH: nobody is left in the group, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
