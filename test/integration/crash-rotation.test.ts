import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { rotationStepIds } from '../../workflows/rotation-sequence.ts';
import type { RotatedCredential } from '../../workflows/rotation-plan.ts';
import type { StepId } from '../../workflows/steps.ts';
import type { Status } from '../../workflows/view.ts';
import { createRig, playPeople, type Rig } from './cutover-rig.ts';
import { moments, planOf, type Moment } from '../../drill/workers/kill-points.ts';
import type { DiaryLine } from '../../drill/workers/diary.ts';
import { startMortalWorkers } from '../../drill/workers/mortal-workers.ts';
import { cutOver, rotationsAsked, startRotation } from './rotating.ts';
import { withoutPullRequest } from './run-control.ts';
import { itemOf } from './steering.ts';
import { configVars, opens } from './world.ts';

// The worker dies in every step of a rotation, in each of the moments: of the owner, of the role that is attached, and of
// one whose URL is a copy.

interface Case {
  readonly credential: RotatedCredential;
  readonly name: string;
  readonly bindBy: 'attachment' | 'config-var';
  readonly variable: string;
}
const cases: Record<string, Case> = {
  owner: { credential: 'owner', name: 'default', bindBy: 'attachment', variable: 'DATABASE_URL' },
  role: { credential: 'role', name: 'raptor_app', bindBy: 'attachment', variable: 'RAPTOR_APP_DATABASE_URL' },
  copy: { credential: 'role', name: 'raptor_app', bindBy: 'config-var', variable: 'RAPTOR_APP_DATABASE_URL' },
};

/** Steps whose act may find nothing left to do, and why. Every other step dies where the plan says. */
const mayHaveNothingToDo: Partial<Record<StepId, string>> = {
  'restart-rotated': 'the release of the new URL restarts the dynos too',
};

interface Crashed {
  readonly rig: Rig;
  readonly app: RehearsedApp;
  readonly status: Status;
  readonly deaths: readonly DiaryLine[];
  readonly before: Readonly<Record<string, string>>;
}

async function crash({ credential, bindBy }: Case, moment: Moment): Promise<Crashed> {
  const rig = await createRig({ heroku: { settings: { rotationMs: 3_000 } } });
  const app = await rig.add(raptor, {
    target: (target) => {
      withoutPullRequest(target);
      (target['role'] as Record<string, unknown>)['bindBy'] = bindBy;
    },
  });
  const forward = rig.startWorker();
  await cutOver(rig, app);
  await forward.stop();
  const before = await configVars(rig, app);
  const workers = await startMortalWorkers(rig, planOf(rotationStepIds, moment));
  try {
    const status = await playPeople(rig, await startRotation(rig, app, credential), app);
    return { rig, app, status, deaths: workers.deaths(), before };
  } finally {
    await workers.stop();
  }
}

const names = Object.keys(moments) as Moment[];
const crashes = new Map<string, Crashed>();
afterAll(async () => {
  for (const { rig } of crashes.values()) await rig.close();
});

describe.each(Object.entries(cases))('%s', (name, one) => {
  const { name: asked, variable } = one;
  // Most of it is spent waiting for the server to notice a death, so the moments go side by side.
  beforeAll(async () => {
    await Promise.all(names.map(async (moment) => crashes.set(`${name} ${moment}`, await crash(one, moment))));
  }, 600_000);

  test.each(names)('a worker killed %s the act of every step: rotated once, and the app works', async (moment) => {
    const { rig, app, status, deaths, before } = crashes.get(`${name} ${moment}`) as Crashed;
    const died = deaths.map(({ step }) => step);
    expect(died).toEqual(rotationStepIds.filter((step) => died.includes(step) || !(step in mayHaveNothingToDo)));

    expect(status.items.filter((item) => item.failure)).toEqual([]);
    expect(status.outcome).toMatchObject({ result: 'rotated' });
    expect(rotationsAsked(rig, asked)).toBe(1);
    // Whoever died behind the act took the old password along, but where a copy still holds it.
    const { oldPassword } = itemOf(status, 'rotate-credential')?.evidence as { oldPassword: string };
    const isLost = moment === 'after' || (moment === 'during' && name !== 'copy');
    expect(oldPassword).toBe(isLost ? 'replaced' : 'refused');

    const after = await configVars(rig, app);
    expect([await opens(before[variable] ?? ''), await opens(after[variable] ?? '')]).toEqual([false, true]);
    expect(await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app)).toMatchObject({ ok: true });
  });
});
