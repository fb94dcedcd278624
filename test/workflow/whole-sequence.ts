import type { CutoverInput, RunInput, WorkflowType } from '../../workflows/input.ts';
import { rotation } from '../../workflows/rotation-sequence.ts';
import { soakSequence } from '../../workflows/soak-sequence.ts';
import { sequence, stepIdsOf, type Item, type Known } from '../../workflows/sop.ts';
import { steps, type StepId } from '../../workflows/steps.ts';
import { asPlanned, killSwitch, undoRm11 } from '../../workflows/way-back.ts';
import { createFakeWorld, type FakeWorld, type FakeWorldOptions } from './fake-activities.ts';
import { sampleEvidence, sampleFacts, samplePlan, sampleRotation } from './sample-evidence.ts';

const facts = { ...sampleFacts, database: { ...sampleFacts.database, promote: 'sample-db' } };

/** A world in which every step has something to do. */
export function createFullWorld(options: FakeWorldOptions = {}): FakeWorld {
  return createFakeWorld({ ...options, evidence: { survey: { ...samplePlan('go'), facts }, ...options.evidence } });
}

/** The items of a run in that world. */
const known: Known = {
  hasFollowUps: true,
  hasPullRequest: true,
  pullRequest: sampleEvidence['inspect-pull-request'],
  go: facts,
  rm11: sampleFacts,
};
export const wholeSequence: Item[] = sequence(known);

export const stepsInOrder = stepIdsOf(wholeSequence);
export const gatesInOrder = wholeSequence.flatMap((item) => (item.kind === 'step' ? [] : [item.id]));
/** The steps of each way back, in their order, while the database answers. */
export const stepsBack = {
  'kill-switch': stepIdsOf(killSwitch(asPlanned)),
  'undo-rm-11': stepIdsOf(undoRm11(asPlanned)),
} as const;
export type WayBackKind = keyof typeof stepsBack;

/** Every procedure that a run can be started for, with what it performs when nothing goes wrong. */
export const procedures: Readonly<
  Record<
    NonNullable<CutoverInput['mode']> | 'staging-soak' | 'rotation',
    { readonly items: readonly Item[]; readonly result: string; readonly type?: WorkflowType }
  >
> = {
  cutover: { items: wholeSequence, result: 'completed' },
  plan: {
    items: wholeSequence
      .slice(
        0,
        wholeSequence.findIndex((item) => item.id === 'go'),
      )
      .filter((item) => item.id !== 'await-pull-request'),
    result: 'planned',
  },
  'kill-switch': { items: killSwitch(asPlanned), result: 'rolled-back' },
  'undo-rm-11': { items: undoRm11(asPlanned), result: 'undone' },
  'staging-soak': { items: soakSequence(known, true), result: 'completed', type: 'stagingSoak' },
  rotation: {
    items: rotation({ plan: sampleRotation, inWatch: false, approvedBeforehand: false }),
    result: 'rotated',
    type: 'rotateCredential',
  },
};
export type Mode = keyof typeof procedures;

/** What a run of a procedure is started with. */
export const inputFor = (mode: Mode, app: string): RunInput => {
  if (mode === 'staging-soak') return { app, requestedBy: 'Rita' };
  const chosen = mode === 'rotation' ? { credential: 'role' as const } : { mode };
  return { app, requestedBy: 'Rita', ...chosen, reason: 'the test wants it' };
};

/** How a run of a procedure is started. */
export const startOf = (mode: Mode, app: string): { input: RunInput; type: WorkflowType } => ({
  input: inputFor(mode, app),
  type: procedures[mode].type ?? 'productionCutover',
});

/** The steps of a procedure, in their order. */
export const stepsOfMode = (mode: Mode): StepId[] => stepIdsOf(procedures[mode].items);

/** The steps of a procedure before an item. */
export function stepsBefore(id: Item['id'], mode: Mode = 'cutover'): StepId[] {
  const { items } = procedures[mode];
  return stepIdsOf(
    items.slice(
      0,
      items.findIndex((item) => item.id === id),
    ),
  );
}

/** The steps that have changed the world when a procedure comes to an item. */
export function writesBefore(id: Item['id'], mode: Mode = 'cutover'): StepId[] {
  return stepsBefore(id, mode).filter((step) => steps[step].writes);
}
