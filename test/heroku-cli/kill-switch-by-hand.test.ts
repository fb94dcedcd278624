import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import type { Platform } from '../../rehearsal/platform.ts';
import { copyTarget } from '../../rehearsal/target-copy.ts';
import { createRig, type Rig } from '../integration/cutover-rig.ts';
import { pullKillSwitch, startToLaunch } from '../integration/going-back.ts';
import { clientOf, eventually, withDatabase } from '../integration/heroku-client.ts';
import { ask } from '../integration/rehearsed-app.ts';
import { startStepRunner } from '../integration/step-runner.ts';
import { openShell, type Shell } from './cli.ts';

// The page of the kill switch by hand, typed as it is printed: Temporal is not asked for anything. And the workflow's kill
// switch on another platform, which must leave the same.

let byHand: Rig;
let shell: Shell;
let workflow: Rig;
let killed: Promise<RehearsedApp>;

beforeAll(async () => {
  byHand = await createRig();
  workflow = await createRig();
  // Goes its way beside the person who types.
  killed = pullInWorkflow(workflow);
  killed.catch(() => undefined);

  // Under the name that the page uses, and cut over by the steps alone.
  await copyTarget(raptor, raptor, byHand.workerEnv['CUTOVER_TARGETS'] ?? '');
  await byHand.platform.addApp(raptor);
  const steps = startStepRunner(byHand);
  await steps.cutOver(raptor);
  await steps.stop();
  shell = await openShell(byHand.platform);
});
afterAll(async () => {
  await shell?.close();
  await killed?.catch(() => undefined);
  await workflow?.close();
  await byHand?.close();
});

async function pullInWorkflow(rig: Rig): Promise<RehearsedApp> {
  rig.startWorker();
  const app = await rig.add(raptor);
  const handle = await startToLaunch(rig, app);
  await pullKillSwitch(handle);
  const { outcome } = await handle.result();
  if (outcome?.result !== 'rolled-back') throw new Error(`the workflow ended otherwise: ${outcome?.reason}`);
  return app;
}

interface Part {
  readonly title: string;
  readonly commands: readonly string[];
}

/** The page's parts with the commands as they are printed. */
async function readPage(): Promise<Part[]> {
  const page = await readFile('docs/on-call.md', 'utf8');
  const generated = page.slice(page.indexOf('<!-- by hand: written'), page.indexOf('<!-- by hand: end'));
  return generated
    .split(/^\*\*\d+\. /m)
    .slice(1)
    .map((part) => ({
      title: part.slice(0, part.indexOf('.**')),
      commands: [...part.matchAll(/^```sh\n(.*?)\n```$/gms)].flatMap((match) => (match[1] ?? '').split('\n')),
    }));
}

const get = async ({ heroku }: Platform, what: string) => (await clientOf(heroku)('GET', what)).body;

test('with one customer the count shows it, and where', async () => {
  const url = byHand.platform.heroku.webUrl(raptor.herokuApp);
  expect((await ask(`${url}/signup`, { email: 'first@example.test' })).status).toBe(201);
  const count = (await readPage()).find(({ title }) => title === 'Count customer rows');
  const { stdout } = await shell.succeed(count?.commands[0] ?? '');
  expect(stdout).toMatch(/^ customers +\| +1$/m);

  const vars = (await get(byHand.platform, `/apps/${raptor.herokuApp}/config-vars`)) as Record<string, string>;
  await withDatabase(vars['DATABASE_URL'] ?? '', (client) =>
    client.query('DELETE FROM audit_events; DELETE FROM customers'),
  );
});

test('typed as printed, it takes the app back to SQLite', async () => {
  const url = byHand.platform.heroku.webUrl(raptor.herokuApp);
  const said = new Map<string, string>();
  for (const { title, commands } of await readPage()) {
    if (title.startsWith('Lift the fence')) expect((await fetch(`${url}/health`)).status).toBe(503);
    // Right behind the change the new dynos are about to be up; a person tries again.
    const persistent = title.startsWith('Verify that the app serves');
    const outputs = [];
    for (const command of commands) {
      const { text } = persistent
        ? await eventually(
            () => shell.type(command),
            ({ code }) => code === 0,
            60_000,
          )
        : await shell.succeed(command);
      outputs.push(text);
    }
    said.set(title, outputs.join('\n'));
  }
  expect(said.get('Count customer rows once more, behind the fence')).toContain('(0 rows)');
  expect(await lookFromOutside(url, raptor, 'sqlite')).toMatchObject({ ok: true });
  expect(await ask(`${url}/paper-orders/round-trip`, {})).toMatchObject({ body: { round_trip: true } });
});

/** What a kill switch leaves, with the names taken out that differ from platform to platform. */
async function worldBehind(platform: Platform, app: RehearsedApp) {
  const vars = (await get(platform, `/apps/${app.herokuApp}/config-vars`)) as Record<string, string>;
  const colour = (name: string): string => name.replace(/^HEROKU_POSTGRESQL_[A-Z]+/, 'HEROKU_POSTGRESQL_<COLOUR>');
  const list = async (what: string): Promise<Record<string, unknown>[]> => (await get(platform, what)) as never;
  const attachments = await list(`/apps/${app.herokuApp}/addon-attachments`);
  const credentials = await list(`/postgres/v0/databases/${app.addon.name}/credentials`);
  const formation = await list(`/apps/${app.herokuApp}/formation`);
  const { maintenance } = (await get(platform, `/apps/${app.herokuApp}`)) as { maintenance: boolean };
  const url = Object.values(vars).find((value) => value.startsWith('postgres:')) ?? '';
  const privileges = await withDatabase(url, async (client) => {
    const { rows } = await client.query<{ line: string }>(
      `SELECT format('%s %s %s', c.relname, CASE a.grantee WHEN c.relowner THEN 'owner' ELSE a.grantee::regrole::text END,
                     a.privilege_type) AS line
       FROM pg_class c, aclexplode(c.relacl) a WHERE c.relnamespace = 'public'::regnamespace
       UNION ALL
       SELECT format('future %s %s', d.defaclobjtype, a.privilege_type)
       FROM pg_default_acl d, aclexplode(d.defaclacl) a WHERE a.grantee <> d.defaclrole ORDER BY 1`,
    );
    return rows.map(({ line }) => line);
  });
  return {
    configVars: Object.keys(vars).map(colour).sort(),
    database: vars['DATABASE_URL'],
    attachments: attachments.map(({ name, namespace }) => `${colour(String(name))} ${namespace ?? 'default'}`).sort(),
    credentials: credentials.map(({ name, state }) => `${name} ${state}`),
    formation: formation.map(({ type, quantity }) => `${type}=${quantity}`),
    maintenance,
    privileges,
  };
}

describe('what it leaves', () => {
  let worlds: { byHand: Record<string, unknown>; workflow: Record<string, unknown> };
  beforeAll(async () => {
    const app = await killed;
    worlds = {
      byHand: await worldBehind(byHand.platform, raptor),
      workflow: await worldBehind(workflow.platform, app),
    };
  });

  test.each(['configVars', 'database', 'attachments', 'credentials', 'formation', 'maintenance', 'privileges'])(
    '%s: as the workflow leaves it',
    (part) => {
      expect(worlds.byHand[part]).toBeDefined();
      expect(worlds.byHand[part]).toEqual(worlds.workflow[part]);
    },
  );

  test('neither the role nor a trace of it', () => {
    expect(JSON.stringify(worlds)).not.toMatch(/raptor_app/i);
  });
});
