import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import pg from 'pg';
import { startHeroku, type HerokuSettings, type HerokuStandIn } from '../../rehearsal/heroku/index.ts';
import { startPostgres, type RehearsalPostgres } from '../../rehearsal/postgres.ts';

/** A client of the Heroku stand-in, written from the protocol and not from the stand-in. */
export interface Answer {
  status: number;
  headers: Headers;
  // The tests say what they expect of an answer; there is nothing to gain from types here.
  body: any;
}

export function clientOf(heroku: HerokuStandIn) {
  return async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(`${heroku.url}${path}`, {
      method,
      headers: {
        accept: 'application/vnd.heroku+json; version=3',
        authorization: `Bearer ${heroku.token}`,
        'content-type': 'application/json',
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
}

export interface Attached {
  /** Everything received behind the greeting. */
  output(): string;
  send(bytes: string): void;
  leave(): void;
  closed: Promise<string>;
}

/** Joins a one-off dyno as the official CLI does: drops the first chunk, which must be the greeting and nothing else. */
export async function rendezvous(attachUrl: string, caFile: string): Promise<Attached> {
  const url = new URL(attachUrl);
  const socket = connect({ host: url.hostname, port: Number(url.port), ca: await readFile(caFile, 'utf8') });
  let greeting: string | undefined;
  let output = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    if (greeting === undefined) greeting = chunk;
    else output += chunk;
  });
  socket.write(`${url.pathname.slice(1)}\r\n`);
  const closed = new Promise<string>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => {
      if (greeting === 'rendezvous\r\n') resolve(output);
      else reject(new Error(`the first chunk was ${JSON.stringify(greeting)}`));
    });
  });
  closed.catch(() => undefined);
  return {
    output: () => output,
    send: (bytes) => void socket.write(bytes),
    leave: () => void socket.destroy(),
    closed,
  };
}

/** Asks until it is so; the error says what was seen last. */
export async function eventually<T>(look: () => Promise<T>, right: (seen: T) => boolean, limitMs = 15_000): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (right(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`not in time; seen last: ${JSON.stringify(seen)}`);
    await sleep(50);
  }
}

/** A session of the role that a database URL names, over TLS. */
export async function withDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, ssl: { rejectUnauthorized: false } });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The SQLSTATE that the work is refused with, or what it answered. */
export async function sqlState(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'allowed',
    (error: { code?: string }) => error.code,
  );
}

/** A process that has ended but whose parent has not asked for its status (state Z) does not run. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}

export function systemPythonBin(): string {
  return dirname(execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim());
}

/** A web app of a few lines: it shows what it was started with. */
const WEB_SCRIPT = `
import json, os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == '/exit':
            os._exit(3)
        names = ('GREETING', 'DYNO', 'VERSION', 'SECRET_OF_THE_HOST', 'HEROKU_SLUG_COMMIT', 'HEROKU_RELEASE_VERSION')
        shown = {name: os.environ.get(name) for name in names}
        shown['pid'] = os.getpid()
        shown['database'] = (os.environ.get('DATABASE_URL') or '').split(':')[0]
        shown['files'] = sorted(os.listdir('.'))
        open('left-behind', 'w').close()
        body = json.dumps(shown).encode()
        self.send_response(200)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()
`;

export async function tinySlug(procfile = 'web: python3 web.py\n'): Promise<{ dir: string; commit: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'tiny-slug-'));
  await writeFile(join(dir, 'web.py'), WEB_SCRIPT);
  await writeFile(join(dir, 'Procfile'), procfile);
  const commit = Buffer.from(procfile).toString('hex').padEnd(40, '0').slice(0, 40);
  return { dir, commit };
}

export const removeFolder = (dir: string): Promise<void> => rm(dir, { recursive: true, force: true });

/** A stand-in with a PostgreSQL of its own, for one test file. */
export class HerokuWorld {
  readonly heroku: HerokuStandIn;
  readonly postgres: RehearsalPostgres;
  readonly call: ReturnType<typeof clientOf>;
  readonly #folders: string[];

  private constructor(heroku: HerokuStandIn, postgres: RehearsalPostgres, folder: string) {
    this.heroku = heroku;
    this.postgres = postgres;
    this.call = clientOf(heroku);
    this.#folders = [folder];
  }

  static async start(settings: Partial<HerokuSettings> = {}, pythonBin = systemPythonBin()): Promise<HerokuWorld> {
    const workDir = await mkdtemp(join(tmpdir(), 'heroku-test-'));
    const postgres = await startPostgres({ dir: join(workDir, 'postgres') });
    try {
      return new HerokuWorld(await startHeroku({ postgres, workDir, pythonBin, settings }), postgres, workDir);
    } catch (error) {
      await postgres.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.heroku.stop();
    await this.postgres.stop();
    for (const folder of this.#folders) await removeFolder(folder);
  }

  async slug(procfile?: string): Promise<{ dir: string; commit: string }> {
    const made = await tinySlug(procfile);
    this.#folders.push(made.dir);
    return made;
  }

  async folder(): Promise<string> {
    const made = await mkdtemp(join(tmpdir(), 'heroku-test-slug-'));
    this.#folders.push(made);
    return made;
  }

  async config(app: string): Promise<Record<string, string>> {
    return (await this.call('GET', `/apps/${app}/config-vars`)).body;
  }

  setConfig(app: string, vars: Record<string, string | null>): Promise<Answer> {
    return this.call('PATCH', `/apps/${app}/config-vars`, vars);
  }

  async dynos(app: string): Promise<any[]> {
    return (await this.call('GET', `/apps/${app}/dynos`)).body;
  }

  async newestRelease(app: string): Promise<any> {
    const range = { range: 'version ..; order=desc,max=1' };
    return (await this.call('GET', `/apps/${app}/releases`, undefined, range)).body[0];
  }

  /** What the tiny web app shows of itself, through the router; only a status when it does not. */
  async shown(app: string): Promise<any> {
    const response = await fetch(this.heroku.webUrl(app));
    return response.status === 200 ? response.json() : { status: response.status };
  }

  /** Until the app answers. */
  serving(app: string): Promise<any> {
    return eventually(
      () => this.shown(app),
      ({ pid }) => pid !== undefined,
    );
  }
}
