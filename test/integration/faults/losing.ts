import { expect } from '@jest/globals';
import type { RehearsedApp } from '../../../rehearsal/apps.ts';
import type { StepCall, StepId } from '../../../workflows/steps.ts';
import { settle } from './circle.ts';
import { faults } from './faults.ts';
import { handlingOf, type Observed } from './page.ts';
import { performThrough, type Fared } from './performing.ts';
import type { SpoiltService } from './spoilt-service.ts';

/** More requests than any step makes that only looks. */
export const most = 40;
const fault = faults['has its connection reset, and was taken'];

/**
 * Performs a step whose nth request is lost, and again until it is done.
 *
 * @param observed gets what was seen, once for each step
 * @returns how it fared, or null where the step has fewer requests
 */
export async function performLosing(
  { rig, proxy, steps }: SpoiltService,
  {
    nth,
    app,
    step,
    call,
    observed,
  }: { nth: number; app: RehearsedApp; step: StepId; call: Partial<StepCall>; observed: Observed[] },
): Promise<Fared | null> {
  proxy.arm(fault, () => true, nth);
  let hasMet = false;
  const fared = await performThrough({ rig, steps }, app, step, call, () => {
    hasMet = proxy.met() !== undefined;
    // The tries that follow meet nothing.
    proxy.arm(fault, () => false);
    return settle(rig, app, step);
  });
  if (!hasMet) return null;
  const { failure } = fared;
  expect([step, nth, failure?.type]).toEqual([step, nth, 'PlatformUnavailable']);
  if (failure !== null && !observed.some((one) => one.step === step)) {
    const does = `the attempt ends, ${handlingOf(failure)}; the next one looks`;
    observed.push({ step, failure, fault: 'is lost', does });
  }
  return fared;
}
