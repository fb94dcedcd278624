import { describe, expect, test } from '@jest/globals';
import { isPerformedAgain, isRehearsed, ownStep, rehearsalSteps } from '../../../workflows/rehearsal-steps.ts';
import { soakSequence } from '../../../workflows/soak-sequence.ts';
import { gateBefore, sequence, stepIdsOf, type Known } from '../../../workflows/sop.ts';
import { steps, type StepId } from '../../../workflows/steps.ts';
import { asPlanned, killSwitch } from '../../../workflows/way-back.ts';
import { sampleFacts } from '../../workflow/sample-evidence.ts';

const known: Known = { hasFollowUps: true, hasPullRequest: false, go: sampleFacts, rm11: sampleFacts };
const idsOf = (rehearses: boolean) => soakSequence(known, rehearses).map((item) => item.id);

describe('the sequence of a soak', () => {
  test('is the cutover up to the end of RM-11, then the soak and its certificate', () => {
    const cutover = sequence(known).map((item) => item.id);
    const upToRm11 = cutover.slice(0, cutover.indexOf('survey-launch'));
    expect(idsOf(false)).toEqual([...upToRm11, 'survey-soak', 'soak', 'confirm-soak', 'certify']);
    expect(gateBefore(soakSequence(known, true), 'confirm-soak')).toBe('soak');
  });

  test('rehearses every step of the kill switch, in its order, and what brings the app back from there', () => {
    const ids = idsOf(true).filter((id) => Object.hasOwn(rehearsalSteps, id));
    const back = stepIdsOf(killSwitch(asPlanned)).map((id) => `${id}-rehearsal`);
    const promoting = { ...known, promoting: true };
    const forth = stepIdsOf(sequence(promoting).filter(({ phase }) => phase === 'rm-10' || phase === 'rm-11'))
      .filter((id) => !/^(survey|confirm)/.test(id))
      .map((id) => `${id}-again`);
    expect(ids).toEqual([...back, ...forth]);
    // A step that joins either list joins the rehearsal: this fails until it does.
    expect(ids).toHaveLength(Object.keys(rehearsalSteps).length);
  });

  test('no step of the rehearsal is given up, refuses the run, or is a forward write with a plan of its own', () => {
    for (const item of soakSequence(known, true)) {
      if (item.kind !== 'step' || item.phase !== 'rehearsal') continue;
      expect(item).not.toHaveProperty('refuses');
      expect(item).not.toHaveProperty('onFailure');
      expect(item).not.toHaveProperty('tolerates');
    }
  });

  test('a rehearsed step is the same step under another id', () => {
    for (const id of Object.keys(rehearsalSteps) as (keyof typeof rehearsalSteps)[]) {
      const own: StepId = ownStep(id);
      expect(isRehearsed(own) || isPerformedAgain(own)).toBe(true);
      expect({ ...steps[id], title: '' }).toEqual({ ...steps[own], title: '' });
      expect(steps[id].title).not.toBe(steps[own].title);
    }
  });

  test('never asks the two gates again, and never seals', () => {
    const ids = idsOf(true);
    for (const gate of ['go', 'rm-11']) expect(ids.filter((id) => id === gate)).toHaveLength(1);
    expect(ids).not.toContain('launch');
    expect(ids).not.toContain('seal');
  });
});
