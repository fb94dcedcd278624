import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startPostgres, type RehearsalPostgres } from '../../rehearsal/postgres.ts';
import { eventually, isRunning, removeFolder } from './heroku-client.ts';

let dir: string;
let postgres: RehearsalPostgres;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rehearsal-postgres-test-'));
  postgres = await startPostgres({ dir });
});

afterAll(async () => {
  await postgres?.stop();
  await removeFolder(dir);
});

/** One that the server's account can enter: as root, it is another one, and a closed folder is not used. */
const openFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'rehearsal-postgres-test-'));
  await chmod(folder, 0o755);
  return folder;
};

test('it is PostgreSQL 18, over TLS, with a certificate that no public authority vouches for', async () => {
  const client = await postgres.connect('postgres');
  const { rows } = await client.query(
    `SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('max_connections') AS most,
            ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`,
  );
  await client.end();
  expect(rows).toEqual([{ major: 18, most: '120', ssl: true }]);

  const common = { host: postgres.host, port: postgres.port, database: 'postgres', ...postgres.superuser };
  const doubting = new pg.Client({ ...common, ssl: { rejectUnauthorized: true } });
  await expect(doubting.connect()).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  const trusting = new pg.Client({ ...common, ssl: { ca: await readFile(postgres.caFile, 'utf8') } });
  await trusting.connect();
  await trusting.end();
});

test('a connection without TLS, or with a wrong password, is refused', async () => {
  const common = { host: postgres.host, port: postgres.port, database: 'postgres', ...postgres.superuser };
  await expect(new pg.Client({ ...common, ssl: false }).connect()).rejects.toMatchObject({ code: '28000' });
  const wrong = new pg.Client({ ...common, password: 'wrong', ssl: { rejectUnauthorized: false } });
  await expect(wrong.connect()).rejects.toMatchObject({ code: '28P01' });
});

test('halted as by a crash it has kept what was committed, and is resumed on its port', async () => {
  const session = await postgres.connect('postgres');
  await session.query('CREATE TABLE kept (id integer)');
  const lost = new Promise((resolve) => session.once('end', resolve));
  const { pid, port } = postgres;
  await postgres.halt();
  await lost;
  await expect(postgres.connect('postgres')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await postgres.resume();
  expect([postgres.port, postgres.pid === pid]).toEqual([port, false]);
  const again = await postgres.connect('postgres');
  expect((await again.query('SELECT FROM kept')).rowCount).toBe(0);
  await again.query('DROP TABLE kept');
  await again.end();
});

test('stop ends the server and open sessions, removes what is on disk, and may be called twice', async () => {
  const ownDir = await openFolder();
  const own = await startPostgres({ dir: ownDir });
  expect(await readdir(ownDir)).toHaveLength(1);
  const session = await own.connect('postgres');
  const lost = new Promise((resolve) => session.once('end', resolve));
  await Promise.all([own.stop(), own.stop()]);
  await own.stop();
  await lost;
  expect(isRunning(own.pid)).toBe(false);
  expect(await readdir(ownDir)).toEqual([]);
  await removeFolder(ownDir);
});

test.each([0, 150, 900])('a start that is given up after %i ms leaves nothing', async (afterMs) => {
  const ownDir = await openFolder();
  const abort = new AbortController();
  const starting = startPostgres({ dir: ownDir, signal: abort.signal });
  setTimeout(() => abort.abort(), afterMs);
  const outcome = await starting.then(
    (started) => started.stop().then(() => 'started'),
    (error: Error) => error.name,
  );
  expect(['AbortError', 'started']).toContain(outcome);
  expect(await readdir(ownDir)).toEqual([]);
  await removeFolder(ownDir);
});

test('when the process that started it is killed outright, the server and its files go too', async () => {
  const ownDir = await openFolder();
  const module = fileURLToPath(new URL('../../rehearsal/postgres.ts', import.meta.url));
  const script = `
    const { startPostgres } = await import(process.env.MODULE);
    const { pid } = await startPostgres({ dir: process.env.DIR });
    console.log('postmaster ' + pid);
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    env: { ...process.env, NODE_OPTIONS: '', MODULE: module, DIR: ownDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const signal = await new Promise((resolve) => child.once('close', (_code, by) => resolve(by)));
  expect(signal).toBe('SIGKILL');
  const pid = Number(/postmaster (\d+)/.exec(printed)?.[1]);
  await eventually(
    async () => [isRunning(pid), await readdir(ownDir)],
    ([running, left]) => running === false && (left as string[]).length === 0,
  );
  await removeFolder(ownDir);
});
