import { findTemporalCli } from '../../rehearsal/temporal.ts';
import type { Measurement } from '../measurement.ts';
import type { Comparison, Figure } from '../results.ts';
import { median } from '../statistics.ts';
import { measureWaiting, type Waiting } from './waiting.ts';

/** Memory is flat when fifty times the runs want no more than this times the memory. */
const flat = 1.25;

export const many: Measurement = {
  title: 'Many runs that wait',
  async measure(place) {
    const { quick, signal, report } = place;
    const cli = await findTemporalCli(report, { signal });
    const waiting = await measureWaiting(place, quick ? [10, 100, 150] : [10, 100, 1_000, 5_000], cli);
    return {
      figures: figuresOf(waiting),
      comparisons: [comparisonOf(waiting)],
      notes: [
        'Resident memory as it is found: garbage that the JavaScript engine has not collected yet is part of it.',
        'Those that wake are those that were touched longest ago. Where not all are in memory, they are replayed first: ' +
          'those times are not to be compared with the times of runs in memory.',
        "Real workflow code and production's worker options, in a process of its own; activities that do nothing.",
      ],
    };
  },
};

export function comparisonOf(waiting: readonly Waiting[]): Comparison {
  return {
    title: 'Runs that wait at a gate, on one worker',
    columns: [
      'runs',
      'of them in memory',
      "the worker's memory, MiB",
      'one wakes, ms',
      'it is replayed',
      'runs brought there a second',
    ],
    rows: waiting.map((one) => [
      String(one.runs),
      String(one.inMemory),
      (one.rss / 2 ** 20).toFixed(0),
      median(one.wake).toFixed(0),
      isReplayed(one) ? 'yes' : 'no',
      one.perSecond.toFixed(1),
    ]),
  };
}

/** Whether those that woke had been let go of: they are those that were touched longest ago. */
function isReplayed({ runs, inMemory }: Waiting): boolean {
  return inMemory < runs;
}

/** @throws Error where fewer than two numbers of runs were measured */
export function figuresOf(waiting: readonly Waiting[]): Figure[] {
  const most = waiting.at(-1);
  const compared = waiting.findLast(({ runs }) => runs <= 100 && runs < (most?.runs ?? 0));
  if (most === undefined || compared === undefined) throw new Error('nothing was measured');
  return [
    {
      what: `memory of a worker with ${most.runs} runs that wait ÷ with ${compared.runs}`,
      value: most.rss / compared.rss,
      unit: '×',
      atMost: flat,
      grows: 'not with the runs that wait: only with those that the worker keeps in memory',
    },
    {
      what: `memory of a worker with ${most.runs} runs that wait`,
      value: most.rss / 2 ** 20,
      unit: 'MiB',
      grows: 'with the runs that the worker keeps in memory, and no further',
    },
    ...wakeFigures(waiting),
  ];
}

/** Of the largest numbers of runs with which one is in memory, and with which one is replayed. */
function wakeFigures(waiting: readonly Waiting[]): Figure[] {
  const figure = (one: Waiting | undefined, how: string, grows: string): Figure[] =>
    one === undefined
      ? []
      : [
          {
            what: `one of ${one.runs} wakes, ${how}`,
            value: median(one.wake),
            unit: 'ms',
            of: one.wake.length,
            range: [Math.min(...one.wake), Math.max(...one.wake)],
            grows,
          },
        ];
  return [
    ...figure(
      waiting.findLast((one) => !isReplayed(one)),
      'in memory',
      'with the hops behind an approval; not with the number of runs',
    ),
    ...figure(
      waiting.findLast(isReplayed),
      'replayed',
      'with the history of the run, which is replayed; not with the number of runs',
    ),
  ];
}
