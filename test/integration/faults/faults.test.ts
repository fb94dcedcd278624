import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { format, resolveConfig } from 'prettier';
import { raptor, type RehearsedApp } from '../../../rehearsal/apps.ts';
import type { StepId } from '../../../workflows/steps.ts';
import { createRig, writesOf, type Rig } from '../cutover-rig.ts';
import { withoutPullRequest } from '../run-control.ts';
import { startStepRunner, type StepRunner } from '../step-runner.ts';
import { connectAs } from '../world.ts';
import { faultsPage, type Observed } from './page.ts';
import { faults, startFaultProxy, type Fault, type FaultProxy } from './proxy.ts';

// Each step that writes to the platform, and each fault at its first write; a retry is what the server would ask for.

const page = 'docs/faults.md';
/**
 * Forward and back again, so that the next fault finds the world as this one did. Without the restart: each of these
 * changes restarts the dynos too, so that it may find nothing left to do.
 */
const circle: readonly StepId[] = [
  'credential',
  'bind-url',
  'flag',
  'fence',
  'to-sqlite',
  'lift-fence',
  'unbind-url',
  'drop-credential',
  'promote',
];

let rig: Rig;
let proxy: FaultProxy;
let steps: StepRunner;
let app: RehearsedApp;
const observed: Observed[] = [];
beforeAll(async () => {
  rig = await createRig();
  // The platform's minute, in which a client may attach to a dyno.
  rig.platform.heroku.settings.attachLimitMs = 3_000;
  proxy = await startFaultProxy(rig.platform.heroku.url);
  // Only the base URLs differ.
  steps = startStepRunner(rig, { HEROKU_API_URL: proxy.url, HEROKU_DATA_URL: proxy.url });
  app = await rig.add(raptor);
  await steps.perform(app, 'upgrade');
});
afterAll(async () => {
  await steps?.stop();
  await proxy?.stop();
  await rig?.close();
});

/** The writes that the platform has taken since, as they may be counted: without ids. */
function takenSince(count: number): string[] {
  return writesOf(rig.platform)
    .slice(count)
    .map((write) => write.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>'));
}

/** Performs a step whose first write meets the fault, and then as often as it is to be tried again. */
async function perform(subject: RehearsedApp, step: StepId, name: string, fault: Fault): Promise<string[]> {
  const before = writesOf(rig.platform).length;
  const call = { since: Date.now() };
  proxy.arm(fault, step === 'upgrade' ? 'alembic upgrade' : '');
  const first = await steps.answer(subject, step, call);
  expect([step, proxy.hasMet()]).toEqual([step, true]);
  const inFirst = proxy.passedOn();
  const failure = 'failure' in first ? first.failure : null;
  for (let answer = first, tries = 1; 'failure' in answer; tries += 1) {
    if (tries > 3) throw new Error(`${step} fails still: ${answer.failure.type}: ${answer.failure.message}`);
    answer = await steps.answer(subject, step, call);
  }
  const wroteAgain = proxy.passedOn() > inFirst;
  const { taken } = fault;
  observed.push({ fault: name, step, failure, taken, wroteAgain, sentAgain: failure === null && !taken });
  return takenSince(before);
}

describe.each(Object.entries(faults) as [string, Fault][])('a write that %s', (name, fault) => {
  test.each(circle)('%s: its effect is there once', async (step) => {
    const taken = await perform(app, step, name, fault);
    // No write of one kind twice: what was taken is not sent again.
    expect(taken.sort()).toEqual([...new Set(taken)].sort());
    expect(taken.length).toBeGreaterThan(0);
    const { failure } = observed.at(-1) as Observed;
    if (failure !== null) expect(failure.type).toBe('PlatformUnavailable');
  });

  test('upgrade: the database is at its head, and nothing ran twice', async () => {
    const own = await rig.add(
      { ...raptor, addon: { name: `db-${observed.length}`, plan: 'standard-0' } },
      {
        target: withoutPullRequest,
      },
    );
    await perform(own, 'upgrade', name, fault);
    // A dyno whose start was not heard of runs nothing: nobody has attached to it. Another one is started when it is gone.
    const { failure } = observed.at(-1) as Observed;
    expect(proxy.passedOn()).toBe(failure !== null && fault.taken ? 2 : 1);
    const { rows } = await connectAs(rig, own, 'DATABASE_URL', (client) =>
      client.query('SELECT version_num FROM alembic_version'),
    );
    expect(rows).toEqual([{ version_num: '0002_paper_orders' }]);
  });
});

test('the page of faults says what was seen', async () => {
  const text = await format(faultsPage(observed), { ...(await resolveConfig(page)), filepath: page });
  if (process.env['CUTOVER_WRITE_FAULTS'] !== undefined) await writeFile(page, text);
  expect(await readFile(page, 'utf8')).toBe(text);
});
