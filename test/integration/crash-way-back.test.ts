import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { lookFromOutside, type Serving } from '../../rehearsal/outside.ts';
import { stepIdsOf } from '../../workflows/sop.ts';
import type { StepId } from '../../workflows/steps.ts';
import type { Status } from '../../workflows/view.ts';
import { asPlanned, killSwitch, undoRm11 } from '../../workflows/way-back.ts';
import { createRig, writesOf, type CutoverHandle, type Rig } from './cutover-rig.ts';
import { pullKillSwitch, startToLaunch, startWayBack } from './going-back.ts';
import { moments, planOf, type Moment } from '../../drill/workers/kill-points.ts';
import type { DiaryLine } from '../../drill/workers/diary.ts';
import { startMortalWorkers } from '../../drill/workers/mortal-workers.ts';
import { configVars } from './world.ts';

interface WayBack {
  readonly steps: readonly StepId[];
  /** Sets out from the run of an app that was cut over, and answers the run that goes back. */
  readonly setOut: (rig: Rig, first: CutoverHandle, app: RehearsedApp) => Promise<CutoverHandle>;
  readonly result: string;
  readonly serves: Serving;
  /** How often each kind of write is made. */
  readonly writes: Readonly<Record<string, number>>;
}

const waysBack: Record<string, WayBack> = {
  'kill-switch': {
    steps: stepIdsOf(killSwitch(asPlanned)),
    setOut: async (_, first) => {
      await pullKillSwitch(first);
      return first;
    },
    result: 'rolled-back',
    serves: 'sqlite',
    writes: {
      'maintenance on and off': 2,
      'another attachment': 1,
      'attachments taken away': 2,
      'config vars': 1,
      'credential destroyed': 1,
    },
  },
  // By a run of its own, which knows nothing of the first one.
  'undo-rm-11': {
    steps: stepIdsOf(undoRm11(asPlanned)),
    setOut: (rig, _, app) => startWayBack(rig, app, { mode: 'undo-rm-11', reason: 'the role lacks a privilege' }),
    result: 'undone',
    serves: 'owner',
    writes: {
      'maintenance on and off': 0,
      'another attachment': 0,
      'attachments taken away': 1,
      'config vars': 1,
      'credential destroyed': 1,
    },
  },
};
const patterns: Record<string, RegExp> = {
  'maintenance on and off': /^PATCH \/apps\/[^/]+$/,
  'another attachment': /^POST \/addon-attachments$/,
  'attachments taken away': /^DELETE \/addon-attachments\//,
  'config vars': /^PATCH .*\/config-vars$/,
  'credential destroyed': /^DELETE .*\/credentials\//,
};

/** Steps whose act may find nothing left to do, and why. Every other step dies where the plan says. */
const mayHaveNothingToDo: Partial<Record<StepId, string>> = {
  'settle-dynos': 'no one-off dyno of the runbook is left running',
  'restart-undo': 'the release without the flag restarts the dynos too',
  'restart-unbound': "the release without the role's URL restarts the dynos too",
};

interface Crashed {
  readonly rig: Rig;
  readonly app: RehearsedApp;
  readonly status: Status;
  readonly deaths: readonly DiaryLine[];
  readonly writes: Readonly<Record<string, number>>;
}

/** How often each kind of write was made, beyond what was counted before. */
function countWrites({ platform }: Rig, before: Readonly<Record<string, number>> = {}): Record<string, number> {
  const writes = writesOf(platform);
  const counts = Object.entries(patterns).map(([what, pattern]) => {
    const count = writes.filter((write) => pattern.test(write)).length;
    return [what, count - (before[what] ?? 0)] as const;
  });
  return Object.fromEntries(counts);
}

async function crash(wayBack: WayBack, moment: Moment): Promise<Crashed> {
  const rig = await createRig();
  const app = await rig.add(raptor);
  const forward = rig.startWorker();
  const first = await startToLaunch(rig, app);
  await forward.stop();

  const before = countWrites(rig);
  const workers = await startMortalWorkers(rig, planOf(wayBack.steps, moment));
  try {
    const status = await (await wayBack.setOut(rig, first, app)).result();
    return { rig, app, status, deaths: workers.deaths(), writes: countWrites(rig, before) };
  } finally {
    await workers.stop();
  }
}

// Most of the time is spent waiting for the server to notice a death, so all of them go side by side.
const names = Object.keys(moments) as Moment[];
const crashes = new Map<string, Crashed>();
beforeAll(async () => {
  const all = Object.keys(waysBack).flatMap((name) => names.map((moment) => [name, moment] as const));
  await Promise.all(
    all.map(async ([name, moment]) => {
      crashes.set(`${name} ${moment}`, await crash(waysBack[name] as WayBack, moment));
    }),
  );
}, 900_000);
afterAll(async () => {
  for (const { rig } of crashes.values()) await rig.close();
});

describe.each(Object.entries(waysBack))('%s', (name, wayBack) => {
  test.each(names)(
    'a worker killed %s the act of every step: once in each, and it comes to its end',
    async (moment) => {
      const { rig, app, status, deaths, writes } = crashes.get(`${name} ${moment}`) as Crashed;
      const died = deaths.map((death) => death.step);
      expect(died).toEqual(wayBack.steps.filter((step) => died.includes(step) || !(step in mayHaveNothingToDo)));

      expect(status.outcome).toMatchObject({ result: wayBack.result });
      expect(status.items.filter((item) => item.failure)).toEqual([]);
      const url = rig.platform.heroku.webUrl(app.herokuApp);
      expect(await lookFromOutside(url, app, wayBack.serves)).toMatchObject({ ok: true });
      expect(Object.keys(await configVars(rig, app)).filter((name) => name.includes('RAPTOR_APP'))).toEqual([]);

      expect(writes).toEqual(wayBack.writes);
    },
  );
});
