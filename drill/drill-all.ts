import { setMaxListeners } from 'node:events';
import { controlOf, shared, type Case } from './case.ts';
import { allCases } from './cases.ts';
import { comparedWith, judge, triedAgain, type Verdict } from './invariants.ts';
import { perform } from './perform.ts';
import { recoveriesOf } from './recovery.ts';
import type { Result } from './results.ts';
import type { Seen } from './seen.ts';
import type { Place } from './stage.ts';
import type { Drilled } from './starts.ts';

export interface Drilling {
  readonly cases: readonly Case[];
  readonly seed: number;
  /** How many runs at once. */
  readonly abreast: number;
  /** How many cases share a run at most. */
  readonly share: number;
  readonly place: Place;
  /** Told each result as it comes. */
  readonly told: (result: Result, done: number, all: number) => void;
}

/**
 * Drills cases, some at once. Those with which others are compared come first, whether or not they were asked for.
 *
 * @throws the reason of the place's signal
 */
export async function drillAll({ cases, seed, abreast, share, place, told }: Drilling): Promise<Result[]> {
  // Every run that is under way listens to it.
  setMaxListeners(0, place.signal);
  const controls = new Map<Drilled, Promise<Seen>>();
  const wanted = withControls(cases);
  const results: Result[] = [];

  const judged = async (group: Group): Promise<Judged> => {
    const [one] = group;
    const began = performance.now();
    const seconds = (): number => (performance.now() - began) / 1000;
    try {
      const performing = perform(group, seed, place);
      if (one.disturbance === 'none') {
        performing.catch(() => undefined);
        controls.set(one.procedure, performing);
      }
      const seen = await performing;
      const took = seconds();
      const control = await controls.get(comparedWith(one));
      if (control === undefined) throw new Error(`there was no ${controlOf(comparedWith(one))} to compare it with`);
      return {
        ...judge(seen, control),
        recoveries: recoveriesOf(seen.diary, seen.outages),
        triedAgain: triedAgain(seen),
        seconds: took,
      };
    } catch (error) {
      place.signal.throwIfAborted();
      return { ...failed(error), recoveries: [], triedAgain: [], seconds: seconds() };
    }
  };
  const ahead = shared(wanted, share);
  const lane = async (): Promise<void> => {
    for (let group = ahead.shift(); group !== undefined; group = ahead.shift()) {
      const result = await judged(group as Group);
      for (const one of group) {
        const isOf = (step: string): boolean => group.length === 1 || step === one.step;
        const recoveries = result.recoveries.filter(({ step }) => isOf(step));
        results.push({ ...result, case: one, recoveries, triedAgain: result.triedAgain.filter(isOf).length });
        told(results.at(-1) as Result, results.length, wanted.length);
      }
    }
  };
  await Promise.all(Array.from({ length: abreast }, lane));
  return results;
}

type Group = [Case, ...Case[]];

/** What there is to say of a run, whichever of its cases it is of. */
interface Judged extends Pick<Result, keyof Verdict | 'recoveries' | 'seconds'> {
  /** Steps. */
  readonly triedAgain: readonly string[];
}

function withControls(cases: readonly Case[]): Case[] {
  const ids = new Set(cases.map((one) => controlOf(comparedWith(one))));
  const controls = allCases().filter(({ id }) => ids.has(id));
  return [...controls, ...cases.filter(({ disturbance }) => disturbance !== 'none')];
}

function failed(error: unknown): Verdict {
  const text = error instanceof Error ? error.message : String(error);
  return { duplicates: [], lost: [], problems: [`it came to no end: ${text}`] };
}
