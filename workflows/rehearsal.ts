import { isPerformedAgain, isRehearsed, type AgainId, type RehearsalId } from './rehearsal-steps.ts';
import { sequence, type Item, type Known, type Need, type StepItem } from './sop.ts';
import { asPlanned, killSwitch } from './way-back.ts';

/** In a rehearsal there is no run that was asked for the way back, so its steps are met with what the rehearsal saw. */
const needsOf: Partial<Record<Need, Need>> = { formation: 'rehearsedFormation', killedAt: 'rehearsedKillAt' };

/**
 * The kill switch, as a part of a run that goes on: the same steps under ids of their own, since a real one may follow.
 * None is given up or refuses the run: whatever fails is a finding, and people decide about it.
 */
export function backAndForth(): Item[] {
  return killSwitch(asPlanned).flatMap((item): StepItem[] => {
    if (item.kind !== 'step' || !isRehearsed(item.id)) return [];
    const id: RehearsalId = `${item.id}-rehearsal`;
    const needs = item.needs?.map((need) => needsOf[need] ?? need);
    return [{ kind: 'step', id, phase: 'rehearsal', ...(needs ? { needs } : {}) }];
  });
}

/** The cutover once more behind it, without its questions: what people have approved is still what is to be. */
export function again(known: Known): Item[] {
  return sequence(known).flatMap((item): StepItem[] => {
    if (item.kind !== 'step' || !isPerformedAgain(item.id)) return [];
    const id: AgainId = `${item.id}-again`;
    return [{ ...item, id, phase: 'rehearsal' }];
  });
}
