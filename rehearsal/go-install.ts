import { constants, statSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { basename, delimiter, join, resolve } from 'node:path';
import { lastError, runTool, sayProgress } from './run-tool.ts';

const BUILD_LIMIT_MS = 20 * 60_000;

/** One way to get a program: the file, or why there is none. */
export interface Attempt {
  readonly what: string;
  readonly file?: string;
  readonly problem?: string;
}

export interface GoProgram {
  /** As people call it, for the log. */
  readonly what: string;
  /** `MODULE/FOLDER@VERSION`, with a version that is said. */
  readonly package: string;
  /** An existing folder. */
  readonly into: string;
}

/** Builds a program with the machine's Go, which takes minutes the first time and seconds later. */
export async function goInstall(
  { what: program, package: name, into }: GoProgram,
  env: NodeJS.ProcessEnv,
  log: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<Attempt> {
  const what = '`go install`';
  const go = await findOnPath('go', env);
  if (go === undefined) return { what, problem: 'Go is not installed' };
  log(`building ${program} with Go (once; takes some minutes)`);
  let packages = 0;
  const done = sayProgress(log, () => `building ${program}: ${packages} packages`);
  const result = await runTool(go, ['install', '-v', name], {
    cwd: into,
    env: goEnvironment(env, into),
    limitMs: BUILD_LIMIT_MS,
    onLine: (line) => {
      if (/^[\w./-]+$/.test(line)) packages += 1;
    },
    signal,
  }).finally(done);
  if (result.code === 0) return { what, file: join(into, basename(name.split('@')[0] ?? '')) };
  return { what, problem: result.timedOut ? 'it took too long' : lastError(result) };
}

/** GOBIN is refused when building for another platform, and a workspace of the user's would be asked first. */
export function goEnvironment(env: NodeJS.ProcessEnv, bin: string): NodeJS.ProcessEnv {
  return { ...env, GOBIN: bin, GOOS: '', GOARCH: '', GOWORK: 'off' };
}

/** The first executable file of that name on `PATH`. */
export async function findOnPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && (await isExecutable(join(folder, name)))) return resolve(folder, name);
  }
  return undefined;
}

export async function isExecutable(file: string): Promise<boolean> {
  const allowed = await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
  return allowed && statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}
