import type { Place } from '../measurement.ts';
import type { Figure } from '../results.ts';
import { median } from '../statistics.ts';
import type { Engine, OpenEngine } from './engine.ts';

/** As many steps as the cutover has that change something. */
const stepsOfRun = 13;

/** How much of it is measured. */
export interface Extent {
  readonly rounds: number;
  /** Of each round, one after the other. */
  readonly steps: number;
  /** That are started at once. */
  readonly runs: number;
}

export interface EngineCost {
  readonly name: string;
  /** Milliseconds of one more step in a run that has the engine to itself, one of each for each run that was measured. */
  readonly step: readonly number[];
  /** Seconds until that many runs had ended that were started at once. */
  readonly runs: number;
  readonly seconds: number;
}

/** What an engine's steps cost that do nothing. */
export async function costOfEngine(place: Place, { name, open }: Engine, extent: Extent): Promise<EngineCost> {
  const { signal, report } = place;
  const { rounds, steps, runs } = extent;
  report(`${name}: starting`);
  const engine = await open(place);
  const step: number[] = [];
  await perform(engine, 'warm', 5);
  for (let round = 1; round <= rounds; round += 1) {
    signal.throwIfAborted();
    report(`${name}: ${steps} steps, one after the other (round ${round})`);
    const short = await perform(engine, `short-${round}`, 1);
    const long = await perform(engine, `long-${round}`, 1 + steps);
    step.push((long - short) / steps);
  }
  report(`${name}: ${runs} runs of ${stepsOfRun} steps`);
  const began = performance.now();
  await Promise.all(Array.from({ length: runs }, (_, index) => perform(engine, `crowd-${index}`, stepsOfRun)));
  const seconds = (performance.now() - began) / 1000;
  await engine.stop();
  return { name, step, runs, seconds };
}

/** @returns milliseconds */
async function perform(engine: OpenEngine, id: string, steps: number): Promise<number> {
  const began = performance.now();
  await engine.perform(`nothing-${id}`, steps);
  return performance.now() - began;
}

export function costFigures({ name, step, runs, seconds }: EngineCost): Figure[] {
  return [
    {
      what: `${name}: one step`,
      value: median(step),
      unit: 'ms',
      of: step.length,
      range: [Math.min(...step), Math.max(...step)],
      grows: 'not with the steps before it, while the run stays in memory',
    },
    {
      what: `${name}: ${runs} runs of ${stepsOfRun} steps`,
      value: seconds,
      unit: 's',
      grows: `with the steps: ${((runs * stepsOfRun) / seconds).toFixed(0)} of them a second`,
    },
  ];
}

/** How many times as long one takes as the other, for one step and for many runs. */
export function ratiosOf(one: EngineCost, other: EngineCost): Figure[] {
  return [
    {
      what: `one step: ${one.name} ÷ ${other.name}`,
      value: median(one.step) / median(other.step),
      unit: '×',
      grows: 'not with the steps; nearer to 1 with what the steps themselves take, which both have to wait for',
    },
    {
      what: `${one.runs} runs of ${stepsOfRun} steps: ${one.name} ÷ ${other.name}`,
      value: one.seconds / other.seconds,
      unit: '×',
      grows: 'with neither runs nor steps, once there are enough to keep both busy',
    },
  ];
}
