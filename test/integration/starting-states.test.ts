import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import type { AppOptions } from '../../rehearsal/deploy-app.ts';
import type { Intercept } from '../../rehearsal/heroku/index.ts';
import { createRig, writesOf, type CutoverHandle, type Rig } from './cutover-rig.ts';
import { approve, atGate, isDone, itemOf, refusal, stop, watch } from './steering.ts';
import { configVars } from './world.ts';
import type { Status } from '../../workflows/view.ts';

const sqlite = 'sqlite+pysqlite:///./raptor.db';
let intercept: Intercept = async () => undefined;
let rig: Rig;
beforeAll(async () => {
  rig = await createRig({ heroku: { intercept: (request) => intercept(request) } });
  rig.startWorker();
});
afterAll(() => rig.close());

interface Start extends AppOptions {
  /** What the target file says of the database. */
  readonly database?: Record<string, unknown>;
}

/** An app whose own add-on is a Standard-0 of the given name, attached as AMBER unless said. */
function addApp(name: string, { database = {}, ...options }: Start): Promise<RehearsedApp> {
  return rig.add(
    { ...raptor, addon: { name, plan: 'standard-0' } },
    {
      attachAs: 'AMBER',
      ...options,
      target: (target) => {
        delete target['pullRequest'];
        Object.assign(target['database'] as object, database);
        for (const [key, value] of Object.entries(database)) {
          if (value === undefined) delete (target['database'] as Record<string, unknown>)[key];
        }
      },
    },
  );
}

/** Takes a cutover to its first gate, and checks that nothing was written on the way. */
async function toGate(app: RehearsedApp): Promise<{ handle: CutoverHandle; status: Status; before: number }> {
  const before = writesOf(rig.platform).length;
  const handle = await rig.start(app);
  const status = await watch(handle, atGate('go'));
  expect(writesOf(rig.platform).slice(before)).toEqual([]);
  return { handle, status, before };
}

/** Takes a cutover past `promote`; answers what the plan said of it, the step's evidence and the writes. */
async function promoted(app: RehearsedApp) {
  const { handle, status, before } = await toGate(app);
  expect(status.items.find(({ id }) => id === 'promote')?.state).toBe('ahead');
  await approve(handle, status);
  const after = await watch(handle, isDone('promote'));
  await stop(handle);
  const item = itemOf(after, 'promote');
  return {
    reason: status.plans.go?.facts.database.promote,
    planned: status.plans.go?.facts.database.addon,
    did: item?.did,
    evidence: item?.evidence as { addon: string; previous: string | null },
    writes: writesOf(rig.platform)
      .slice(before)
      .filter((write) => /config-vars|addon-attachments/.test(write)),
  };
}

/** Where each variable leads: variables of the same add-on hold the same database. */
async function databases(app: RehearsedApp): Promise<Record<string, string>> {
  const vars = Object.entries(await configVars(rig, app)).filter(([, value]) => value.startsWith('postgres'));
  return Object.fromEntries(vars.map(([name, url]) => [name, new URL(url).pathname]));
}

/** Attachments of an app, as `NAME ADDON NAMESPACE`. */
async function attachments(app: RehearsedApp): Promise<string[]> {
  const { url, token } = rig.platform.heroku;
  const response = await fetch(`${url}/apps/${app.herokuApp}/addon-attachments`, {
    headers: { accept: 'application/vnd.heroku+json; version=3', authorization: `Bearer ${token}` },
  });
  const all = (await response.json()) as { name: string; namespace: string | null; addon: { name: string } }[];
  return all.map(({ name, namespace, addon }) => `${name} ${addon.name} ${namespace ?? 'default'}`).sort();
}

describe('promoted as an approved step of the plan', () => {
  test('an empty variable', async () => {
    const app = await addApp('empty-db', {});
    const { reason, planned, did, evidence, writes } = await promoted(app);
    expect(reason).toMatch(/^DATABASE_URL of .* is empty/);
    expect({ planned, did, ...evidence }).toMatchObject({ planned: 'empty-db', did: 'acted', previous: null });
    expect(writes).toEqual(['POST /addon-attachments']);
    const { DATABASE_URL: now, AMBER_URL: own } = await databases(app);
    expect(now).toBe(own);
  });

  test('a PostgreSQL URL that was set by hand', async () => {
    const other = await addApp('elsewhere-db', { attachAs: 'DATABASE' });
    const byHand = (await configVars(rig, other))['DATABASE_URL'] ?? '';
    const app = await addApp('hand-set-db', { configVars: { DATABASE_URL: byHand } });
    const { reason, did } = await promoted(app);
    expect(reason).toMatch(/was set by hand/);
    expect(did).toBe('acted');
    const { DATABASE_URL: now, AMBER_URL: own } = await databases(app);
    expect(now).toBe(own);
    expect(now).not.toBe(new URL(byHand).pathname);
  });

  test.each(['refuse', 'replace'] as const)(
    'SQLite with the add-on that the target names, where attaching over a hand-set variable is answered by: %s',
    async (answer) => {
      rig.platform.heroku.settings.attachOverHandSet = answer;
      const app = await addApp(`kept-db-${answer}`, { configVars: { DATABASE_URL: sqlite } });
      const { reason, planned, did } = await promoted(app);
      rig.platform.heroku.settings.attachOverHandSet = 'refuse';
      expect(reason).toMatch(/points to SQLite/);
      expect({ planned, did }).toEqual({ planned: `kept-db-${answer}`, did: 'acted' });
      const { DATABASE_URL: now, AMBER_URL: own } = await databases(app);
      expect(now).toBe(own);
    },
  );

  test('Essential-0, which keeps another attachment for the way back', async () => {
    const app = await addApp('grown-db', {
      others: [{ name: 'essential-db', plan: 'essential-0', attachAs: 'DATABASE' }],
    });
    const { reason, did, evidence } = await promoted(app);
    expect(reason).toMatch(/is the add-on essential-db on heroku-postgresql:essential-0/);
    expect({ did, ...evidence }).toMatchObject({ did: 'acted', addon: 'grown-db', previous: 'essential-db' });
    expect(await attachments(app)).toEqual([
      'AMBER grown-db default',
      'DATABASE grown-db default',
      expect.stringMatching(/^HEROKU_POSTGRESQL_[A-Z]+ essential-db default$/),
    ]);
  });

  test('another Standard-0, whose pooler attachment moves along', async () => {
    const app = await addApp('pooled-db', {
      others: [{ name: 'former-db', plan: 'standard-0', attachAs: 'DATABASE' }],
    });
    await rig.platform.heroku.attach({
      addon: 'former-db',
      app: app.herokuApp,
      as: 'DATABASE_CONNECTION_POOL',
      namespace: 'connection-pooling:default',
    });
    const { reason, evidence } = await promoted(app);
    expect(reason).toMatch(/is the add-on former-db; expected pooled-db/);
    expect(evidence).toMatchObject({ addon: 'pooled-db', previous: 'former-db' });
    expect(await attachments(app)).toEqual([
      'AMBER pooled-db default',
      'DATABASE pooled-db default',
      'DATABASE_CONNECTION_POOL pooled-db connection-pooling:default',
      expect.stringMatching(/^HEROKU_POSTGRESQL_[A-Z]+ former-db default$/),
    ]);
  });

  test('a step that was interrupted twice, before and after the platform took the request, does it once', async () => {
    const app = await addApp('interrupted-db', {
      others: [{ name: 'outgrown-db', plan: 'essential-0', attachAs: 'DATABASE' }],
    });
    const faults = [503, 0];
    intercept = async ({ method, path, body }) => {
      const asked = body as { name?: string; app?: string; confirm?: string };
      if (method !== 'POST' || path !== '/addon-attachments' || asked.name !== 'DATABASE') return undefined;
      const fault = faults.shift();
      if (fault === 503) return { status: 503, body: { id: 'unavailable', message: 'Try again later.' } };
      if (fault !== 0) return undefined;
      // Taken, and the answer is lost.
      await rig.platform.heroku.attach({
        addon: 'interrupted-db',
        app: app.herokuApp,
        as: 'DATABASE',
        overwrite: true,
      });
      return { status: 502, body: { id: 'bad_gateway', message: 'The answer was lost.' } };
    };
    const { did, evidence } = await promoted(app);
    intercept = async () => undefined;
    expect(faults).toEqual([]);
    // The way back is known still.
    expect({ did, ...evidence }).toMatchObject({ did: 'settled', previous: 'outgrown-db' });
    expect(await attachments(app)).toEqual([
      'AMBER interrupted-db default',
      'DATABASE interrupted-db default',
      expect.stringMatching(/^HEROKU_POSTGRESQL_[A-Z]+ outgrown-db default$/),
    ]);
  });
});

test('a variable that is right already needs no such step', async () => {
  const app = await addApp('right-db', { attachAs: 'DATABASE' });
  const { handle, status } = await toGate(app);
  await stop(handle);
  expect(status.plans.go?.facts.database.promote).toBeNull();
  expect(itemOf(status, 'promote')).toBeUndefined();
});

describe('refused with the command that a person would run', () => {
  test('two add-ons that would do, none of them named', async () => {
    const app = await addApp('first-db', {
      others: [{ name: 'second-db', plan: 'standard-0', attachAs: 'BLUE' }],
      database: { addon: undefined },
    });
    const { type, message, writes } = await refusal(rig, app);
    expect(type).toBe('DatabaseUrlEmpty');
    expect(message).toContain(`heroku pg:promote first-db -a ${app.herokuApp}`);
    expect(message).toContain(`heroku pg:promote second-db -a ${app.herokuApp}`);
    expect(message).toContain('database.addon');
    expect(writes).toEqual([]);
  });

  test.each([
    [
      'Essential-0',
      'DatabasePlanTooSmall',
      { others: [{ name: 'tiny-db', plan: 'essential-0', attachAs: 'DATABASE' }] },
    ],
    ['SQLite', 'DatabaseUrlSqlite', { configVars: { DATABASE_URL: sqlite } }],
    ['an empty variable', 'DatabaseUrlEmpty', {}],
  ] as const)('%s, where the target file does not allow promoting', async (_name, expected, options) => {
    const name = `unpromoted-${expected.toLowerCase()}`;
    const app = await addApp(name, { ...options, database: { promote: false } });
    const { type, message, writes } = await refusal(rig, app);
    expect(type).toBe(expected);
    expect(message).toContain(`heroku pg:promote ${name} -a ${app.herokuApp}`);
    expect(message).toContain('database.promote');
    expect(writes).toEqual([]);
  });
});
