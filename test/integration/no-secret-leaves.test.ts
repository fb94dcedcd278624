import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
import { runAudit } from './audit-commands.ts';
import { encodings, writings } from '../../drill/encodings.ts';
import { findLeaks, textOf, type Place } from '../../drill/leaks.ts';
import { bytesOfDatabase, filesOfRecord, rowsOfDatabase } from './left-behind.ts';
import { startReceiver, type Receiver } from './receiver.ts';
import { createRecorder } from './recorder.ts';
import { decide, stop } from './steering.ts';
import { configVars } from './world.ts';

// A whole rehearsal, forward and by the kill switch back to SQLite, in which what can fail fails once and says all that it
// knows. Then everything that it left is searched for every secret that there was, in every form.

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

/** What the platform fails once, and tells: on the way forward, and on the way back. */
const trials = {
  'GET /config-vars': 503,
  'PATCH /config-vars': 500,
  'GET /credentials': 500,
  'DELETE /formations/web': 422,
  'PATCH ': 500,
  'DELETE /credentials/raptor_app': 422,
} as const;
const failed = new Set<string>();

let dir: string;
let temporal: RehearsalTemporal;
let rig: Rig;
let receiver: Receiver;
let app: RehearsedApp;
let verified = false;
let status: Status;
let secrets: string[] = [];
/** Where a secret could have come to. What a later part of the project writes or sends belongs here. */
const places: Place[] = [];
const add = (name: string, text: string): void => void places.push({ name, text });
/** What was served while the run was under way: heartbeats and the last failure of an activity are nowhere afterwards. */
const served = new Set<string>();

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'no-secret-leaves-'));
  const cli = process.env['RC_TEST_TEMPORAL_CLI'] ?? '';
  temporal = await startTemporal({ dir, dbFile: path.join(dir, 'temporal.db'), cli });
  await mkdir(path.join(dir, 'kept'));
  receiver = await startReceiver();
  // It repeats what it is asked, and takes nothing.
  await receiver.become('fails');
  rig = await createRig({
    temporal: { address: temporal.address, taskQueue },
    heroku: { intercept: failAndTell },
    workerEnv: { CUTOVER_AUDIT_DIR: path.join(dir, 'kept'), CUTOVER_WEBHOOK_URL: receiver.url },
  });
  app = await rig.add(raptor, {
    configVars: appSecrets,
    alterSlug: failOnce,
    // The way in which a secret passes through the runbook's own hands.
    target: (target) => Object.assign(target['role'] as object, { bindBy: 'config-var' }),
  });
  const worker = rig.startWorker();
  const { platform, client } = rig;
  platform.github.setSmoke('fail');
  const { workerEnv } = rig;
  const targets = workerEnv['CUTOVER_TARGETS'] ?? '';
  const alive = AbortSignal.timeout(900_000);
  const rehearsal = { dir: rig.dir, temporal, platform, client, worker, targets, workerEnv, alive };
  const byHand = await createByHand(rehearsal, app);
  const { terminal, lines } = createRecorder(true);
  const told = perform({ rehearsal, app, scenario: scenarios['kill-switch'], byHand, terminal, hold: false });
  [{ verified }] = await Promise.all([told, mendWhatParks()]);
  await rig.client.workflow.getHandle(`cutover-${app.herokuApp}`).result();
  await plantLeak();

  const webhook = [receiver.url, new URL(receiver.url).pathname];
  secrets = [...new Set([...platform.secrets(), ...Object.values(appSecrets), ...urls, ...webhook])];
  add('what people are told', receiver.bodies.join('\n'));
  add('the terminal', lines.join('\n'));
  await collectRecords();
  await collectWhatIsServed();
  await worker.stop();
  await temporal.stop();
  await collectFiles();
}, 900_000);
afterAll(async () => {
  await rig.close();
  await receiver.close();
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

/** Programs of the slug whose first run in a dyno fails: the migration, and what proves SQLite on the way back. */
async function failOnce(slug: string): Promise<void> {
  await failOnceIn(
    path.join(slug, 'backend_v2/alembic/env.py'),
    'from alembic import context\n',
    '"upgrade" in sys.argv',
  );
  await failOnceIn(path.join(slug, 'backend_v2/selfcheck.py'), 'import sys\n', 'True');
}

/** The dyno prints its whole environment, plain and in Base64, and ends with an error. */
async function failOnceIn(file: string, behind: string, when: string): Promise<void> {
  const told = JSON.stringify(path.join(rig.dir, `${path.basename(file)}-failed`));
  const lines = [
    'import base64, os, pathlib, sys',
    `if ${when} and not pathlib.Path(${told}).exists():`,
    `    pathlib.Path(${told}).touch()`,
    '    for _value in os.environ.values():',
    '        print(_value, base64.b64encode(("x" + _value).encode()).decode(), file=sys.stderr)',
    '    sys.exit(1)',
  ];
  const text = await readFile(file, 'utf8');
  expect(text).toContain(behind);
  await writeFile(file, text.replace(behind, `${behind}${lines.join('\n')}\n`));
}

/** What people do whose run parks: they mend what is broken, and have it tried again. */
async function mendWhatParks(): Promise<void> {
  running = true;
  const handle = rig.client.workflow.getHandle(`cutover-${app.herokuApp}`) as Parameters<typeof decide>[0];
  for (;;) {
    const seen = await queryStatus(handle).catch(() => undefined);
    await collectWhileItRuns(handle);
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

async function collectWhileItRuns(handle: Parameters<typeof decide>[0]): Promise<void> {
  served.add(textOf((await handle.describe().catch(() => undefined))?.raw ?? ''));
  const page = `/api/v1/namespaces/default/workflows/${handle.workflowId}`;
  served.add(await (await fetch(`${temporal.uiUrl}${page}`)).text());
  // What the Web UI shows as Call Stack: nothing once the run has ended.
  served.add(await handle.query<string, []>('__stack_trace').catch(() => ''));
  // The way back takes the URLs away, or makes others of them.
  const values = Object.values(await configVars(rig, app));
  for (const value of values.filter((one) => URL.canParse(one) && new URL(one).password !== '')) urls.add(value);
}
const urls = new Set<string>();

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
  add('what was served while it ran', [...served].join('\n'));
  add('the status', JSON.stringify(status));
  await addPage('/api/v1/namespaces/default/workflows');
  await addPage('/namespaces/default/workflows');
  const answer = await fetch(`${temporal.uiUrl}/api/v1/settings`);
  const [, csrf = ''] = /_csrf=([^;]+)/.exec(answer.headers.get('set-cookie') ?? '') ?? [];
  // The state, and what the Web UI shows as User Metadata.
  for (const query of ['status', '__temporal_workflow_metadata']) {
    await addPage(`/api/v1/namespaces/default/workflows/cutover-${app.herokuApp}/query/${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-csrf-token': csrf, cookie: `_csrf=${csrf}` },
      body: '{}',
    });
  }
}

/** The record that the worker left at the end, and those that people write. */
async function collectRecords(): Promise<void> {
  const kept = path.join(dir, 'kept', `cutover-${app.herokuApp}`);
  const [first = ''] = await readdir(kept);
  places.push(...(await filesOfRecord("the worker's record", path.join(kept, first))));
  const audits: string[] = [];
  for (const workflowId of [`cutover-${app.herokuApp}`, 'planted']) {
    const out = path.join(dir, 'records', workflowId);
    const args = [workflowId, '--address', temporal.address, '--out', out];
    const { code, text } = await runAudit('audit', args, { CUTOVER_ENCRYPTION_KEYS: '' });
    expect(code).toBe(0);
    audits.push(text);
    places.push(...(await filesOfRecord(`the record of ${workflowId}`, out)));
  }
  add('the terminal of npm run audit', audits.join('\n'));
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
  places.push(await rowsOfDatabase(path.join(dir, 'temporal.db')));
  places.push(...(await bytesOfDatabase(dir)));
}

const run = (file: string, args: readonly string[]) =>
  promisify(execFile)(file, [...args], { maxBuffer: 512 * 1024 * 1024 });

test('the rehearsal succeeded, after everything that was to fail had failed', () => {
  expect(verified).toBe(true);
  expect([...failed].sort()).toEqual(Object.keys(trials).sort());
  const history = places.find(({ name }) => name.startsWith('the history of cutover'))?.text ?? '';
  const types = ['MigrationFailed', 'PlatformRefused', 'PlatformUnavailable', 'SmokeFailed', 'SqliteNotProven'];
  expect(types.filter((type) => history.includes(type))).toEqual(types);
  // They told, and were not let.
  expect(history.split('[redacted]').length).toBeGreaterThan(20);
  // The kill switch was pulled, the app is on SQLite, and a heartbeat was seen.
  expect(status.outcome).toMatchObject({ result: 'rolled-back' });
  expect([...served].some((text) => text.includes('heartbeatDetails'))).toBe(true);
  expect([...served].some((text) => text.includes('runbook.ts'))).toBe(true);
  expect([...served].some((text) => text.includes('NoticeNotSent'))).toBe(true);
});

test('no secret is anywhere', () => {
  expect(secrets.length).toBeGreaterThan(10);
  expect(findLeaks(places, secrets)).toEqual([]);
});

test('the search finds what was planted, by the same way, in each place where it came to', () => {
  const found = findLeaks(places, [planted]).map((leak) => leak.slice('0 in '.length));
  const expected = places.map(({ name }) => name).filter((name) => name.includes('planted'));
  expect(expected).toHaveLength(10);
  const database = ["the rows of the Temporal server's database", 'the bytes of temporal.db'];
  expect(found).toEqual(expect.arrayContaining([...expected, ...database]));
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
