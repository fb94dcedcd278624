import { statSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cache.ts';
import { cachedBuild } from './cached-build.ts';
import { findOnPath, goInstall, isExecutable, type Attempt } from './go-install.ts';
import { lastError, runTool, sayProgress } from './run-tool.ts';

/** Brings server 1.29.1 and Web UI 2.42.1. `@latest` cannot be installed with Go: its go.mod has a `replace`. */
const VERSION = 'v1.5.1';
const MODULE = `github.com/temporalio/cli/cmd/temporal@${VERSION}`;
const PROJECT = fileURLToPath(new URL('..', import.meta.url));

const CHECK_LIMIT_MS = 15_000;
const DOWNLOAD_LIMIT_MS = 5 * 60_000;
/** A download that has brought nothing for so long is given up: the host may be out of reach without saying so. */
const STALL_MS = 15_000;

export interface FindOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  /** The SDK's own download, into the given folder. */
  readonly download?: (folder: string, signal: AbortSignal | undefined) => Promise<string | undefined>;
}

type Log = (line: string) => void;

/**
 * Finds the Temporal CLI, which brings the server and its Web UI; gets it when the machine has none. In this order: the
 * path in `TEMPORAL_CLI_PATH`; `temporal` on `PATH`; the copy in the cache folder; the SDK's download into that folder;
 * `go install` into that folder. Two processes at once get it once.
 *
 * @param log takes a line now and then while that takes long
 * @returns an absolute path whose `--version` has answered
 * @throws when `TEMPORAL_CLI_PATH` does not work, or nothing does; the message says what to install
 */
export async function findTemporalCli(log: Log, options: FindOptions = {}): Promise<string> {
  const { env = process.env, signal, download = downloadWithSdk } = options;
  const given = env['TEMPORAL_CLI_PATH'];
  if (given) {
    const problem = await problemOf(resolve(given), env, signal);
    if (problem === undefined) return resolve(given);
    throw new Error(`TEMPORAL_CLI_PATH is ${given}, but that is not a Temporal CLI that works: ${problem}`);
  }
  const onPath = await findOnPath('temporal', env);
  if (onPath !== undefined) {
    const problem = await problemOf(onPath, env, signal);
    if (problem === undefined) return onPath;
    log(`${onPath} is passed over: ${problem}`);
  }
  const cached = join(cacheFolder(env), 'temporal', `temporal-${VERSION}`);
  await cachedBuild({
    what: 'the Temporal CLI',
    verb: 'getting',
    built: cached,
    works: async (file) => (await problemOf(file, env, signal)) === undefined,
    build: (staging) => getInto(staging, cached, { env, signal, download }, log),
    log,
    signal,
  });
  return cached;
}

/** @returns the CLI in the folder, which has answered */
async function getInto(
  staging: string,
  cached: string,
  {
    env,
    signal,
    download,
  }: Required<Pick<FindOptions, 'env' | 'download'>> & { readonly signal: AbortSignal | undefined },
  log: Log,
): Promise<string> {
  const attempts = [
    () => tryDownload(staging, download, log, signal),
    () => goInstall({ what: `the Temporal CLI ${VERSION}`, package: MODULE, into: staging }, env, log, signal),
  ];
  const failures: string[] = [];
  for (const attempt of attempts) {
    const result = await attempt();
    const problem = result.file === undefined ? result.problem : await problemOf(result.file, env, signal);
    if (problem === undefined && result.file !== undefined) return result.file;
    log(`${result.what}: ${problem}`);
    failures.push(`${result.what}: ${problem}`);
  }
  throw new Error(
    'The Temporal CLI is needed and was not found: not in TEMPORAL_CLI_PATH (not set), not on PATH as `temporal`, ' +
      `not as ${cached}. ${failures.join('; ')}.\nInstall it as https://docs.temporal.io/cli says, or install Go ` +
      '(https://go.dev/dl) so that it can be built here, or set TEMPORAL_CLI_PATH to it. Then run this again.',
  );
}

/** What is wrong with a file as Temporal CLI; `undefined` when nothing is. */
async function problemOf(
  file: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (!(await isExecutable(file))) return 'no executable file is there';
  const result = await runTool(file, ['--version'], { env, signal, limitMs: CHECK_LIMIT_MS });
  if (result.timedOut) return '`--version` did not answer in time';
  if (result.code === 0 && /^temporal version /m.test(result.stdout)) return undefined;
  return `\`--version\` answered ${JSON.stringify(result.output.trim().slice(0, 200))}`;
}

async function tryDownload(
  staging: string,
  download: NonNullable<FindOptions['download']>,
  log: Log,
  signal: AbortSignal | undefined,
): Promise<Attempt> {
  const what = "the Temporal SDK's download";
  const into = join(staging, 'download');
  await mkdir(into);
  log('downloading the Temporal CLI (once)');
  const done = sayProgress(log, () => `downloading the Temporal CLI: ${Math.round(sizeOf(into) / 1e6)} MB`);
  try {
    const problem = await download(into, signal);
    // The SDK chooses the name; what it has not finished ends in `.downloading`.
    const name = readdirSync(into).find((entry) => !entry.endsWith('.downloading'));
    return name === undefined ? { what, problem: problem ?? 'it brought no file' } : { what, file: join(into, name) };
  } finally {
    done();
  }
}

/** In a process of its own: a native download that hangs cannot be called off within this one. */
async function downloadWithSdk(folder: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  const script = `
    import { TestWorkflowEnvironment } from '@temporalio/testing';
    const executable = { type: 'cached-download', version: '${VERSION}', downloadDir: ${JSON.stringify(folder)} };
    const server = await TestWorkflowEnvironment.createLocal({ server: { executable } });
    await server.teardown();
  `;
  let [size, grownAt] = [-1, Date.now()];
  const stalled = (): boolean => {
    const now = sizeOf(folder);
    if (now !== size) [size, grownAt] = [now, Date.now()];
    return Date.now() - grownAt > STALL_MS;
  };
  const result = await runTool(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: PROJECT,
    limitMs: DOWNLOAD_LIMIT_MS,
    stalled,
    signal,
  });
  if (result.code === 0) return undefined;
  return result.timedOut ? 'it made no progress' : lastError(result);
}

/** Bytes in the files of a folder. */
function sizeOf(folder: string): number {
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}
