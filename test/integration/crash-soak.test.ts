import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { judgeSoak } from '../../rehearsal/soak.ts';
import { soakSequence } from '../../workflows/soak-sequence.ts';
import { stepIdsOf } from '../../workflows/sop.ts';
import type { StepId } from '../../workflows/steps.ts';
import type { Status } from '../../workflows/view.ts';
import { sampleEvidence, sampleFacts } from '../workflow/sample-evidence.ts';
import { playPeople } from './cutover-rig.ts';
import { planOf } from '../../drill/workers/kill-points.ts';
import type { DiaryLine } from '../../drill/workers/diary.ts';
import { startMortalWorkers } from '../../drill/workers/mortal-workers.ts';
import { createSoakRig, type SoakRig } from './soak-rig.ts';

/** Every step that a soak has besides the cutover's, whose deaths are crash.test.ts's: one that is added is killed too. */
const ofTheSoak: StepId[] = [
  ...stepIdsOf(
    soakSequence(
      {
        hasFollowUps: false,
        hasPullRequest: true,
        pullRequest: sampleEvidence['inspect-pull-request'],
        go: sampleFacts,
        rm11: sampleFacts,
      },
      true,
    ).filter(({ phase }) => phase === 'rehearsal' || phase === 'soak'),
  ),
  'soak-sample',
];

/** Steps whose act may find nothing left to do, and why. Every other step dies where the plan says. */
const mayHaveNothingToDo: Partial<Record<StepId, string>> = {
  'settle-dynos-rehearsal': 'no dyno of the runbook is left running',
  'restart-unbound-rehearsal': 'the release that takes the URL away restarts the dynos too',
  'upgrade-again': 'the schema stays where the way back leaves the database',
  'restart-rm-11-again': 'the release of the flag restarts the dynos too',
};

let soak: SoakRig;
let status: Status;
let deaths: readonly DiaryLine[];

beforeAll(async () => {
  soak = await createSoakRig({ for: '7s' });
  const workers = await startMortalWorkers(soak.rig, planOf(ofTheSoak, 'during'));
  try {
    status = await playPeople(soak.rig, await soak.start(), soak.staging);
    deaths = workers.deaths();
  } finally {
    await workers.stop();
  }
}, 900_000);
afterAll(() => soak.close());

describe('a worker that dies by SIGKILL in every step of a soak', () => {
  test('dies in each of them, once', () => {
    const died = deaths.map(({ step }) => step);
    expect(new Set(died).size).toBe(died.length);
    expect(ofTheSoak.filter((step) => !died.includes(step) && !(step in mayHaveNothingToDo))).toEqual([]);
  });

  test('leaves a soak that ends with its certificate, and an app that serves as the role', async () => {
    expect(judgeSoak(status)).toBeNull();
    expect(status.soak?.cleanMs).toBeGreaterThanOrEqual(7_000);
    const { staging, rig } = soak;
    expect(await lookFromOutside(rig.platform.heroku.webUrl(staging.herokuApp), staging)).toMatchObject({ ok: true });
  });
});
