import { setTimeout as delay } from 'node:timers/promises';
import type { Intercept } from '../rehearsal/heroku/index.ts';
import type { StepId } from '../workflows/steps.ts';
import { isMoment, type Case, type Disturbance } from './case.ts';
import { findsWork } from './cases.ts';
import { gateOf } from './lists.ts';
import { sendNoise } from './noise.ts';
import { atGate, type Meddler } from './people.ts';
import type { Random } from './random.ts';
import type { Outage } from './recovery.ts';
import type { Run, Stage } from './stage.ts';
import { isDeathAt, type DiaryLine } from './workers/diary.ts';
import type { KillPoint } from './workers/killable-worker.ts';
import { pointOf } from './workers/kill-points.ts';
import type { MortalWorkers } from './workers/mortal-workers.ts';

/** Milliseconds for which the platform, or PostgreSQL, is away. */
const awayMs = 3_000;
const lookEveryMs = 25;

/** What a disturbance has at hand once everything is up. */
export interface Scene {
  readonly stage: Stage;
  readonly workers: MortalWorkers;
  readonly run: Run;
  readonly signal: AbortSignal;
}

/** How a case disturbs its run. */
export interface Disturbing {
  /** Where workers die by themselves. */
  readonly plan: readonly KillPoint[];
  readonly workersAtOnce: number;
  readonly ownTemporal: boolean;
  /** Answers in the place of the platform; told what the workers have written down so far. */
  readonly intercept: (diary: () => readonly DiaryLine[]) => Intercept;
  readonly meddle: (scene: () => Scene) => Meddler;
  /** What is done beside the run. */
  readonly beside: (scene: Scene) => Promise<void>;
  /** The services that were away, and are back. */
  outages(): readonly Outage[];
  /** Whether it took place: a disturbance that did not proves nothing. */
  happened(diary: readonly DiaryLine[]): boolean;
}

const nothing: Disturbing = {
  plan: [],
  workersAtOnce: 1,
  ownTemporal: false,
  intercept: () => () => Promise.resolve(),
  meddle: () => () => Promise.resolve(false),
  beside: () => Promise.resolve(),
  outages: () => [],
  happened: () => true,
};

const isUnderWay = (diary: readonly DiaryLine[], step: string): boolean => {
  const last = diary.at(-1);
  return last?.step === step && last.progress !== 'verified';
};
const hasBegun = (diary: readonly DiaryLine[], step: string): boolean => diary.some((line) => line.step === step);
const hasDiedIn =
  (step: string) =>
  (diary: readonly DiaryLine[]): boolean =>
    diary.some((line) => line.dies !== undefined && line.step === step);

/** Waits until the workers' diary says so, or the drill ends. */
async function until({ workers, signal }: Scene, right: (diary: readonly DiaryLine[]) => boolean): Promise<void> {
  while (!right(workers.diary())) await delay(lookEveryMs, undefined, { signal });
}

export function disturbing({ disturbance, step }: Case, random: Random): Disturbing {
  if (disturbance === 'none') return nothing;
  if (disturbance === 'messages') return messages(random);
  if (step === null) throw new Error(`${disturbance} wants a step`);
  return untilDone(inStep(step, disturbance), step);
}

/** Where a step is taken beside a gate, the gate is not answered before the step was disturbed. */
function untilDone(made: Disturbing, step: StepId): Disturbing {
  const gate = gateOf(step);
  if (gate === undefined) return made;
  const isOpen = atGate(gate);
  return {
    ...made,
    meddle: (scene) => {
      const meddle = made.meddle(scene);
      return async (status, run) => {
        const isHeld = isOpen(status) && !made.happened(scene().workers.diary());
        return isHeld || meddle(status, run);
      };
    },
  };
}

function inStep(step: StepId, disturbance: Exclude<Disturbance, 'none' | 'messages'>): Disturbing {
  if (isMoment(disturbance)) {
    const point = pointOf(step, disturbance);
    return { ...nothing, plan: [point], happened: (diary) => diary.some((line) => isDeathAt(line, point)) };
  }
  switch (disturbance) {
    case 'parked':
      return parked(step);
    case 'undoing':
      return undoing(pointOf(step, findsWork(step) ? 'before' : 'after'));
    case 'temporal-killed':
      return temporalKilled(step);
    case 'postgres-killed':
      return postgresKilled(step);
    case 'platform-away':
      return platformAway(step);
    case 'two-workers':
      return twoWorkers(pointOf(step, 'before'));
  }
}

/** The platform refuses whatever the step asks first, until its run waits for a person. */
function parked(step: string): Disturbing {
  let killed = false;
  let refused = false;
  return {
    ...nothing,
    intercept: (diary) => async () => {
      if (killed || !isUnderWay(diary(), step)) return undefined;
      refused = true;
      return { status: 422, body: { id: 'invalid_params', message: 'The drill refuses this.' } };
    },
    meddle: (scene) => (status) => {
      const isParked = status.stage === 'parked' || status.stage === 'seal-parked';
      if (!refused || killed || !isParked) return Promise.resolve(false);
      killed = true;
      scene().workers.kill(step);
      return Promise.resolve(true);
    },
    happened: (diary) => diary.some((line) => isDeathAt(line, { step, progress: 'parked' })),
  };
}

/** The kill switch is pulled while the worker is dead, and nobody knows how far the step had come. */
function undoing(point: KillPoint): Disturbing {
  const hasDied = hasDiedIn(point.step);
  let pulled = false;
  return {
    ...nothing,
    plan: [point],
    async beside(scene) {
      await until(scene, hasDied);
      await scene.run.signal('killSwitch', { by: 'Cy', reason: 'the worker is gone, and nobody knows how it stands' });
      pulled = true;
    },
    happened: (diary) => pulled && hasDied(diary) && hasBegun(diary, 'to-sqlite'),
  };
}

/** A service ends in a step as by a crash, and comes back. */
function serviceKilled(
  step: string,
  away: (stage: Stage) => { end(): Promise<void>; back(): Promise<void> },
): Disturbing {
  let done = false;
  const outages: Outage[] = [];
  return {
    ...nothing,
    async beside(scene) {
      await until(scene, (diary) => hasBegun(diary, step));
      const service = away(scene.stage);
      await service.end();
      // Before it is back: the run may come to its end while it still starts.
      done = true;
      await service.back();
      outages.push({ step, backAt: Date.now() });
    },
    outages: () => outages,
    happened: () => done,
  };
}

const temporalKilled = (step: string): Disturbing => ({
  ...serviceKilled(step, ({ temporal }) => {
    if (temporal === undefined) throw new Error('the case has no Temporal of its own');
    return { end: () => temporal.kill(), back: () => temporal.resume() };
  }),
  ownTemporal: true,
});

const postgresKilled = (step: string): Disturbing =>
  serviceKilled(step, ({ platform: { postgres } }) => ({
    end: () => postgres.halt(),
    // Not to be cut short: without it there is nothing to look at.
    back: () => delay(awayMs).then(() => postgres.resume()),
  }));

/** Away for everybody, from the step's first request on. */
function platformAway(step: string): Disturbing {
  let since: number | undefined;
  return {
    ...nothing,
    intercept: (diary) => async () => {
      if (since === undefined && isUnderWay(diary(), step)) since = Date.now();
      if (since === undefined || Date.now() - since > awayMs) return undefined;
      return { status: 503, body: { id: 'unavailable', message: 'The platform is away.' } };
    },
    outages: () => (since === undefined ? [] : [{ step, backAt: since + awayMs }]),
    happened: () => since !== undefined,
  };
}

/** The first one stands still when it is about to act, and goes on when another has begun the step anew. */
function twoWorkers({ step, progress }: KillPoint): Disturbing {
  let isAwake = false;
  return {
    ...nothing,
    workersAtOnce: 2,
    plan: [{ step, progress, by: 'SIGSTOP' }],
    async beside(scene) {
      await until(scene, hasDiedIn(step));
      const still = scene.workers.diary().find(({ dies }) => dies === 'SIGSTOP');
      if (still === undefined) return;
      await until(scene, (diary) =>
        diary.some((line) => line.at > still.at && line.pid !== still.pid && line.step === step),
      );
      process.kill(still.pid, 'SIGCONT');
      isAwake = true;
    },
    happened: () => isAwake,
  };
}

function messages(random: Random): Disturbing {
  const asked = new Set<string>();
  let sent = 0;
  return {
    ...nothing,
    meddle: () => async (status, run) => {
      const question = JSON.stringify([status.waitingFor?.message, status.waitingFor?.round]);
      if (status.waitingFor === null || asked.has(question)) return false;
      asked.add(question);
      sent += await sendNoise(run, status, random);
      return false;
    },
    happened: () => sent > 0,
  };
}

/** Several disturbances of one run, each of which takes place as if it were alone. */
export function together(all: readonly Disturbing[]): Disturbing {
  return {
    plan: all.flatMap(({ plan }) => plan),
    workersAtOnce: Math.max(...all.map(({ workersAtOnce }) => workersAtOnce)),
    ownTemporal: all.some(({ ownTemporal }) => ownTemporal),
    intercept: (diary) => {
      const intercepts = all.map(({ intercept }) => intercept(diary));
      return async (request) => {
        for (const intercept of intercepts) {
          const answer = await intercept(request);
          if (answer) return answer;
        }
        return undefined;
      };
    },
    meddle: (scene) => {
      const meddlers = all.map(({ meddle }) => meddle(scene));
      return async (status, run) => {
        for (const meddle of meddlers) if (await meddle(status, run)) return true;
        return false;
      };
    },
    async beside(scene) {
      await Promise.all(all.map(({ beside }) => beside(scene)));
    },
    outages: () => all.flatMap(({ outages }) => outages()),
    happened: (diary) => all.every(({ happened }) => happened(diary)),
  };
}
