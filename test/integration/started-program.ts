import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** One of the project's commands, run in a process group of its own, as a terminal runs it. */
export interface StartedProgram {
  readonly pid: number;
  /** Its folder for temporary files, which it has to itself. */
  readonly tmp: string;
  /** Everything that it has printed so far. */
  output(): string;
  /** Resolves with the match once its output matches; rejects when it has ended without. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends what a terminal sends on Ctrl-C and the like: to the whole group. */
  signal(name: NodeJS.Signals): void;
  /** Writes to its standard input. */
  type(text: string): void;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Ends it by force, where it has not ended, and removes its folder. */
  dispose(): Promise<void>;
}

/** @param command a file and its arguments, run in the project's folder */
export async function startProgram(command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<StartedProgram> {
  const tmp = await mkdtemp(path.join(tmpdir(), 'started-program-'));
  // PostgreSQL does not run as root: as root, its folder must be within reach of another account.
  await chmod(tmp, 0o711);
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    cwd: root,
    // Temporal's configuration file of whoever runs the tests leads elsewhere.
    env: {
      ...inheritedEnv(),
      TEMPORAL_CONFIG_FILE: devNull,
      TMPDIR: tmp,
      TEMPORAL_CLI_PATH: process.env['RC_TEST_TEMPORAL_CLI'],
      ...env,
    },
    detached: true,
  });
  let output = '';
  let over = false;
  const listeners = new Set<() => void>();
  const tell = (): void => listeners.forEach((listener) => listener());
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => ((output += chunk), tell()));
  }
  child.stdin.on('error', () => undefined);
  const ended = new Promise<Awaited<StartedProgram['ended']>>((resolve, reject) => {
    child.once('error', reject);
    // Not `close`: what it left behind could hold its output open.
    child.once('exit', (code, signal) => ((over = true), resolve({ code, signal })));
  });
  void ended.then(tell, tell);
  const pid = child.pid ?? 0;
  const signal = (name: NodeJS.Signals): void => void process.kill(-pid, name);

  return {
    pid,
    tmp,
    output: () => output,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(output);
          if (match === null && !over) return;
          listeners.delete(look);
          if (match) resolve(match);
          else reject(new Error(`it ended without saying ${String(pattern)}:\n${output}`));
        };
        listeners.add(look);
        look();
      }),
    signal,
    type: (text) => void child.stdin.write(text),
    ended,
    async dispose() {
      if (!over) {
        signal('SIGKILL');
        await ended;
        await untilGone(tmp);
      }
      await rm(tmp, { recursive: true, force: true });
    },
  };
}

/** Jest's own settings are not for the programs that it tests. */
function inheritedEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(NODE_OPTIONS|JEST_|TEMPORAL_|npm_)/.test(name)),
  );
}

/** What a program left: files in its temporary folder, and processes that know the folder. */
export async function leftovers(tmp: string): Promise<string[]> {
  // The TypeScript loader keeps what it has compiled, for the next time.
  const files = (await readdir(tmp)).filter((name) => !/^tsx-|^node-compile-cache$/.test(name));
  return [...files, ...(await processesThatKnow(tmp))];
}

/**
 * Waits until nothing is left, for as long as an interrupted program may take.
 *
 * @returns what is left after all
 */
export async function untilGone(tmp: string, limitMs = 10_000): Promise<string[]> {
  for (const deadline = Date.now() + limitMs; ;) {
    const left = await leftovers(tmp);
    if (left.length === 0 || Date.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * Processes with the folder in environment, command line or working folder. Everything that a rehearsal starts has:
 * TMPDIR is inherited, and a dyno's home is below it. Other systems than Linux do not tell: there, none is found.
 */
async function processesThatKnow(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc').catch((): string[] => [])).filter((name) => /^\d+$/.test(name));
  const found: string[] = [];
  for (const pid of pids) {
    const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
    const command = await read('cmdline');
    const texts = [command, await read('environ'), await readlink(`/proc/${pid}/cwd`).catch(() => '')];
    // A process that has ended and was not yet waited for has no command line any more.
    if (command !== '' && texts.some((text) => text.includes(folder))) {
      found.push(`process ${pid}: ${command.replaceAll('\0', ' ').slice(0, 120)}`);
    }
  }
  return found;
}
