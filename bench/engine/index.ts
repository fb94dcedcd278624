import { dbos } from '../dbos/engine.ts';
import type { Measurement, Place } from '../measurement.ts';
import type { Figure } from '../results.ts';
import { median } from '../statistics.ts';
import type { Engine, OpenEngine } from './engine.ts';
import { temporalEngine } from './temporal.ts';
import { devServer } from './temporal-servers.ts';

/** As many steps as the cutover has that change something. */
const stepsOfRun = 13;

interface EngineCost {
  readonly name: string;
  /** Milliseconds of one more step in a run that has the engine to itself, one of each for each run that was measured. */
  readonly step: readonly number[];
  /** Seconds until that many runs had ended that were started at once. */
  readonly runs: number;
  readonly seconds: number;
}

/**
 * The engines side by side.
 *
 * @param engines the first one is what the others are compared with
 */
function compare(title: string, engines: readonly Engine[], notes: readonly string[]): Measurement {
  return {
    title,
    async measure(place) {
      const costs: EngineCost[] = [];
      for (const engine of engines) costs.push(await costOfEngine(place, engine));
      const [first] = costs;
      const ratios = first === undefined ? [] : costs.slice(1).flatMap((one) => ratiosOf(first, one));
      return { figures: [...ratios, ...costs.flatMap(figuresOf)], notes: [...notes] };
    },
  };
}

/** Each server on which the runbook may run: one that is kept in PostgreSQL goes behind the dev server. */
export const engineCost = compare(
  "The engine's cost of steps that do nothing",
  [temporalEngine(devServer)],
  [
    "One worker process with production's options, one process that asks. A step is an activity that does nothing; what is " +
      'measured is what it takes to keep that it was done.',
  ],
);

/** Both anew, one behind the other. */
export const dbosCost = compare(
  'The same steps on DBOS Transact',
  [temporalEngine(devServer), dbos],
  [
    'DBOS keeps each step by a row in PostgreSQL (here one of its own, with its durable defaults), written by the process ' +
      'that performs it. It is a library: no server schedules, no task waits for a worker, and nothing crosses a ' +
      'process. The dev server keeps its state in memory here.',
  ],
);

async function costOfEngine(place: Place, { name, open }: Engine): Promise<EngineCost> {
  const { quick, signal, report } = place;
  report(`${name}: starting`);
  const engine = await open(place);
  const steps = quick ? 20 : 100;
  const step: number[] = [];
  await perform(engine, 'warm', 5);
  for (let round = 1; round <= (quick ? 2 : 5); round += 1) {
    signal.throwIfAborted();
    report(`${name}: ${steps} steps, one after the other (round ${round})`);
    const short = await perform(engine, `short-${round}`, 1);
    const long = await perform(engine, `long-${round}`, 1 + steps);
    step.push((long - short) / steps);
  }
  const runs = quick ? 25 : 500;
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

function figuresOf({ name, step, runs, seconds }: EngineCost): Figure[] {
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

function ratiosOf(first: EngineCost, other: EngineCost): Figure[] {
  return [
    { what: `one step: ${first.name} ÷ ${other.name}`, value: median(first.step) / median(other.step), unit: '×' },
    {
      what: `${first.runs} runs of ${stepsOfRun} steps: ${first.name} ÷ ${other.name}`,
      value: first.seconds / other.seconds,
      unit: '×',
    },
  ];
}
