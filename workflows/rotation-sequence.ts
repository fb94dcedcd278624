import { rotationHazards, type RotationPlan } from './rotation-plan.ts';
import { stepIdsOf, type Item, type Phase } from './sop.ts';

/** What a rotation has learnt so far. */
export interface KnownRotation {
  readonly plan?: RotationPlan | undefined;
  /** It was asked of an open cutover, which goes on behind it. */
  readonly inWatch: boolean;
  /** The target file answers for a plan without hazards. */
  readonly approvedBeforehand: boolean;
}

/**
 * The rotation of a credential. Whatever fails before the act leaves all as it was; behind it there is no way back, and
 * every step can be tried again.
 */
export function rotation({ plan, inWatch, approvedBeforehand }: KnownRotation): Item[] {
  // What refuses a run that does nothing else must not end a cutover, which waits for a decision instead.
  const before: Phase = inWatch ? 'rotation' : 'preflight';
  const asRole = plan?.facts.asRole ?? false;
  return [
    { kind: 'step', id: 'survey-rotation', phase: before, planFor: 'rotate', needs: ['rotation'] },
    {
      kind: 'gate',
      id: 'rotate',
      phase: before,
      title: 'Approve what the rotation resets',
      ...(approvedBeforehand && plan !== undefined && rotationHazards(plan).length === 0
        ? { approvedBeforehand: 'rotation.approvedBeforehand' }
        : {}),
    },
    { kind: 'step', id: 'confirm-rotation', phase: before, confirms: 'rotate', needs: ['rotation'] },
    { kind: 'step', id: 'rotate-credential', phase: 'rotation', needs: ['rotation'] },
    { kind: 'step', id: 'restart-rotated', phase: 'rotation', needs: ['sinceRotated'] },
    { kind: 'step', id: 'smoke-rotated', phase: 'rotation', asRole },
    { kind: 'step', id: 'verify-rotated', phase: 'rotation', needs: ['rotation'] },
  ];
}

/** The steps that only a rotation takes. */
export const rotationStepIds = stepIdsOf(rotation({ inWatch: false, approvedBeforehand: false }));
