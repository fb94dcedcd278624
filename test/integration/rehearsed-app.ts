import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createDatabase, createRole, dropRole } from '../../rehearsal/heroku/roles.ts';
import { startOrphanGuard } from '../../rehearsal/orphan-guard.ts';
import { freePort } from '../../rehearsal/ports.ts';
import { startPostgres, type RehearsalPostgres } from '../../rehearsal/postgres.ts';
import { preparePython } from '../../rehearsal/python.ts';
import { runTool, type ToolResult } from '../../rehearsal/run-tool.ts';
import { composeSlug, type RehearsedApp, type RevisionVariant } from '../../rehearsal/slugs.ts';

/** A database as the platform hands it out: its owner has a random name and can create no role. */
export interface OwnedDatabase {
  readonly name: string;
  readonly owner: string;
  /** As in the config var: `postgres://`, without `sslmode`. */
  readonly url: string;
}

export interface WebProcess {
  readonly url: string;
  readonly output: () => string;
  /** SIGTERM; answers the exit code. */
  readonly stop: () => Promise<number | null>;
}

/** A JSON answer of an app's. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** PostgreSQL and Python for one test file, and a folder that goes with it. */
export class AppWorld {
  readonly dir: string;
  readonly postgres: RehearsalPostgres;
  readonly bin: string;
  /** Every password that was given out. */
  readonly passwords: string[] = [];
  private readonly guard = startOrphanGuard();
  private readonly started: WebProcess[] = [];

  private constructor(dir: string, postgres: RehearsalPostgres, bin: string) {
    this.dir = dir;
    this.postgres = postgres;
    this.bin = bin;
  }

  static async start(): Promise<AppWorld> {
    const dir = await mkdtemp(join(tmpdir(), 'rehearsed-app-test-'));
    await mkdir(join(dir, 'postgres'));
    const { bin } = await preparePython(() => undefined);
    return new AppWorld(dir, await startPostgres({ dir: join(dir, 'postgres') }), bin);
  }

  async stop(): Promise<void> {
    await Promise.all(this.started.map((web) => web.stop()));
    await this.postgres.stop();
    await this.guard.close();
    await rm(this.dir, { recursive: true, force: true });
  }

  slug(options: { app: RehearsedApp; withPullRequest?: boolean; variant?: RevisionVariant }): Promise<string> {
    const into = join(this.dir, `slug-${randomBytes(6).toString('hex')}`);
    return composeSlug({ ...options, into }).then(({ dir }) => dir);
  }

  /** The slug with a file of the tests' laid into it. */
  async slugWith(app: RehearsedApp, file: string, at: string): Promise<string> {
    const dir = await this.slug({ app });
    await cp(file, join(dir, at));
    return dir;
  }

  async database(): Promise<OwnedDatabase> {
    const name = `d${randomBytes(6).toString('hex')}`;
    const owner = { user: `u${randomBytes(6).toString('hex')}`, password: this.password() };
    await createDatabase(this.postgres, name, owner);
    return { name, owner: owner.user, url: this.url(name, owner) };
  }

  /** Works with a role that may connect and nothing more, and removes it: roles are the server's, not the database's. */
  async withRole<T>(database: OwnedDatabase, user: string, work: (url: string) => Promise<T>): Promise<T> {
    const role = { user, password: this.password() };
    await createRole(this.postgres, database.name, role.user, role.password);
    try {
      return await work(this.url(database.name, role));
    } finally {
      await dropRole(this.postgres, database.name, user, database.owner);
    }
  }

  /** Rows of one statement, as whoever the URL says. */
  async query<T extends pg.QueryResultRow>(url: string, text: string, values: unknown[] = []): Promise<T[]> {
    const client = new pg.Client({ connectionString: url, ssl: { rejectUnauthorized: false } });
    await client.connect();
    try {
      return (await client.query<T>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** Runs a command in a shell at the slug's root, as a one-off dyno does. */
  run(slug: string, command: string, env: Record<string, string> = {}): Promise<ToolResult> {
    return runTool('/bin/sh', ['-c', command], { cwd: slug, env: this.environment(env), limitMs: 60_000 });
  }

  async alembic(slug: string, command: string, url: string): Promise<string> {
    const { code, output } = await this.run(slug, `alembic ${command}`, { DATABASE_URL: url });
    if (code !== 0) throw new Error(`alembic ${command} ended with ${code}: ${output}`);
    return output;
  }

  /** Starts a web process and waits until it answers at the path. */
  async web(slug: string, command: string, alive: string, env: Record<string, string> = {}): Promise<WebProcess> {
    const port = await freePort();
    const child = spawn('/bin/sh', ['-c', `exec ${command}`], {
      cwd: slug,
      env: this.environment({ ...env, PORT: String(port) }),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const { pid } = child;
    if (pid !== undefined) this.guard.watchGroup(pid);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve)).finally(() => {
      if (pid !== undefined) this.guard.unwatchGroup(pid);
    });
    const stop = (): Promise<number | null> => {
      child.kill('SIGTERM');
      return ended;
    };
    const web = { url: `http://127.0.0.1:${port}`, output: () => text, stop };
    this.started.push(web);
    const deadline = Date.now() + 15_000;
    for (;;) {
      const answer = await fetch(web.url + alive).catch(() => undefined);
      if (answer?.ok) return web;
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the web process does not answer: ${text}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  private environment(env: Record<string, string>): Record<string, string> {
    const path = `${this.bin}:${process.env['PATH'] ?? '/usr/bin:/bin'}`;
    return { PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1', ...env, PATH: path, HOME: this.dir };
  }

  private password(): string {
    const password = randomBytes(18).toString('hex');
    this.passwords.push(password);
    return password;
  }

  private url(database: string, { user, password }: { user: string; password: string }): string {
    return `postgres://${user}:${password}@${this.postgres.host}:${this.postgres.port}/${database}`;
  }
}

/** Asks an app; a body makes it a POST. */
export async function ask(url: string, body?: unknown): Promise<Answer> {
  const answer = await fetch(url, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}
