import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { cacheFolder } from '../cache.ts';
import { cachedBuild } from '../cached-build.ts';
import { findOnPath, goEnvironment, goInstall, isExecutable } from '../go-install.ts';
import { lastError, runTool } from '../run-tool.ts';

const MODULE = 'go.temporal.io/server';
const CHECK_LIMIT_MS = 15_000;
const DOWNLOAD_LIMIT_MS = 10 * 60_000;

/** Temporal's server as a program, and what its database is set up with. */
export interface ServerPrograms {
  readonly version: string;
  /** A folder with `temporal-server` and `temporal-sql-tool`, the names that they have in Temporal's images. */
  readonly bin: string;
  /** The folder of the schemas for PostgreSQL, with `temporal` and `visibility` in it. */
  readonly schemas: string;
}

type Log = (line: string) => void;

/**
 * Temporal's server and the tool for its schema, built from their Go module into the cache folder, with the schema beside
 * them. Two processes at once build once.
 *
 * @param version as its images carry it, such as `1.31.2`
 * @param log takes a line now and then while that takes long
 * @throws where it was not built before and cannot be built; the message says what is missing
 */
export async function buildTemporalServer(
  version: string,
  log: Log,
  { env = process.env, signal }: { env?: NodeJS.ProcessEnv; signal?: AbortSignal } = {},
): Promise<ServerPrograms> {
  const built = join(cacheFolder(env), 'temporal-server', `v${version}`);
  await cachedBuild({
    what: "Temporal's server",
    built,
    works: (folder) => works(folder, version, env, signal),
    build: (folder) => buildInto(folder, version, env, log, signal),
    log,
    signal,
  });
  return { version, bin: built, schemas: join(built, 'schema') };
}

async function works(
  folder: string,
  version: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const server = join(folder, 'temporal-server');
  if (!(await isExecutable(server)) || !(await isExecutable(join(folder, 'temporal-sql-tool')))) return false;
  const { stdout } = await runTool(server, ['--version'], { env, signal, limitMs: CHECK_LIMIT_MS });
  return stdout.trim() === `temporal version ${version}`;
}

async function buildInto(
  staging: string,
  version: string,
  env: NodeJS.ProcessEnv,
  log: Log,
  signal: AbortSignal | undefined,
): Promise<string> {
  for (const [folder, name] of [
    ['cmd/server', 'temporal-server'],
    ['cmd/tools/sql', 'temporal-sql-tool'],
  ] as const) {
    const program = { what: `${name} ${version}`, package: `${MODULE}/${folder}@v${version}`, into: staging };
    const { file, what, problem } = await goInstall(program, env, log, signal);
    if (file === undefined) {
      throw new Error(
        `Temporal's server ${version} is needed and is not in ${cacheFolder(env)}; it is built from its Go module. ${what}: ${problem}.\n` +
          'Install Go (https://go.dev/dl), with a way to its module proxy, then run this again.',
      );
    }
    await rename(file, join(staging, name));
  }
  const module = await moduleFolder(version, staging, env, signal);
  await copyFiles(join(module, 'schema/postgresql/v12'), join(staging, 'schema'));
  return staging;
}

/** Anew, and not with their modes: Go's cache is read-only, folders too, and what is copied so cannot be removed. */
async function copyFiles(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath, entry.name);
    const target = join(to, relative(from, source));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, await readFile(source));
  }
}

/** Where Go keeps the module's source: building has brought it. */
async function moduleFolder(
  version: string,
  staging: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<string> {
  const go = (await findOnPath('go', env)) ?? 'go';
  const result = await runTool(go, ['mod', 'download', '-json', `${MODULE}@v${version}`], {
    cwd: staging,
    env: goEnvironment(env, staging),
    limitMs: DOWNLOAD_LIMIT_MS,
    signal,
  });
  if (result.code !== 0) throw new Error(`Temporal's schema could not be got: ${lastError(result)}`);
  return (JSON.parse(result.stdout) as { Dir: string }).Dir;
}
