import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { StepCall, StepId } from '../../../workflows/steps.ts';
import { dynosHaveAged } from './circle.ts';
import { most, performLosing } from './losing.ts';
import { expectSection, tableOf, type Observed } from './page.ts';
import { approvedRotation, rotated, serves, startRotatedApp, type Rotated, type RotatedApp } from './rotated-app.ts';

// Whichever request it is of a rotation's or a soak's step, the step comes to its end, and the platform rotates once.

const observed: Observed[] = [];
const apps: RotatedApp[] = [];
/** How many requests of each step were lost, and what the platform has taken in each try. */
const lost = new Map<string, number>();
const asked: number[] = [];

async function startOne(what: Rotated): Promise<RotatedApp> {
  const one = await startRotatedApp(what);
  apps.push(one);
  return one;
}

const rotations = (taken: readonly string[]): number =>
  taken.filter((write) => write.endsWith('/credentials_rotation')).length;

/** Every second request of the step, from the first or the second: two apps share the waiting. */
async function rotateLosing(row: string, what: Rotated, first: number): Promise<void> {
  const one = await startOne(what);
  for (let nth = first; nth < most; nth += 2) {
    const call = await approvedRotation(one);
    const fared = await performLosing(one, { nth, app: one.app, step: 'rotate-credential', call, observed });
    if (fared === null) return;
    asked.push(rotations(fared.taken));
    lost.set(row, (lost.get(row) ?? 0) + 1);
    await serves(one);
  }
}

async function lookLosing(): Promise<void> {
  const one = await startOne(rotated.owner);
  const { steps, app, rig } = one;
  const call = await approvedRotation(one);
  const plan = await steps.perform(app, 'survey-soak', { gate: 'soak' });
  const calls: [StepId, Partial<StepCall>][] = [
    ['survey-rotation', call],
    ['confirm-rotation', { ...call, approved: call.rotation?.planDigest ?? '' }],
    ['survey-soak', { gate: 'soak' }],
    ['soak-sample', {}],
    ['confirm-soak', { gate: 'soak', approved: plan.evidence.digest }],
    ['verify-rotated', { rotation: { ...call.rotation, credential: 'owner', rotatedAt: 0 } }],
    ['restart-rotated', { freshDynos: true }],
  ];
  for (const [step, more] of calls) {
    for (let nth = 1; nth < most; nth += 1) {
      if (step === 'restart-rotated') await dynosHaveAged(rig, app);
      const fared = await performLosing(one, { nth, app, step, call: more, observed });
      if (fared === null || nth > inRestart) break;
      expect([step, fared.taken.length]).toEqual([step, step === 'restart-rotated' ? 1 : 0]);
      lost.set(step, nth);
    }
  }
}
/** A restart looks at the same things again until the dynos are up. */
const inRestart = 25;

beforeAll(async () => {
  await Promise.all([
    rotateLosing('the owner', rotated.owner, 1),
    rotateLosing('the owner', rotated.owner, 2),
    rotateLosing('the copy', rotated.copy, 1),
    rotateLosing('the copy', rotated.copy, 2),
    lookLosing(),
  ]);
}, 600_000);
afterAll(async () => {
  for (const one of apps) await one.stop();
});

test('each request of rotate-credential is lost once: the platform rotates once', () => {
  expect(new Set(asked)).toEqual(new Set([1]));
  expect([lost.get('the owner'), lost.get('the copy')]).toEqual([expect.any(Number), expect.any(Number)]);
});

const looks = [
  'survey-rotation',
  'confirm-rotation',
  'survey-soak',
  'soak-sample',
  'confirm-soak',
  'verify-rotated',
  'restart-rotated',
];
test.each(looks)('each request of %s is lost once', (step) => expect(lost.get(step)).toBeGreaterThan(2));

const text = `The answer to a request is lost, the connection with it: to each request of a rotation's steps, and of what a soak looks at,
in its turn. The platform rotates once.`;

test('the page says what was seen', () => {
  const order = ['rotate-credential', ...looks];
  const sorted = [...observed].sort((a, b) => order.indexOf(a.step) - order.indexOf(b.step));
  return expectSection('Any request of a rotation or a soak', `${text}\n\n${tableOf('a request', sorted)}`);
});
