import { describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../../rehearsal/apps.ts';
import type { StepId } from '../../../workflows/steps.ts';
import type { Rig } from '../cutover-rig.ts';
import { withoutPullRequest } from '../run-control.ts';
import type { StepRunner } from '../step-runner.ts';
import { connectAs } from '../world.ts';
import { circle, prepare, settle } from './circle.ts';
import { faultsByName, impatientMs } from './faults.ts';
import { expectSection, handlingOf, tableOf, type Observed, withoutFailure } from './page.ts';
import { performThrough, type Fared } from './performing.ts';
import { isWrite, type Asked, type Fault, type FaultProxy } from './proxy.ts';
import { useSpoiltService } from './spoilt-service.ts';

// Each step that writes to the platform, and each fault at its first write; a retry is what the server would ask for.

let rig: Rig;
let proxy: FaultProxy;
let steps: StepRunner;
let app: RehearsedApp;
const observed: Observed[] = [];
useSpoiltService(
  'heroku',
  async (spoilt) => {
    ({ rig, proxy, steps } = spoilt);
    // The platform's minute, in which a client may attach to a dyno.
    rig.platform.heroku.settings.attachLimitMs = 3_000;
    app = await rig.add(raptor);
    await steps.perform(app, 'upgrade');
  },
  impatientMs,
);

/** Performs a step whose first write meets the fault, and then as often as it is to be tried again. */
async function meet(subject: RehearsedApp, step: StepId, name: string, fault: Fault): Promise<Fared> {
  const wanted = step === 'upgrade' ? isUpgrade : isWrite;
  proxy.arm(fault, wanted);
  let inFirst = 0;
  const call = { freshDynos: step === 'restart' };
  const fared = await performThrough({ rig, steps }, subject, step, call, () => {
    expect([step, proxy.met()]).toEqual([step, expect.anything()]);
    inFirst = proxy.passedOn();
    return settle(rig, subject, step);
  });
  const wroteAgain = proxy.passedOn() > inFirst;
  observed.push({ fault: name, step, failure: fared.failure, does: doneAbout(fared, fault, wroteAgain) });
  return fared;
}

const isUpgrade = (asked: Asked): boolean => isWrite(asked) && asked.body.includes('alembic upgrade');

function doneAbout({ failure }: Fared, fault: Fault, wroteAgain: boolean): string {
  if (failure === null) return withoutFailure(fault);
  const again = fault.taken
    ? 'looks, leaves what was taken as it is, and makes the writes that are left'
    : 'looks, finds nothing and writes it once';
  const next = wroteAgain ? again : 'looks, finds it done and writes nothing';
  return `the attempt ends, ${handlingOf(failure)}; the next one ${next}`;
}

describe.each(faultsByName)('a write that %s', (name, fault) => {
  test.each(circle)('%s: its effect is there once', async (step) => {
    await prepare(rig, app, step);
    const { failure, taken } = await meet(app, step, name, fault);
    // No write of one kind twice: what was taken is not sent again.
    expect(taken).toEqual([...new Set(taken)]);
    expect(taken.length).toBeGreaterThan(0);
    if (failure !== null) expect(failure.type).toBe('PlatformUnavailable');
  });

  test('upgrade: the database is at its head, and nothing ran twice', async () => {
    const addon = { name: `db-${observed.length}`, plan: 'standard-0' } as const;
    const own = await rig.add({ ...raptor, addon }, { target: withoutPullRequest });
    const { failure } = await meet(own, 'upgrade', name, fault);
    // A dyno whose start was not heard of runs nothing: nobody has attached to it. Another one is started when it is gone.
    expect(proxy.passedOn()).toBe(failure !== null && fault.taken ? 2 : 1);
    const { rows } = await connectAs(rig, own, 'DATABASE_URL', (client) =>
      client.query('SELECT version_num FROM alembic_version'),
    );
    expect(rows).toEqual([{ version_num: '0002_paper_orders' }]);
  });
});

const text = `Each step that writes to the platform meets each fault at its first write; its effect is there once in the end.
Where \`upgrade\` was taken and not heard of, nobody has attached to its dyno, which so runs nothing: it is waited for
until the platform takes it away, and another one is started.`;

test('the page says what was seen', () =>
  expectSection('A write to the platform', `${text}\n\n${tableOf('the write', observed)}`));
