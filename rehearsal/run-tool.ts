import { spawn } from 'node:child_process';
import { startOrphanGuard } from './orphan-guard.ts';

/** How a tool ended. */
export interface ToolResult {
  /** `undefined` when it could not be started, or a signal or our time limit ended it. */
  readonly code: number | undefined;
  /** Standard output alone. */
  readonly stdout: string;
  /** Standard output and standard error as they came; the last 20,000 characters. */
  readonly output: string;
  readonly timedOut: boolean;
}

const KEPT = 20_000;

/**
 * Runs a tool to its end in a process group of its own, without input. Neither a time limit, nor an abort, nor our own
 * death leaves any of its processes behind.
 *
 * @param options.limitMs the whole group is killed after that many milliseconds
 * @param options.stalled asked every second; the group is killed when it says true
 * @throws the signal's reason when it is aborted; never because of how the tool ended
 */
export async function runTool(
  file: string,
  args: readonly string[],
  options: {
    env?: NodeJS.ProcessEnv;
    cwd?: string;
    limitMs: number;
    stalled?: () => boolean;
    onLine?: (line: string) => void;
    signal?: AbortSignal | undefined;
  },
): Promise<ToolResult> {
  options.signal?.throwIfAborted();
  const guard = startOrphanGuard();
  const child = spawn(file, args, {
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const { pid } = child;
  if (pid !== undefined) guard.watchGroup(pid);
  let [stdout, output, rest, timedOut] = ['', '', '', false];
  const take = (chunk: string): void => {
    output = (output + chunk).slice(-KEPT);
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) options.onLine?.(line);
  };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout = (stdout + chunk).slice(-KEPT);
    take(chunk);
  });
  child.stderr.setEncoding('utf8').on('data', take);
  const kill = (): void => {
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // The group has ended by itself.
    }
  };
  const giveUp = (): void => {
    timedOut = true;
    kill();
  };
  const limit = setTimeout(giveUp, options.limitMs);
  const watch = setInterval(() => options.stalled?.() && giveUp(), 1_000);
  options.signal?.addEventListener('abort', kill, { once: true });
  try {
    const code = await new Promise<number | undefined>((resolve) => {
      child.once('error', (error) => {
        output += error.message;
        resolve(undefined);
      });
      child.once('close', (status) => resolve(status ?? undefined));
    });
    options.signal?.throwIfAborted();
    return { code, stdout, output, timedOut };
  } finally {
    clearTimeout(limit);
    clearInterval(watch);
    options.signal?.removeEventListener('abort', kill);
    kill();
    await guard.close();
  }
}

/** Says every `everyMs` that something is still going on, and for how long. Returns what ends it. */
export function sayProgress(log: (line: string) => void, what: () => string, everyMs = 10_000): () => void {
  const start = Date.now();
  const timer = setInterval(() => log(`${what()} (${Math.round((Date.now() - start) / 1000)} s)`), everyMs);
  return () => clearInterval(timer);
}

/** The line of what a tool printed that says best why it failed. */
export function lastError(result: ToolResult): string {
  const lines = result.output.split('\n').filter((line) => line.trim() !== '');
  // Of several words: Go says the name of each package that it builds, and some are called errors.
  const telling = lines.filter((line) => /error|fail|cannot|denied|not found/i.test(line) && /\S\s/.test(line));
  const told = telling.filter((line) => !/^\s+at /.test(line));
  return (told.at(-1) ?? lines.at(-1) ?? 'it ended without a word').trim().slice(0, 300);
}
