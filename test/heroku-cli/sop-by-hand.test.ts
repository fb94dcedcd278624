import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { startPlatform, type Platform } from '../../rehearsal/platform.ts';
import { createRig, playPeople, type Rig } from '../integration/cutover-rig.ts';
import { clientOf, eventually, sqlState, withDatabase } from '../integration/heroku-client.ts';
import { openShell, type Said, type Shell } from './cli.ts';
import { worldLeft, type WorldLeft } from './world-left.ts';

// The procedure as its document has it, typed by hand, on one platform; and the workflow on another. The lines are the
// document's own: where it leaves something to be filled in, that is filled in as its reader would.

const grants = path.resolve('migrations/grants/raptor_app.sql');
const flag = 'FLAG_RAPTOR_APP_ROLE_SEPARATION';

let dir: string;
let byHand: Platform;
let shell: Shell;
let rig: Rig;
let workflow: Promise<RehearsedApp>;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'sop-by-hand-'));
  byHand = await startPlatform({ dir, pythonBin: process.env['RC_TEST_PYTHON_BIN'] ?? '' });
  await byHand.addApp(raptor);
  shell = await openShell(byHand);
  rig = await createRig();
  // Goes its way beside the person who types.
  workflow = performWorkflow();
  workflow.catch(() => undefined);
});
afterAll(async () => {
  await shell?.close();
  await workflow?.catch(() => undefined);
  await rig?.close();
  await byHand?.stop();
  await rm(dir, { recursive: true, force: true });
});

async function performWorkflow(): Promise<RehearsedApp> {
  rig.startWorker();
  const app = await rig.add(raptor);
  const status = await playPeople(rig, await rig.start(app), app);
  if (status.outcome?.result !== 'completed')
    throw new Error(`the workflow ended otherwise: ${status.outcome?.reason}`);
  return app;
}

const get = async (what: string) => (await clientOf(byHand.heroku)('GET', `/apps/${raptor.herokuApp}/${what}`)).body;
const configVars = async (): Promise<Record<string, string>> => get('config-vars');

const type = (line: string): Promise<Said> => shell.succeed(line);

/** Restarts by hand, and waits until none of the dynos is one of before, and all are up. */
async function restart(): Promise<void> {
  const before = new Set(((await get('dynos')) as { id: string }[]).map(({ id }) => id));
  await type('heroku restart -a raxx-api-prod');
  const dynos = (await get('dynos')) as { id: string }[];
  expect(dynos.filter(({ id }) => before.has(id))).toEqual([]);
  await eventually(
    () => get('dynos'),
    (now: { state: string }[]) => now.length > 0 && now.every(({ state }) => state === 'up'),
    30_000,
  );
}

/** Runs the smoke suite, as the document leaves to CI; answers its conclusion. */
async function smoke(inputs: Record<string, string>): Promise<unknown> {
  const { github } = byHand;
  const response = await fetch(
    `${github.url}/repos/${raptor.repository}/actions/workflows/${raptor.smokeWorkflow}/dispatches`,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${github.token}` },
      body: JSON.stringify({ ref: raptor.base, inputs }),
    },
  );
  expect(response.ok).toBe(true);
  const run = await eventually(
    async () => github.runs.find(({ inputs: { marker } }) => marker === inputs['marker']),
    (seen) => seen?.status === 'completed',
    60_000,
  );
  return run?.conclusion;
}

describe('the procedure by hand', () => {
  test('heroku config:get', async () => {
    const { stdout } = await type('heroku config:get DATABASE_URL -a raxx-api-prod');
    expect(stdout).toBe(`${(await configVars())['DATABASE_URL']}\n`);
  });

  test('merge PR #2173, which adds a revision and is deployed', async () => {
    await byHand.github.mergePull(raptor.repository, raptor.pull.number);
    expect((await get('releases')).at(-1)).toMatchObject({ status: 'succeeded', current: true });
  });

  test('heroku run alembic upgrade head', async () => {
    const { text } = await type('heroku run alembic upgrade head -a raxx-api-prod');
    for (const step of ['-> 0001_raptor_baseline', '-> 0002_paper_orders', '-> 0003_audit_grants']) {
      expect(text).toContain(step);
    }
  });

  test('heroku pg:psql -c "\\dt"', async () => {
    const { text } = await type('heroku pg:psql -a raxx-api-prod -c "\\dt"');
    expect(text).toContain('paper_orders');
    expect(text).toContain('(37 rows)');
  });

  test('heroku restart, and the smoke suite', async () => {
    await restart();
    expect(await smoke({ marker: 'by-hand-rm-10', expect_user: '' })).toBe('success');
  });

  test('heroku pg:credentials:create', async () => {
    await type('heroku pg:credentials:create DATABASE --name raptor_app -a raxx-api-prod');
    const { text } = await eventually(
      () => type('heroku pg:credentials DATABASE -a raxx-api-prod'),
      (said) => /raptor_app +active/.test(said.text),
      30_000,
    );
    expect(text).toMatch(/default +active/);
  });

  test('heroku config:set of its URL, silent', async () => {
    const read = await type('heroku pg:credentials:url DATABASE --name raptor_app -a raxx-api-prod');
    const url = /postgres:\/\/\S+/.exec(read.text)?.[0] ?? '';
    const { text } = await type(`heroku config:set RAPTOR_APP_DATABASE_URL="${url}" -a raxx-api-prod >/dev/null 2>&1`);
    expect(text).toBe('');
    expect((await configVars())['RAPTOR_APP_DATABASE_URL']).toBe(url);
    expect((await get('releases')).at(-1)).toMatchObject({ description: 'Set RAPTOR_APP_DATABASE_URL config vars' });
  });

  test('the GRANT/REVOKE block by heroku pg:psql', async () => {
    // Not by `<`: without a database named, the CLI takes what it is given for that name, and psql gets nothing [seen].
    const { text } = await type(`heroku pg:psql -a raxx-api-prod -f ${grants}`);
    expect(text).toContain('ALTER DEFAULT PRIVILEGES');
    expect(text).not.toContain('ERROR');
    const url = (await configVars())['RAPTOR_APP_DATABASE_URL'] ?? '';
    await withDatabase(url, async (client) => {
      expect((await client.query('SELECT version_num FROM alembic_version')).rows).toHaveLength(1);
      expect(await sqlState(client.query('DELETE FROM alembic_version WHERE false'))).toBe('42501');
    });
  });

  test('heroku config:set of the flag, heroku restart, and the smoke suite as the role', async () => {
    await type('heroku config:set FLAG_RAPTOR_APP_ROLE_SEPARATION=1 -a raxx-api-prod >/dev/null 2>&1');
    expect((await configVars())[flag]).toBe('1');
    await restart();
    expect(await smoke({ marker: 'by-hand-rm-11', expect_user: 'raptor_app' })).toBe('success');
    expect(await lookFromOutside(byHand.heroku.webUrl(raptor.herokuApp), raptor)).toMatchObject({ ok: true });
  });
});

/**
 * Where the two worlds are to differ, and why. What is not in this table has to be the same.
 */
const intended: Partial<Record<keyof WorldLeft, { byHand: unknown; workflow: unknown; why: string }>> = {
  attachments: {
    byHand: ['DATABASE default'],
    workflow: ['DATABASE default', 'RAPTOR_APP_DATABASE credential:raptor_app'],
    why:
      'the runbook attaches the credential, so that the platform owns RAPTOR_APP_DATABASE_URL and a rotation updates it; ' +
      'the URL that was copied by hand goes stale',
  },
};

describe('two ways, one end', () => {
  let worlds: { byHand: WorldLeft; workflow: WorldLeft };
  beforeAll(async () => {
    const app = await workflow;
    worlds = {
      byHand: await worldLeft(byHand, raptor, flag),
      workflow: await worldLeft(rig.platform, app, flag),
    };
  }, 300_000);

  test.each<keyof WorldLeft>([
    'revision',
    'schema',
    'owners',
    'privileges',
    'configVars',
    'flag',
    'attachments',
    'credentials',
  ])('%s', (part) => {
    const { byHand: left, workflow: right } = worlds;
    expect(Object.keys(left[part] ?? {})).not.toEqual([]);
    const difference = intended[part];
    if (difference === undefined) expect(left[part]).toEqual(right[part]);
    else expect({ byHand: left[part], workflow: right[part], why: difference.why }).toEqual(difference);
  });
});

describe('what the document says of later', () => {
  test('the kill switch as written is refused, and says nothing of it', async () => {
    const before = await configVars();
    const line = 'heroku config:set DATABASE_URL="sqlite+pysqlite:///./raptor.db" -a raxx-api-prod >/dev/null 2>&1';
    expect(await shell.type(line)).toMatchObject({ code: 2, text: '' });
    expect(await configVars()).toEqual(before);
  });

  test('both rotations are made; the URL that was copied by hand is not updated', async () => {
    const before = await configVars();
    await type('heroku pg:credentials:rotate DATABASE -a raxx-api-prod --confirm raxx-api-prod');
    await type('heroku pg:credentials:rotate DATABASE --name raptor_app -a raxx-api-prod --confirm raxx-api-prod');
    const after = await configVars();
    expect(after['DATABASE_URL']).not.toBe(before['DATABASE_URL']);
    const copied = after['RAPTOR_APP_DATABASE_URL'] ?? '';
    expect(copied).toBe(before['RAPTOR_APP_DATABASE_URL']);
    // Invalid password: section 9.6 promises otherwise.
    await eventually(
      () => sqlState(withDatabase(copied, (client) => client.query('SELECT 1'))),
      (seen) => seen === '28P01',
    );
  });
});
