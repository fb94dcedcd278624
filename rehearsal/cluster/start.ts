import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { startOrphanGuard, type OrphanGuard } from '../orphan-guard.ts';
import { freePortBetween } from '../ports.ts';
import { startPostgres, type RehearsalPostgres } from '../postgres.ts';
import { lastError, runTool } from '../run-tool.ts';
import type { ServerPrograms } from './build.ts';
import { healthPathOf, projectFolder, readCompose, serviceOf, type ComposeFile } from './compose.ts';
import { startServer, type ServerProcess } from './server-process.ts';

/**
 * Temporal's server on PostgreSQL, as docker-compose.yml runs it, without containers: its environment and the scripts of
 * `cluster/`, with other addresses. Other than there, PostgreSQL is reached over TLS and is the version of the rehearsal.
 */
export interface Cluster {
  /** `127.0.0.1:PORT`, for a client or worker. */
  readonly address: string;
  readonly postgres: RehearsalPostgres;
  /** Of the server. */
  readonly pid: number;
  /** Runs what makes its schema or its namespace once more, and answers what that printed. */
  run(service: InitService): Promise<string>;
  /** Ends the server, in order or as a crash does, and starts it again on the same PostgreSQL and the same ports. */
  restart(how?: 'crash'): Promise<void>;
  /** Leaves nothing. May be called twice. */
  stop(): Promise<void>;
}

export type InitService = 'schema' | 'namespace';

export interface ClusterOptions {
  /** An existing scratch folder; the caller removes it. */
  readonly dir: string;
  readonly programs: ServerPrograms;
  /** Path of the Temporal CLI. */
  readonly cli: string;
  /** Keeps the server's databases, beside others, and stays the caller's to stop; a PostgreSQL of its own unless given. */
  readonly postgres?: RehearsalPostgres;
  readonly signal?: AbortSignal;
}

const INIT_LIMIT_MS = 120_000;
const portNames = [
  'FRONTEND_GRPC_PORT',
  'FRONTEND_HTTP_PORT',
  'FRONTEND_MEMBERSHIP_PORT',
  'HISTORY_GRPC_PORT',
  'HISTORY_MEMBERSHIP_PORT',
  'MATCHING_GRPC_PORT',
  'MATCHING_MEMBERSHIP_PORT',
  'WORKER_GRPC_PORT',
  'WORKER_MEMBERSHIP_PORT',
] as const;
type Ports = Readonly<Record<(typeof portNames)[number], string>>;

/** Starts PostgreSQL where it is not given, makes both schemas, starts the server, and makes the namespace. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { dir, programs, cli, signal } = options;
  const compose = await readCompose();
  const guard = startOrphanGuard();
  const cleanups: (() => Promise<void>)[] = [() => guard.close()];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      for (const cleanup of cleanups.reverse()) await cleanup();
    })());
  try {
    const postgres =
      options.postgres ?? (await startPostgres({ dir: join(dir, 'postgres'), ...(signal ? { signal } : {}) }));
    if (options.postgres === undefined) cleanups.push(() => postgres.stop());
    const passwordFile = join(dir, 'postgres_password');
    await writeFile(passwordFile, `${postgres.superuser.password}\n`, { mode: 0o600 });
    const place: Place = { dir, programs, postgres, passwordFile, path: await programsOnPath(dir, programs, cli) };

    await runInit('schema', schemaEnvironment(compose, place), signal);
    const started = await startOnFreePorts(compose, place, guard, signal);
    const { ports } = started;
    let { server } = started;
    cleanups.push(() => server.end());
    const address = `127.0.0.1:${ports.FRONTEND_GRPC_PORT}`;
    const run = (service: InitService): Promise<string> =>
      runInit(
        service,
        service === 'schema' ? schemaEnvironment(compose, place) : namespaceEnvironment(compose, place, address),
        signal,
      );
    await run('namespace');
    return {
      address,
      postgres,
      get pid() {
        return server.pid;
      },
      run,
      async restart(how) {
        await server.end(how);
        server = await startServer(serverOptions(compose, place, ports, guard, signal));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What stands here for the containers of the file. */
interface Place {
  readonly dir: string;
  readonly programs: ServerPrograms;
  readonly postgres: RehearsalPostgres;
  readonly passwordFile: string;
  readonly path: string;
}

async function programsOnPath(dir: string, { bin }: ServerPrograms, cli: string): Promise<string> {
  const links = join(dir, 'bin');
  await mkdir(links);
  await symlink(cli, join(links, 'temporal'));
  return [links, bin, process.env['PATH'] ?? ''].join(delimiter);
}

async function runInit(service: InitService, env: NodeJS.ProcessEnv, signal: AbortSignal | undefined): Promise<string> {
  const script = join(projectFolder, 'cluster', `${service}.sh`);
  const result = await runTool('/bin/sh', [script], { env, limitMs: INIT_LIMIT_MS, signal });
  if (result.code !== 0) {
    throw new Error(`cluster/${service}.sh ${result.timedOut ? 'took too long' : 'failed'}: ${lastError(result)}`);
  }
  return result.output;
}

function schemaEnvironment(compose: ComposeFile, { programs, postgres, passwordFile, path }: Place): NodeJS.ProcessEnv {
  return {
    ...serviceOf(compose, 'schema').environment,
    SQL_HOST: postgres.host,
    SQL_PORT: String(postgres.port),
    SQL_USER: postgres.superuser.user,
    POSTGRES_PASSWORD_FILE: passwordFile,
    SCHEMAS: programs.schemas,
    SQL_TLS: 'true',
    SQL_TLS_CA_FILE: postgres.caFile,
    SQL_TLS_SERVER_NAME: postgres.host,
    PATH: path,
  };
}

function namespaceEnvironment(compose: ComposeFile, { dir, path }: Place, address: string): NodeJS.ProcessEnv {
  // The CLI's own configuration file, of whoever runs this, is in the home folder.
  return { ...serviceOf(compose, 'namespace').environment, TEMPORAL_ADDRESS: address, PATH: path, HOME: dir };
}

function serverOptions(
  compose: ComposeFile,
  { dir, postgres, passwordFile, path }: Place,
  ports: Ports,
  guard: OrphanGuard,
  signal: AbortSignal | undefined,
) {
  return {
    // What the image's own entrypoint ends with.
    command: ['/bin/sh', join(projectFolder, 'cluster/server.sh'), 'temporal-server', 'start'],
    env: {
      ...serviceOf(compose, 'temporal').environment,
      ...ports,
      POSTGRES_SEEDS: postgres.host,
      DB_PORT: String(postgres.port),
      POSTGRES_USER: postgres.superuser.user,
      POSTGRES_PASSWORD_FILE: passwordFile,
      SQL_TLS_ENABLED: 'true',
      SQL_CA: postgres.caFile,
      SQL_HOST_VERIFICATION: 'true',
      SQL_HOST_NAME: postgres.host,
      BIND_ON_IP: '127.0.0.1',
      DYNAMIC_CONFIG_FILE_PATH: join(projectFolder, 'cluster/dynamic-config.yaml'),
      PATH: path,
      HOME: dir,
    },
    logFile: join(dir, 'temporal.log'),
    healthUrl: `http://127.0.0.1:${ports.FRONTEND_HTTP_PORT}${healthPathOf(compose)}`,
    guard,
    signal,
  };
}

/** Below 32768: on PostgreSQL, a table of Temporal's keeps a port as a `smallint` [ran: 1.31.2]. */
async function freePorts(): Promise<Ports> {
  const taken = new Set<number>();
  while (taken.size < portNames.length) taken.add(await freePortBetween(20_000, 32_768));
  return Object.fromEntries([...taken].map((port, at) => [portNames[at], String(port)])) as Ports;
}

async function startOnFreePorts(
  compose: ComposeFile,
  place: Place,
  guard: OrphanGuard,
  signal: AbortSignal | undefined,
): Promise<{ server: ServerProcess; ports: Ports }> {
  for (let attempt = 1; ; attempt += 1) {
    const ports = await freePorts();
    const options = serverOptions(compose, place, ports, guard, signal);
    try {
      return { server: await startServer(options), ports };
    } catch (error) {
      signal?.throwIfAborted();
      const complaint = (await readFile(options.logFile, 'utf8').catch(() => '')).trim().slice(-1_000);
      // Between asking for a free port and using it, somebody else may have taken it.
      if (attempt < 3 && /address already in use/i.test(complaint)) continue;
      throw new Error(`Temporal's server did not start (${(error as Error).message}): ${complaint}`, { cause: error });
    }
  }
}
