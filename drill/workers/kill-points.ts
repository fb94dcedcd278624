import type { Progress } from '../../activities/scope.ts';
import { steps, type StepId } from '../../workflows/steps.ts';
import type { KillPoint } from './killable-worker.ts';

export type Moment = 'before' | 'during' | 'after';

/** Where a worker dies in a step that changes the world, and in one that only looks. */
export const moments: Record<Moment, { writing: Progress; looking: Progress }> = {
  before: { writing: 'acting', looking: 'begun' },
  // A service has taken the write, and nobody has heard of it yet.
  during: { writing: 'underway', looking: 'begun' },
  // The effect is there and verified, and its result was not reported.
  after: { writing: 'verified', looking: 'verified' },
};

/** The death at a moment of a step. */
export function pointOf(step: StepId, moment: Moment): KillPoint {
  return { step, progress: moments[moment][steps[step].writes ? 'writing' : 'looking'] };
}

/** A death in each of the steps. */
export function planOf(ids: readonly StepId[], moment: Moment): KillPoint[] {
  return ids.map((step) => pointOf(step, moment));
}
