import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import { raptor, type RehearsedApp } from '../../../rehearsal/apps.ts';
import { lookFromOutside } from '../../../rehearsal/outside.ts';
import type { StepCall, StepId } from '../../../workflows/steps.ts';
import { createRig, type Rig } from '../cutover-rig.ts';
import { eventually } from '../heroku-client.ts';
import { withoutPullRequest } from '../run-control.ts';
import { startStepRunner, type StepRunner } from '../step-runner.ts';
import { configVars } from '../world.ts';
import { expectSection, handlingOf, tableOf, type Observed } from './page.ts';
import { performThrough } from './performing.ts';

let rig: Rig;
let steps: StepRunner;
let app: RehearsedApp;
let database: string;
const observed: Observed[] = [];
beforeAll(async () => {
  rig = await createRig();
  steps = startStepRunner(rig);
  app = await rig.add(raptor, {
    target: (target) => {
      withoutPullRequest(target);
      Object.assign(target['migrations'] as object, { lockTimeoutSeconds: 0.5 });
    },
  });
  database = new URL((await configVars(rig, app))['DATABASE_URL'] ?? '').pathname.slice(1);
});
afterAll(async () => {
  await steps?.stop();
  await rig?.close();
});

/** What is wrong with the database; answers how it is mended. */
type Trouble = () => Promise<() => Promise<void>>;

const superuser = (): Promise<pg.Client> => rig.platform.postgres.connect(database);
const asSuperuser = async (statement: string): Promise<void> => {
  const client = await superuser();
  await client.query(statement);
  await client.end();
};

const troubles = {
  'is down': async () => {
    await rig.platform.postgres.halt();
    return () => rig.platform.postgres.resume();
  },
  'takes no more connections': async () => {
    await asSuperuser(`ALTER DATABASE "${database}" CONNECTION LIMIT 0`);
    return () => asSuperuser(`ALTER DATABASE "${database}" CONNECTION LIMIT -1`);
  },
  'has every table locked by somebody': async () => {
    const holder = await superuser();
    const { rows } = await holder.query<{ name: string }>(
      "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'public'",
    );
    await holder.query('BEGIN');
    for (const { name } of rows) await holder.query(`LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`);
    return async () => {
      await holder.query('ROLLBACK');
      await holder.end();
    };
  },
} satisfies Record<string, Trouble>;

const answers = () => lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app);

/** In the order of a cutover: each one finds what those before it have left. */
const all: [StepId, Partial<StepCall>][] = [
  ['upgrade', {}],
  ['config-check', {}],
  ['survey', { gate: 'go' }],
  ['verify-schema', {}],
  ['credential', {}],
  ['bind-url', {}],
  ['grants', {}],
  ['flag', {}],
  ['verify-sessions', {}],
  ['count-rows', {}],
  ['read-seal', {}],
  ['seal', { seal: { by: 'Ada', planDigest: null, backup: null } }],
  ['revoke-grants', {}],
];

describe.each(Object.entries(troubles))('PostgreSQL %s', (name, trouble) => {
  test.each(all)('%s: tried again, and done once that is over', async (step, call) => {
    const mend = await trouble();
    const { failure } = await performThrough({ rig, steps }, app, step, call, async () => {
      await mend();
      // The app connects when it is asked, as the smoke suite asks it in a cutover.
      if (step === 'verify-sessions') await eventually(answers, ({ ok }) => ok);
    });
    // The next trouble begins with a database that is not sealed.
    if (step === 'seal') await asSuperuser('DELETE FROM cutover.seal');
    if (failure !== null) expect(handlingOf(failure)).toBe('retried');
    const does =
      failure === null
        ? 'goes on: it needs nothing of it'
        : `the attempt ends, ${handlingOf(failure)}; the next one looks`;
    observed.push({ fault: name, step, failure, does });
  });
});

test('the page says what was seen', () => expectSection('PostgreSQL', tableOf('PostgreSQL', observed)));
