import { again, backAndForth } from './rehearsal.ts';
import { sequence, when, type Item, type Known, type Phase } from './sop.ts';

const cutOver: readonly Phase[] = ['preflight', 'rm-10', 'rm-11'];

/**
 * The soak of a staging app: the items of its cutover up to RM-11; the way back and the cutover once more, so that both
 * are measured before they are needed; then the soak, and its certificate. Pure.
 *
 * @param rehearses whether the way back is rehearsed
 */
export function soakSequence(known: Known, rehearses: boolean): Item[] {
  const cutover = sequence(known).filter((item) => cutOver.includes(item.phase));
  return [
    ...cutover,
    ...when(rehearses, ...backAndForth(), ...again({ ...known, promoting: true })),
    { kind: 'step', id: 'survey-soak', phase: 'soak', planFor: 'soak' },
    {
      kind: 'soak',
      id: 'soak',
      phase: 'soak',
      title: 'Soak: nothing red and nothing missed, for as long as the target says',
    },
    // Whatever has changed since the survey was not soaked: then the clock begins anew.
    { kind: 'step', id: 'confirm-soak', phase: 'soak', confirms: 'soak' },
    { kind: 'step', id: 'certify', phase: 'soak', needs: ['certificate'] },
  ];
}
