import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import type { HerokuOptions } from '../../rehearsal/heroku/index.ts';
import { queryStatus } from '../../rehearsal/query-status.ts';
import { scenarios } from '../../rehearsal/scenarios.ts';
import { createByHand } from '../../rehearsal/start/by-hand.ts';
import { perform } from '../../rehearsal/start/perform.ts';
import { taskQueue } from '../../rehearsal/start/set-up.ts';
import { startTemporal, type RehearsalTemporal } from '../../rehearsal/temporal.ts';
import type { Status } from '../../workflows/view.ts';
import { createRig, type Rig } from './cutover-rig.ts';
import { encodings, writings } from './encodings.ts';
import { findLeaks, textOf, type Place } from './leaks.ts';
import { createRecorder } from './recorder.ts';
import { decide, stop } from './steering.ts';
import { configVars } from './world.ts';

// A whole rehearsal in which what can fail fails once, and says all that it knows. Then everything that it left is
// searched for every secret that there was, in every form.

/** Awkward in every encoding, and in no other place than where it was put. */
const canary = (): string => `p"ss/w\\rd+?>${randomBytes(12).toString('hex')}&%`;
/** The app's own, in config vars: the worker reads them. */
const appSecrets = {
  PAYMENT_API_KEY: canary(),
  SESSION_SECRET: randomBytes(32).toString('base64'),
  CACHE_URL: `redis://:${randomBytes(12).toString('hex')}@cache.example:6379/0`,
  HOOK_URL: `https://hooks.example/services/${randomBytes(12).toString('hex')}`,
};
/** Sent to the server on purpose, in every form: a search that does not find it proves nothing. */
const planted = canary();

/** What fails once, by itself or by the platform, and tells. What a later part does to a run in trouble belongs here. */
const trials = {
  'GET /config-vars': 503,
  'PATCH /config-vars': 500,
  'GET /credentials': 500,
  'DELETE /formations/web': 422,
} as const;
const failed = new Set<string>();

let dir: string;
let temporal: RehearsalTemporal;
let rig: Rig;
let app: RehearsedApp;
let verified = false;
let status: Status;
let secrets: string[] = [];
/** Where a secret could have come to. What a later part of the project writes or sends belongs here. */
const places: Place[] = [];
const add = (name: string, text: string): void => void places.push({ name, text });

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'no-secret-leaves-'));
  const cli = process.env['RC_TEST_TEMPORAL_CLI'] ?? '';
  temporal = await startTemporal({ dir, dbFile: path.join(dir, 'temporal.db'), cli });
  rig = await createRig({ temporal: { address: temporal.address, taskQueue }, heroku: { intercept: failAndTell } });
  app = await rig.add(raptor, {
    configVars: appSecrets,
    alterSlug: failTheMigrationOnce,
    // The way in which a secret passes through the runbook's own hands.
    target: (target) => Object.assign(target['role'] as object, { bindBy: 'config-var' }),
  });
  const worker = rig.startWorker();
  const { platform, client } = rig;
  platform.github.setSmoke('fail');
  const rehearsal = { dir: rig.dir, temporal, platform, client, worker, alive: AbortSignal.timeout(900_000) };
  const byHand = await createByHand(rehearsal, app);
  const { terminal, lines } = createRecorder(true);
  const told = perform({ rehearsal, app, scenario: scenarios.clean, byHand, terminal, hold: false });
  [verified] = await Promise.all([told, mendWhatParks()]);
  await plantLeak();

  const vars = Object.entries(await configVars(rig, app)).filter(([name]) => name.endsWith('_URL'));
  secrets = [...new Set([...platform.secrets(), ...Object.values(appSecrets), ...vars.map(([, value]) => value)])];
  add('the terminal', lines.join('\n'));
  await collectWhatIsServed();
  await worker.stop();
  await temporal.stop();
  await collectFiles();
}, 900_000);
afterAll(async () => {
  await rig.close();
  await temporal.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Answers with everything that a careless service could repeat: the request, its headers, the app's variables. */
async function failAndTell({ method, path: asked, headers, body }: ApiRequest) {
  const trial = `${method} ${asked.replace(/^\/(apps|postgres\/v0\/databases)\/[^/]+/, '')}`;
  const statusCode = (trials as Record<string, number>)[trial];
  // Before the run, and after it, what is asked is the test's own business.
  if (statusCode === undefined || failed.has(trial) || !running) return;
  failed.add(trial);
  // What the worker has not read yet it could not tell from any other text.
  const vars = trial === 'GET /config-vars' ? {} : await configVars(rig, app);
  const known = [rig.platform.heroku.token, ...Object.values(vars).filter((value) => value.length >= 12)];
  return {
    status: statusCode,
    body: { id: 'failed', message: JSON.stringify({ headers, body, known: known.flatMap(writings) }) },
  };
}
type ApiRequest = Parameters<NonNullable<HerokuOptions['intercept']>>[0];
let running = false;

/** The dyno prints its whole environment, plain and in Base64, and ends with an error. */
async function failTheMigrationOnce(slug: string): Promise<void> {
  const file = path.join(slug, 'backend_v2/alembic/env.py');
  const told = JSON.stringify(path.join(rig.dir, 'migration-failed'));
  const lines = [
    'import base64, os, pathlib, sys',
    `if "upgrade" in sys.argv and not pathlib.Path(${told}).exists():`,
    `    pathlib.Path(${told}).touch()`,
    '    for _value in os.environ.values():',
    '        print(_value, base64.b64encode(("x" + _value).encode()).decode(), file=sys.stderr)',
    '    sys.exit(1)',
  ];
  const text = await readFile(file, 'utf8');
  await writeFile(
    file,
    text.replace('from alembic import context\n', `from alembic import context\n${lines.join('\n')}\n`),
  );
}

/** What people do whose run parks: they mend what is broken, and have it tried again. */
async function mendWhatParks(): Promise<void> {
  running = true;
  const handle = rig.client.workflow.getHandle(`cutover-${app.herokuApp}`) as Parameters<typeof decide>[0];
  for (;;) {
    const seen = await queryStatus(handle).catch(() => undefined);
    if (seen?.stage === 'ended') {
      running = false;
      status = seen;
      return;
    }
    if (seen?.stage === 'parked') {
      if (seen.waitingFor?.message['step'] === 'smoke') rig.platform.github.setSmoke('pass');
      await decide(handle, seen, 'retry');
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** A run that nobody performs, with what must not be there. */
async function plantLeak(): Promise<void> {
  const forms = writings(planted);
  const handle = await rig.client.workflow.start('planted', {
    taskQueue: 'nobody',
    workflowId: 'planted',
    args: [forms],
    memo: { forms },
  });
  await stop(handle as never);
}

async function collectWhatIsServed(): Promise<void> {
  const { client } = rig;
  for (const workflowId of [`cutover-${app.herokuApp}`, 'planted']) {
    const handle = client.workflow.getHandle(workflowId);
    add(`the history of ${workflowId}`, textOf(await handle.fetchHistory()));
    add(`the description of ${workflowId}`, textOf((await handle.describe()).raw));
    const show = ['workflow', 'show', '--address', temporal.address, '--workflow-id', workflowId, '--output', 'json'];
    add(`the exported history of ${workflowId}`, (await run(temporal.cli, show)).stdout);
    for (const page of ['', '/history?maximumPageSize=1000', '/history-reverse?maximumPageSize=1000']) {
      await addPage(`/api/v1/namespaces/default/workflows/${workflowId}${page}`);
    }
  }
  add('the status', JSON.stringify(status));
  await addPage('/api/v1/namespaces/default/workflows');
  await addPage('/namespaces/default/workflows');
  const answer = await fetch(`${temporal.uiUrl}/api/v1/settings`);
  const [, csrf = ''] = /_csrf=([^;]+)/.exec(answer.headers.get('set-cookie') ?? '') ?? [];
  await addPage(`/api/v1/namespaces/default/workflows/cutover-${app.herokuApp}/query/status`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csrf-token': csrf, cookie: `_csrf=${csrf}` },
    body: '{}',
  });
}

/** A page as a browser gets it from the Web UI, and what its scripts ask the Web UI for. */
async function addPage(page: string, init: RequestInit = {}): Promise<void> {
  const response = await fetch(`${temporal.uiUrl}${page}`, init);
  expect(`${page} ${response.status}`).toBe(`${page} 200`);
  add(`the Web UI's ${page}`, await response.text());
}

async function collectFiles(): Promise<void> {
  add("the worker's log", await readFile(rig.workerLog, 'utf8'));
  add("the Temporal server's log", await readFile(path.join(dir, 'temporal.log'), 'utf8'));
  // Row by row: in the file itself, a row that is longer than a page is cut.
  const rows = [
    'import sqlite3, sys',
    'db = sqlite3.connect(sys.argv[1]); db.text_factory = bytes',
    'for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = \'table\'").fetchall():',
    '    for row in db.execute(\'SELECT * FROM "%s"\' % name.decode()):',
    '        for value in row:',
    '            sys.stdout.buffer.write((value if isinstance(value, bytes) else str(value).encode()) + b"\\n")',
  ];
  const python = path.join(process.env['RC_TEST_PYTHON_BIN'] ?? '', 'python3');
  add(
    "the Temporal server's database",
    (await run(python, ['-c', rows.join('\n'), path.join(dir, 'temporal.db')])).stdout,
  );
}

const run = (file: string, args: readonly string[]) =>
  promisify(execFile)(file, [...args], { maxBuffer: 512 * 1024 * 1024 });

test('the rehearsal succeeded, after everything that was to fail had failed', () => {
  expect(verified).toBe(true);
  expect([...failed].sort()).toEqual(Object.keys(trials).sort());
  const history = places.find(({ name }) => name.startsWith('the history of cutover'))?.text ?? '';
  const types = ['MigrationFailed', 'PlatformRefused', 'PlatformUnavailable', 'SmokeFailed'];
  expect(types.filter((type) => history.includes(type))).toEqual(types);
  // They told, and were not let.
  expect(history.split('[redacted]').length).toBeGreaterThan(20);
});

test('no secret is anywhere', () => {
  expect(secrets.length).toBeGreaterThan(10);
  expect(findLeaks(places, secrets)).toEqual([]);
});

test('the search finds what was planted, by the same way, in each place where it came to', () => {
  const found = findLeaks(places, [planted]).map((leak) => leak.slice('0 in '.length));
  const expected = places.map(({ name }) => name).filter((name) => name.includes('planted'));
  expect(expected).toHaveLength(6);
  expect(found).toEqual(expect.arrayContaining([...expected, "the Temporal server's database"]));
  expect(found).toContain("the Web UI's /api/v1/namespaces/default/workflows");
});

test('every place is what it is called, and the search finds each form of each secret in it', () => {
  const names = [...encodings(app.herokuApp), 'config-check'];
  const empty = places.filter(({ text }) => ![...names, 'planted'].some((name) => text.includes(name)));
  // What the Web UI sends first is a page that knows nothing yet.
  expect(empty.map(({ name }) => name)).toEqual(["the Web UI's /namespaces/default/workflows"]);
  const [secret = ''] = secrets;
  const missed = places.flatMap(({ name, text }) =>
    encodings(secret).filter((form) => findLeaks([{ name, text: `${text}${form}` }], [secret]).length === 0),
  );
  expect(missed).toEqual([]);
});
