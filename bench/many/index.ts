import { findTemporalCli } from '../../rehearsal/temporal.ts';
import type { Measurement } from '../measurement.ts';
import type { Figure } from '../results.ts';
import { median } from '../statistics.ts';
import { measureTogether, type Together } from './together.ts';
import { measureWaiting, type Waiting } from './waiting.ts';

/** Memory is flat when fifty times the runs want no more than this times the memory. */
const flat = 1.25;

export const many: Measurement = {
  title: 'Many runs at once',
  async measure(place) {
    const { quick, signal, report } = place;
    const cli = await findTemporalCli(report, { signal });
    const waiting = await measureWaiting(place, quick ? [10, 50, 100] : [10, 100, 1_000, 5_000], cli);
    const size = quick ? 50 : 1_000;
    const unlimited = await measureTogether(place, size, cli, false);
    const limited = await measureTogether(place, size, cli, true);
    return {
      figures: [...memoryFigures(waiting), ...togetherFigures(unlimited, limited)],
      comparisons: [
        {
          title: 'Runs that wait at a gate, on one worker',
          columns: ['runs', "the worker's memory, MiB", 'one wakes, ms', 'runs brought there a second'],
          rows: waiting.map(({ runs, rss, wake, perSecond }) => [
            String(runs),
            (rss / 2 ** 20).toFixed(0),
            median(wake).toFixed(0),
            perSecond.toFixed(1),
          ]),
        },
      ],
      notes: [
        'Resident memory as it is found: garbage that the JavaScript engine has not collected yet is part of it.',
        "Real workflow code and production's worker options, in a process of its own; activities that do nothing.",
        'For RM-10 each of them makes two requests, by the client of production, to the stand-in for Heroku. Its limit is ' +
          "Heroku's with time a hundred times as fast: 4,500 requests at once, and 7,500 a minute given back.",
      ],
    };
  },
};

function memoryFigures(waiting: readonly Waiting[]): Figure[] {
  const most = waiting.at(-1);
  const compared = waiting.findLast(({ runs }) => runs <= 100 && runs < (most?.runs ?? 0)) ?? waiting[0];
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
    {
      what: `one of ${most.runs} wakes`,
      value: median(most.wake),
      unit: 'ms',
      of: most.wake.length,
      range: [Math.min(...most.wake), Math.max(...most.wake)],
      grows: 'with the history of the run, which is replayed; not with the number of runs',
    },
  ];
}

function togetherFigures(unlimited: Together, limited: Together): Figure[] {
  const { runs } = limited;
  return [
    {
      what: `${runs} runs finish RM-10, on a platform without a limit`,
      value: unlimited.seconds,
      unit: 's',
      grows: "with the runs, as fast as Temporal's server and the worker get on",
    },
    {
      what: `${runs} runs finish RM-10, within the platform's limit`,
      value: limited.seconds,
      unit: 's',
      grows: `with their requests: ${limited.requests} here, and the limit alone wants ${limited.least.toFixed(0)} s for them`,
    },
    {
      what: `requests of ${limited.requests} that the platform refused`,
      value: limited.refused,
      unit: 'requests',
      grows: 'not: all runs of a worker share one limiter',
    },
  ];
}
