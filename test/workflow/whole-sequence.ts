import { sequence, type Item } from '../../workflows/sop.ts';
import { steps, type StepId } from '../../workflows/steps.ts';
import { createFakeWorld, type FakeWorld } from './fake-activities.ts';
import { sampleEvidence, sampleFacts, samplePlan } from './sample-evidence.ts';

const facts = { ...sampleFacts, database: { ...sampleFacts.database, promote: 'sample-db' } };

/** A world in which every step has something to do. */
export function createFullWorld(): FakeWorld {
  return createFakeWorld({ evidence: { survey: { ...samplePlan('go'), facts } } });
}

/** The items of a run in that world. */
export const wholeSequence: Item[] = sequence({
  hasPullRequest: true,
  pullRequest: sampleEvidence['inspect-pull-request'],
  go: facts,
  rm11: sampleFacts,
});

export const stepsInOrder: StepId[] = wholeSequence.flatMap((item) => (item.kind === 'step' ? [item.id] : []));
export const gatesInOrder = wholeSequence.flatMap((item) => (item.kind === 'gate' ? [item.id] : []));

/** The steps that have changed the world when the run comes to an item. */
export function writesBefore(id: Item['id']): StepId[] {
  const index = wholeSequence.findIndex((item) => item.id === id);
  return wholeSequence
    .slice(0, index)
    .flatMap((item) => (item.kind === 'step' && steps[item.id].writes ? [item.id] : []));
}
