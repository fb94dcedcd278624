import type { Measurement, Place } from '../measurement.ts';
import type { Figure } from '../results.ts';
import { median } from '../statistics.ts';
import { engines, type Engine, type OpenEngine } from './engines.ts';

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

export const engineCost: Measurement = {
  title: "The engine's cost of steps that do nothing",
  async measure(place) {
    const costs: EngineCost[] = [];
    for (const engine of engines) costs.push(await costOfEngine(place, engine));
    const [first] = costs;
    return {
      figures: [
        ...(first === undefined ? [] : costs.slice(1).flatMap((one) => ratiosOf(first, one))),
        ...costs.flatMap(figuresOf),
      ],
      notes: [
        "One worker process with production's options, one process that asks. A step is an activity that does nothing; what is " +
          'measured is what it takes to keep that it was done.',
      ],
    };
  },
};

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
