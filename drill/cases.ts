import { ownStep } from '../workflows/rehearsal-steps.ts';
import type { StepItem } from '../workflows/sop.ts';
import { steps, type StepId } from '../workflows/steps.ts';
import { controlOf, type Case, type Disturbance } from './case.ts';
import { gateOf, stepsOf } from './lists.ts';
import { drilled, type Drilled } from './starts.ts';

/** How often messages are sent in another random order, to what asks questions. */
const messageRounds: Partial<Record<Drilled, number>> = {
  cutover: 6,
  'staging-soak': 1,
  'rotation-owner': 2,
  'rotation-role': 2,
};

const writes = ({ id }: StepItem): boolean => steps[id].writes;

/** Whether a person decides about the step when the platform refuses it; else the run ends, or goes on without it. */
const parks = ({ id, phase, refuses, onFailure }: StepItem): boolean =>
  phase !== 'preflight' && refuses !== true && onFailure !== 'report' && gateOf(id) === undefined;

/** Whether the kill switch may be pulled in the step: something was written, and nothing is sealed. */
const mayGoBack = ({ phase }: StepItem): boolean => phase === 'rm-10' || phase === 'rm-11' || phase === 'watch';

/** Which steps each disturbance is tried in. */
const triedIn: Record<Exclude<Disturbance, 'none' | 'messages'>, (item: StepItem) => boolean> = {
  before: () => true,
  // A step that only looks has no such moment but its beginning.
  during: writes,
  after: () => true,
  parked: parks,
  undoing: mayGoBack,
  'temporal-killed': writes,
  'postgres-killed': writes,
  'platform-away': writes,
  'two-workers': writes,
};

/** Why a step cannot be disturbed so, where its list would have it. */
const exceptions: Partial<Record<StepId, Partial<Record<Disturbance, string>>>> = {
  'settle-dynos': noWork('no one-off dyno of the runbook is left running'),
  'restart-rm-11': noWork(
    "the release of the flag restarts the dynos too, and may have done so when the step's probe looks",
  ),
  'restart-undo': noWork('the release without the flag restarts the dynos too'),
  'restart-unbound': noWork("the release without the role's URL restarts the dynos too"),
  'restart-rotated': noWork('the release of the new URL restarts the dynos too'),
  'upgrade-again': noWork('the schema stays where the way back leaves the database'),
  certify: { parked: 'it asks nothing of the platform' },
};

/** A step that often finds nothing to do comes to no act in which it could be disturbed. */
function noWork(why: string): Partial<Record<Disturbance, string>> {
  return { before: why, during: why, 'two-workers': why };
}

/** Why a step cannot be disturbed so: what holds of a step holds where a soak rehearses it, too. */
const exceptionOf = (id: StepId, disturbance: Disturbance): string | undefined =>
  exceptions[id]?.[disturbance] ?? exceptions[ownStep(id)]?.[disturbance];

/** Whether a step comes to its act in every run. */
export const findsWork = (id: StepId): boolean => exceptionOf(id, 'before') === undefined;

/** Every case of what is drilled, its undisturbed run first. */
function casesOf(procedure: Drilled): Case[] {
  const items = stepsOf(procedure);
  const disturbed = items.flatMap((item) =>
    (Object.keys(triedIn) as (keyof typeof triedIn)[])
      .filter((disturbance) => triedIn[disturbance](item) && exceptionOf(item.id, disturbance) === undefined)
      .filter((disturbance) => disturbance !== 'undoing' || procedure === 'cutover')
      .map((disturbance) => ({
        id: `${procedure}/${item.id}/${disturbance}`,
        ...{ procedure, disturbance, step: item.id },
      })),
  );
  return [
    { id: controlOf(procedure), procedure, disturbance: 'none', step: null },
    ...disturbed,
    ...messageCases(procedure),
  ];
}

function messageCases(procedure: Drilled): Case[] {
  return Array.from({ length: messageRounds[procedure] ?? 0 }, (_, index) => ({
    id: `${procedure}/messages/${index + 1}`,
    ...{ procedure, disturbance: 'messages' as const, step: null, round: index + 1 },
  }));
}

/** Every case that there is. */
export function allCases(): Case[] {
  return drilled.flatMap(casesOf);
}
