import { beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../../rehearsal/apps.ts';
import type { StepCall, StepId } from '../../../workflows/steps.ts';
import type { Rig } from '../cutover-rig.ts';
import { withoutPullRequest } from '../run-control.ts';
import type { StepRunner } from '../step-runner.ts';
import { circle, dynosHaveAged } from './circle.ts';
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
      if (step === 'restart') await dynosHaveAged(rig, app);
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

  const looks: [StepId, Partial<StepCall>][] = [
    ['config-check', {}],
    ['survey', { gate: 'rm-11' }],
    ['verify-schema', {}],
    ['verify-sessions', {}],
    ['survey-way-back', {}],
    ['count-rows', {}],
  ];
  test.each(looks)('%s', async (step, call) => {
    let lost = 0;
    while (lost < most && (await losing(lost + 1, app, step, call))) lost += 1;
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThan(most);
  });
});

const text = `The answer to a request is lost, the connection with it: to each of the first ${inCircle} requests of a step that writes, and to every
request of one that only looks, in its turn.`;

test('the page says what was seen', () =>
  expectSection('Any request to the platform', `${text}\n\n${tableOf('a request', observed)}`));
