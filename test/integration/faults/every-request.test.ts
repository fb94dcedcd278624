import { beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../../rehearsal/apps.ts';
import type { StepCall, StepId } from '../../../workflows/steps.ts';
import type { Rig } from '../cutover-rig.ts';
import { withoutPullRequest } from '../run-control.ts';
import type { StepRunner } from '../step-runner.ts';
import { circle, prepare } from './circle.ts';
import { most, performLosing } from './losing.ts';
import { expectSection, tableOf, type Observed } from './page.ts';
import type { FaultProxy } from './proxy.ts';
import { useSpoiltService } from './spoilt-service.ts';

// Not only a first write: whichever request it is of a step's, a read or a write, the step comes to its end, once.

/** A step's requests in the circle are at least so many; what follows are looks at the same things again. */
const inCircle = 9;
let rig: Rig;
let proxy: FaultProxy;
let steps: StepRunner;
useSpoiltService('heroku', (spoilt) => void ({ rig, proxy, steps } = spoilt));

const observed: Observed[] = [];

/** Performs a step whose nth request is lost. False where it has fewer. */
async function losing(nth: number, app: RehearsedApp, step: StepId, call: Partial<StepCall>): Promise<boolean> {
  const fared = await performLosing({ rig, proxy, steps }, { nth, app, step, call, observed });
  if (fared !== null) expect(fared.taken).toEqual([...new Set(fared.taken)]);
  return fared !== null;
}

describe('a step that writes', () => {
  let app: RehearsedApp;
  beforeAll(async () => {
    app = await rig.add(raptor);
    await steps.perform(app, 'upgrade');
  });

  describe.each(Array.from({ length: inCircle }, (_, index) => index + 1))('request %i is lost', (nth) => {
    test.each(circle)('%s', async (step) => {
      await prepare(rig, app, step);
      await losing(nth, app, step, { freshDynos: step === 'restart' });
    });
  });
});

describe('a step that looks: each of its requests is lost once', () => {
  let app: RehearsedApp;
  beforeAll(async () => {
    app = await rig.add(
      { ...raptor, addon: { name: 'looked-at-db', plan: 'standard-0' } },
      { target: withoutPullRequest },
    );
    await steps.cutOver(app);
  });

  /** Loses each request of a step, one in each turn, until the step has no more. */
  async function losingEach(step: StepId, call: Partial<StepCall> = {}): Promise<number> {
    let lost = 0;
    while (lost < most && (await losing(lost + 1, app, step, call))) lost += 1;
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThan(most);
    return lost;
  }

  const looks: [StepId, Partial<StepCall>][] = [
    ['config-check', {}],
    ['survey', { gate: 'rm-11' }],
    ['verify-schema', {}],
    ['verify-sessions', {}],
    ['read-seal', {}],
    ['survey-way-back', {}],
    ['count-rows', {}],
  ];
  test.each(looks)('%s', (step, call) => losingEach(step, call));

  test('check-backup', async () => {
    const at = new Date(Date.now() - 60_000);
    const id = rig.platform.heroku.captureBackup({ app: app.herokuApp, addon: 'looked-at-db', at });
    const lost = await losingEach('check-backup', { backup: { id, finishedAt: at.toISOString() } });
    // The backups and the names of the database are asked for as well.
    expect(lost).toBeGreaterThan(2);
  });
});

describe('an app that is back on SQLite', () => {
  let app: RehearsedApp;
  beforeAll(async () => {
    app = await rig.add({ ...raptor, addon: { name: 'left-db', plan: 'standard-0' } }, { target: withoutPullRequest });
    await steps.perform(app, 'upgrade');
    await steps.perform(app, 'to-sqlite');
  });

  /** How many one-off dynos were started, for each request of a step that was lost. */
  async function startsLosing(step: StepId): Promise<number[]> {
    const started = (): number =>
      rig.platform.heroku.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/dynos')).length;
    const starts: number[] = [];
    for (let before = started(); await losing(starts.length + 1, app, step, {}); before = started())
      starts.push(started() - before);
    return starts;
  }

  test('verify-sqlite: a dyno whose start was not heard of runs nothing, and another one is started', async () => {
    const starts = await startsLosing('verify-sqlite');
    expect([...starts].sort()).toEqual([...starts.slice(1).map(() => 1), 2]);
  });

  test('verify-serving', async () => {
    const starts = await startsLosing('verify-serving');
    expect(starts.length).toBeGreaterThan(0);
    expect(new Set(starts)).toEqual(new Set([0]));
  });
});

const text = `The answer to a request is lost, the connection with it: to each of the first ${inCircle} requests of a step that writes, and to every
request of one that only looks, in its turn.`;

test('the page says what was seen', () =>
  expectSection('Any request to the platform', `${text}\n\n${tableOf('a request', observed)}`));
