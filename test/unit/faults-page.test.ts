import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ownStep } from '../../workflows/rehearsal-steps.ts';
import { stepIds, steps, type StepId } from '../../workflows/steps.ts';

// Which activity meets which faults. The page is written by the matrices themselves, so a step stands there that was seen.

type StepActivity = (typeof steps)[StepId]['activity'];

const page = readFileSync('docs/faults.md', 'utf8');

/** The steps that a section of the page names in its table, by the section's heading. */
const sections = new Map(
  page
    .split(/\n## /)
    .slice(1)
    .map((section): [string, string[]] => {
      const cells = section
        .split('\n')
        .filter((line) => line.startsWith('| '))
        .map((line) => line.split(' | ')[1] ?? '');
      return [
        section.split('\n')[0] ?? '',
        [...cells.join().matchAll(/`([a-z0-9-]+)`/g)].map((match) => match[1] ?? ''),
      ];
    }),
);

/** The sections whose matrix has a step of an activity. */
function metBy(activity: StepActivity): string[] {
  const own = new Set<string>(stepIds.filter((id) => steps[id].activity === activity));
  return [...sections]
    .filter(([, named]) => named.some((id) => own.has(id)))
    .map(([heading]) => heading)
    .sort();
}

/** Activities that no matrix has yet, and what they are. */
const inNoMatrix: Partial<Record<StepActivity, string>> = {
  awaitPullRequest: 'asks again and again what inspectPullRequest asks, which has rows',
  certifySoak: 'asks no service; a disk and a key that fail are in test/unit/activities/soak.test.ts',
  sampleWatch: 'the same look as sampleSoak, which has rows',
  unsetFlag: 'the same shape as setFlag, which has rows, with the opposite goal',
  verifyOwnerSessions: 'the same look as verifySessions, which has rows',
};
const activities = [...new Set(stepIds.map((id) => steps[id].activity))];

test('each activity of a step is in a matrix, or it is said why not', () => {
  const unmet = activities.filter((activity) => metBy(activity).length === 0);
  expect(unmet.sort()).toEqual(Object.keys(inNoMatrix).sort());
});

test('what a table names is a step', () => {
  expect([...sections.values()].flat().filter((id) => !(id in steps))).toEqual([]);
  expect(sections.size).toBeGreaterThan(8);
});

test('the steps of a rotation and of a soak are in the matrices of what they do', () => {
  expect(metBy('rotateCredential')).toEqual([
    'A platform that takes its time over a rotation',
    'A write of a rotation',
    'Any request of a rotation or a soak',
    'PostgreSQL in a rotation or a soak',
  ]);
  expect(metBy('verifyRotated')).toEqual(['Any request of a rotation or a soak', 'PostgreSQL in a rotation or a soak']);
  expect(metBy('sampleSoak')).toEqual(['Any request of a rotation or a soak', 'PostgreSQL in a rotation or a soak']);
});

test('a step that a soak takes over again is the same activity as the step itself, so the matrices need no row for it', () => {
  const again = stepIds.filter((id) => ownStep(id) !== id);
  expect(again.length).toBeGreaterThan(20);
  expect(again.filter((id) => steps[id].activity !== steps[ownStep(id)].activity)).toEqual([]);
});
