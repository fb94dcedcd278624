import { findTemporalCli } from '../../rehearsal/temporal.ts';
import type { Measurement } from '../measurement.ts';
import type { Figure } from '../results.ts';
import { checkReached, leastSeconds, limitFor, reserve, type Limit, type Round } from './limit.ts';
import { performRound } from './round.ts';

export const together: Measurement = {
  title: 'Many runs at RM-10 at once',
  async measure(place) {
    const { quick, signal, report } = place;
    const cli = await findTemporalCli(report, { signal });
    const runs = quick ? 50 : 1_000;
    const unlimited = await performRound(place, runs, cli);
    const limit = limitFor(unlimited);
    const limited = await performRound(place, runs, cli, limit);
    checkReached(limited);
    return { figures: figuresOf(unlimited, limited, limit), notes: notesOn(limit) };
  },
};

function notesOn({ atOnce, perMinute }: Limit): string[] {
  const counted = (count: number): string => count.toLocaleString('en-GB');
  return [
    "Real workflow code and production's worker options; activities that do nothing but make two requests each, by the " +
      'client of production, to the stand-in for Heroku.',
    'The limit is made of the round without one, so that nothing else bounds the other: a tenth of its requests may be ' +
      `made at once, with the ${reserve} that are left to people ${counted(atOnce)}, and half of what it made a minute is ` +
      `given back, ${counted(perMinute)}. On Heroku it is 4,500 and 75.`,
  ];
}

/** What two rounds say, the second of which was held up by a limit. */
export function figuresOf(unlimited: Round, limited: Round, limit: Limit): Figure[] {
  const { runs, requests } = limited;
  const least = leastSeconds(limit, limited);
  return [
    {
      what: `${runs} runs finish RM-10 within the limit ÷ the least time that the limit alone allows`,
      value: limited.seconds / least,
      unit: '×',
      grows: `nearer to 1 with the requests: what is left to people, ${reserve} of them, then weighs less`,
    },
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
      grows: `with their requests, as slowly as those come back: for ${requests} the limit alone wants ${least.toFixed(0)} s`,
    },
    {
      what: `requests left at least, of ${limit.atOnce}`,
      value: limited.fewestLeft,
      unit: 'requests',
      grows: `not with the runs: with fewer than ${reserve} left, the rest are sent as slowly as they come back`,
    },
    {
      what: `requests of ${requests} that the platform refused`,
      value: limited.refused,
      unit: 'requests',
      grows:
        'not with the runs, which share one limiter; promised is only that what is refused is sent again, and fails no step',
    },
  ];
}
