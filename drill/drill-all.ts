import type { Procedure } from '../workflows/state.ts';
import { controlOf, type Case } from './case.ts';
import { allCases } from './cases.ts';
import { comparedWith, judge, type Verdict } from './invariants.ts';
import { perform } from './perform.ts';
import { recoveriesOf } from './recovery.ts';
import type { Result } from './results.ts';
import type { Seen } from './seen.ts';
import type { Place } from './stage.ts';

export interface Drilling {
  readonly cases: readonly Case[];
  readonly seed: number;
  /** How many cases at once. */
  readonly abreast: number;
  readonly place: Place;
  /** Told each result as it comes. */
  readonly told: (result: Result, done: number, all: number) => void;
}

/**
 * Drills cases, some at once. Those with which others are compared come first, whether or not they were asked for.
 *
 * @throws the reason of the place's signal
 */
export async function drillAll({ cases, seed, abreast, place, told }: Drilling): Promise<Result[]> {
  const controls = new Map<Procedure, Promise<Seen>>();
  const wanted = withControls(cases);
  const results: Result[] = [];
  const ahead = [...wanted];

  const drillOne = async (one: Case): Promise<void> => {
    const began = performance.now();
    const seconds = (): number => (performance.now() - began) / 1000;
    let result: Result;
    try {
      const performing = perform(one, seed, place);
      if (one.disturbance === 'none') {
        performing.catch(() => undefined);
        controls.set(one.procedure, performing);
      }
      const seen = await performing;
      const took = seconds();
      const control = await controls.get(comparedWith(one));
      if (control === undefined) throw new Error(`there was no ${controlOf(comparedWith(one))} to compare it with`);
      result = { case: one, ...judge(seen, control), recoveries: recoveriesOf(seen.diary), seconds: took };
    } catch (error) {
      place.signal.throwIfAborted();
      result = { case: one, ...failed(error), recoveries: [], seconds: seconds() };
    }
    results.push(result);
    told(result, results.length, wanted.length);
  };
  const lane = async (): Promise<void> => {
    for (let one = ahead.shift(); one !== undefined; one = ahead.shift()) await drillOne(one);
  };
  await Promise.all(Array.from({ length: abreast }, lane));
  return results;
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
