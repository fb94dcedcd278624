import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { scenarios } from '../../rehearsal/scenarios.ts';
import type { Facts } from '../../workflows/facts.ts';
import { sequence, stepIdsOf } from '../../workflows/sop.ts';
import type { StepId } from '../../workflows/steps.ts';
import type { Status } from '../../workflows/view.ts';
import { sampleEvidence, sampleFacts } from '../workflow/sample-evidence.ts';
import { moments, planOf, type Moment } from '../../drill/workers/kill-points.ts';
import type { DiaryLine } from '../../drill/workers/diary.ts';
import { startMortalWorkers } from '../../drill/workers/mortal-workers.ts';
import { expectEachEffectOnce } from './cutover-effects.ts';
import { createRig, playPeople, type Rig } from './cutover-rig.ts';

/** A state of production in which no step of the sequence is left out, and whose revision names the role. */
const scenario = scenarios['from-essential-0'];
const go: Facts = {
  ...sampleFacts,
  database: { ...sampleFacts.database, promote: 'DATABASE is on Essential-0' },
  migrations: { ...sampleFacts.migrations, namingRole: ['0003_audit_grants'] },
};

/** Every step of that sequence, so that a step that is added is killed too. */
const stepsOfTheList = stepIdsOf(
  sequence({
    hasFollowUps: true,
    hasPullRequest: true,
    pullRequest: sampleEvidence['inspect-pull-request'],
    go,
    rm11: sampleFacts,
  }),
);

/** Steps whose act may find nothing left to do, and why. Every other step dies where the plan says. */
const mayBeDoneByThePlatform: Partial<Record<StepId, string>> = {
  'restart-rm-11':
    "the release of the flag restarts the dynos too; where that comes after the step's begin, they are fresh",
};

interface Crashed {
  readonly rig: Rig;
  readonly app: RehearsedApp;
  readonly status: Status;
  readonly deaths: readonly DiaryLine[];
}

async function crash(moment: Moment): Promise<Crashed> {
  const rig = await createRig();
  const app = await rig.add(raptor, scenario.options);
  const workers = await startMortalWorkers(rig, planOf(stepsOfTheList, moment));
  try {
    const status = await playPeople(rig, await rig.start(app), app);
    return { rig, app, status, deaths: workers.deaths() };
  } finally {
    await workers.stop();
  }
}

// Most of the time is spent waiting for the server to notice a death, so the three go side by side.
const names = Object.keys(moments) as Moment[];
const crashes = new Map<string, Crashed>();
beforeAll(async () => {
  await Promise.all(names.map(async (moment) => crashes.set(moment, await crash(moment))));
}, 900_000);
afterAll(async () => {
  for (const { rig } of crashes.values()) await rig.close();
});

describe.each(names)('a worker killed %s the act of every step', (moment) => {
  const crashed = (): Crashed => crashes.get(moment) as Crashed;

  test('it died once in each step', () => {
    const { deaths } = crashed();
    const died = deaths.map((death) => death.step);
    expect(died).toEqual(stepsOfTheList.filter((step) => died.includes(step) || !(step in mayBeDoneByThePlatform)));
  });

  test('the run completed, and the app serves as the role', async () => {
    const { rig, app, status } = crashed();
    expect(status.outcome).toMatchObject({ result: 'completed' });
    expect(await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app)).toMatchObject({ ok: true });
  });

  test('each effect happened once', async () => {
    const { rig, app } = crashed();
    await expectEachEffectOnce(rig, app);
  });
});
