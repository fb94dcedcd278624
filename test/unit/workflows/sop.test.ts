import { describe, expect, test } from '@jest/globals';
import { planGates, type Facts, type PullRequestFacts } from '../../../workflows/facts.ts';
import { rotationStepIds } from '../../../workflows/rotation-sequence.ts';
import { soakSequence } from '../../../workflows/soak-sequence.ts';
import {
  gateBefore,
  sequence,
  stepIdsOf,
  stepsOfGate,
  type Item,
  type Known,
  type Phase,
} from '../../../workflows/sop.ts';
import { steps, stepIds, type StepId } from '../../../workflows/steps.ts';
import { wayBackSteps } from '../../../workflows/way-back.ts';
import { sampleFacts } from '../../workflow/sample-evidence.ts';

const pull: PullRequestFacts = {
  number: 1,
  repository: 'owner/name',
  title: 'Grants',
  base: 'main',
  merged: false,
  revisionFiles: [],
};

/** What each fact may be, and in which order a run learns them: at first nothing but whether there is a pull request. */
const pulls: Record<string, { hasPullRequest: boolean; pullRequest?: PullRequestFacts }> = {
  'no pull request': { hasPullRequest: false },
  'a pull request without a revision': { hasPullRequest: true, pullRequest: pull },
  'a pull request with a revision': {
    hasPullRequest: true,
    pullRequest: { ...pull, revisionFiles: ['versions/0003.py'] },
  },
};
const goFacts: Record<string, Facts> = {
  'an empty database': sampleFacts,
  'nothing pending': { ...sampleFacts, migrations: { ...sampleFacts.migrations, current: '0002', pending: [] } },
  'a database to promote': { ...sampleFacts, database: { ...sampleFacts.database, promote: 'it is empty' } },
  'a revision that names the role': { ...sampleFacts, migrations: { ...sampleFacts.migrations, namingRole: ['0002'] } },
  'all of that': {
    ...sampleFacts,
    database: { ...sampleFacts.database, promote: 'it is empty' },
    migrations: { ...sampleFacts.migrations, namingRole: ['0002'] },
  },
};
const rm11Facts: Record<string, Facts> = {
  'the flag not set': sampleFacts,
  'the flag set': { ...sampleFacts, role: { ...sampleFacts.role, flag: true } },
};

const hasFollowUps = true;

/** Every course that a run can take: what it knows at each stage of learning. */
const courses = Object.entries(pulls).flatMap(([pullName, { hasPullRequest, pullRequest }]) =>
  Object.entries(goFacts).flatMap(([goName, go]) =>
    Object.entries(rm11Facts).map(([rm11Name, rm11]) => ({
      name: `${pullName}, ${goName}, ${rm11Name}`,
      learnt: [
        { hasFollowUps, hasPullRequest },
        { hasFollowUps, hasPullRequest, pullRequest },
        { hasFollowUps, hasPullRequest, pullRequest, go },
        { hasFollowUps, hasPullRequest, pullRequest, go, rm11 },
      ] as Known[],
      whole: sequence({ hasFollowUps, hasPullRequest, pullRequest, go, rm11 }),
    })),
  ),
);

const phases: Phase[] = ['preflight', 'rm-10', 'rm-11', 'watch', 'seal'];
const idsOf = (items: readonly Item[]): string[] => items.map((item) => item.id);

describe.each(courses)('$name', ({ learnt, whole }) => {
  const ids = idsOf(whole);
  const at = (id: string): number => ids.indexOf(id);

  test('each item stands once', () => {
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('the phases follow each other', () => {
    const order = whole.map((item) => phases.indexOf(item.phase));
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  test('what was done is never taken back or moved by what is learnt later', () => {
    // The item whose evidence is learnt next; everything up to it has been done by then.
    const learntBy: StepId[] = ['inspect-pull-request', 'survey', 'survey-rm-11'];
    learnt.slice(0, -1).forEach((known, index) => {
      const earlier = idsOf(sequence(known));
      const later = idsOf(sequence(learnt[index + 1] as Known));
      const done = earlier.indexOf(learntBy[index] as string) + 1;
      expect(later.slice(0, done)).toEqual(earlier.slice(0, done));
    });
  });

  test('nothing is written before go is approved, and no role is used before rm-11 is', () => {
    const firstWrite = whole.findIndex((item) => item.kind === 'step' && steps[item.id].writes);
    expect(firstWrite).toBe(at('confirm') + 1);
    for (const id of ['bind-url', 'grants', 'flag']) expect(at(id)).toBeGreaterThan(at('rm-11'));
  });

  test('a gate shows a plan that was surveyed for it just before, and the target is looked at again behind it', () => {
    for (const gate of planGates) {
      const { survey, confirm } = stepsOfGate[gate];
      expect(whole[at(gate) - 1]).toMatchObject({ kind: 'step', id: survey, planFor: gate });
      expect(whole[at(gate) + 1]).toMatchObject({ kind: 'step', id: confirm, confirms: gate });
    }
  });

  test('each write rests on the plan of the last gate before it', () => {
    expect(gateBefore(whole, 'upgrade')).toBe('go');
    expect(gateBefore(whole, 'grants')).toBe('rm-11');
    expect(gateBefore(whole, 'seal')).toBe('launch');
    expect(gateBefore(whole, 'survey')).toBeUndefined();
  });

  test('the seal comes last, once a backup is proven; what follows may fail and holds nothing up', () => {
    expect(ids.slice(-3)).toEqual(['check-backup', 'seal', 'open-follow-ups']);
    expect(whole.slice(-2)).toMatchObject([{ seals: true }, { onFailure: 'report' }]);
  });

  test('the order of the page that it replaces is kept', () => {
    const page = [
      'config-check',
      'survey',
      'go',
      'confirm',
      'promote',
      'upgrade',
      'verify-schema',
      'restart',
      'smoke',
      'survey-rm-11',
      'rm-11',
      'confirm-rm-11',
      'bind-url',
      'grants',
      'flag',
      'restart-rm-11',
      'smoke-rm-11',
      'verify-sessions',
      'survey-launch',
      'launch',
      'confirm-launch',
      'check-backup',
      'seal',
      'open-follow-ups',
    ];
    const present = page.filter((id) => ids.includes(id));
    expect(ids.filter((id) => page.includes(id))).toEqual(present);
    expect(page.filter((id) => !ids.includes(id) && id !== 'promote')).toEqual([]);
    expect(at('credential')).toBeLessThan(at('bind-url'));
  });

  test('the role is there before the revision that names it, and otherwise not before rm-11', () => {
    const named = (learnt[2]?.go?.migrations.namingRole.length ?? 0) > 0;
    if (named) expect(at('credential')).toBeLessThan(at('upgrade'));
    else expect(at('credential')).toBeGreaterThan(at('rm-11'));
    expect(at('credential')).toBeGreaterThan(at('go'));
  });

  test('the database is promoted exactly where the plan says so', () => {
    expect(ids.includes('promote')).toBe(typeof learnt[2]?.go?.database.promote === 'string');
  });

  test('dynos are made anew where the schema or the role has changed under them', () => {
    const restart = whole[at('restart')] as Item & { kind: 'step' };
    const second = whole[at('restart-rm-11')] as Item & { kind: 'step' };
    expect(restart.freshDynos).toBe((learnt[2]?.go?.migrations.pending.length ?? 0) > 0);
    expect(second.freshDynos).toBe(learnt[3]?.rm11?.role.flag === false);
  });
});

describe('an upgrade that has been done', () => {
  const known: Known = { hasFollowUps, hasPullRequest: false, go: goFacts['nothing pending'] };
  const restartOf = (more: Partial<Known>) => sequence({ ...known, ...more }).find((item) => item.id === 'restart');

  // A plan that is made again behind it shows nothing pending, and the dynos run on the old schema all the same.
  test('decides whether the dynos are made anew, whatever a later plan shows', () => {
    expect(restartOf({})).toMatchObject({ freshDynos: false });
    expect(restartOf({ migrated: true })).toMatchObject({ freshDynos: true });
    expect(restartOf({ migrated: false, go: sampleFacts })).toMatchObject({ freshDynos: false });
  });
});

describe('the pull request', () => {
  const idsWith = (known: Omit<Known, 'go' | 'rm11' | 'hasFollowUps'>): string[] =>
    idsOf(sequence({ ...known, hasFollowUps, go: sampleFacts, rm11: sampleFacts }));

  test('without one there is nothing to inspect or to wait for', () => {
    expect(idsWith({ hasPullRequest: false }).filter((id) => id.includes('pull-request'))).toEqual([]);
  });

  test('before it was read, nothing after it is promised', () => {
    expect(idsOf(sequence({ hasFollowUps, hasPullRequest: true }))).toEqual(['config-check', 'inspect-pull-request']);
  });

  test('with a revision it is waited for before the survey, so that one upgrade applies it', () => {
    const ids = idsWith(pulls['a pull request with a revision'] as Known);
    expect(ids.slice(0, 5)).toEqual(['config-check', 'inspect-pull-request', 'await-pull-request', 'survey', 'go']);
  });

  test('without a revision it is waited for after the smoke suite and before RM-11 is planned', () => {
    const ids = idsWith(pulls['a pull request without a revision'] as Known);
    const waits = ids.indexOf('await-pull-request');
    expect(ids.slice(waits - 1, waits + 3)).toEqual(['smoke', 'await-pull-request', 'survey-rm-11', 'rm-11']);
  });
});

test('a target without follow-ups has nothing to open', () => {
  const ids = idsOf(sequence({ hasFollowUps: false, hasPullRequest: false, go: sampleFacts, rm11: sampleFacts }));
  expect(ids.at(-1)).toBe('seal');
});

test('between them the courses, the ways back, the watch and the soak have every step of the list', () => {
  const met = new Set<StepId>(courses.flatMap(({ whole }) => idsOf(whole)) as StepId[]);
  const soak = soakSequence({ hasFollowUps, hasPullRequest: false, go: sampleFacts, rm11: sampleFacts }, true);
  const others = [...wayBackSteps, ...rotationStepIds, ...stepIdsOf(soak), 'watch-sample', 'soak-sample'] as StepId[];
  for (const id of others) met.add(id);
  expect(stepIds.filter((id) => !met.has(id))).toEqual([]);
});
