import { allowance as ofProduction } from '../../activities/clients/heroku.ts';
import type { RateLimitOptions } from '../../activities/clients/rate-limit.ts';

/** What the stand-in for Heroku allows. */
export interface Limit {
  /** Requests that may be made at once. */
  readonly atOnce: number;
  /** Requests that it gives back a minute. */
  readonly perMinute: number;
}

/** Runs that went through RM-10 side by side. */
export interface Round {
  readonly runs: number;
  /** From the first approval until the last run has done with RM-10. */
  readonly seconds: number;
  readonly requests: number;
  /** Of the requests, those that the platform refused because there were too many. */
  readonly refused: number;
  /** The fewest requests that the platform said were left. */
  readonly fewestLeft: number;
}

/** With fewer requests left, production's client sends the rest as slowly as they come back. */
export const { reserve } = ofProduction;

/**
 * A limit that is sure to be what bounds the same round once more: a tenth of its requests may be made at once, and the
 * others come back half as fast as they were made.
 *
 * @param round one that no limit held up
 */
export function limitFor({ requests, seconds }: Pick<Round, 'requests' | 'seconds'>): Limit {
  return { atOnce: reserve + Math.ceil(requests / 10), perMinute: Math.ceil((requests / seconds / 2) * 60) };
}

/** What production's client is to know of a limit. */
export function allowanceFor({ perMinute }: Limit): RateLimitOptions {
  return { reserve, refillMs: 60_000 / perMinute };
}

/** The seconds that a limit alone takes for the requests of a round, where it is used to the last one. */
export function leastSeconds({ atOnce, perMinute }: Limit, { requests, refused }: Round): number {
  return Math.max(0, ((requests - refused - atOnce) / perMinute) * 60);
}

/**
 * Refuses a round that says nothing about the limit.
 *
 * @throws Error where the client had no reason to hold back
 */
export function checkReached({ fewestLeft }: Pick<Round, 'fewestLeft'>): void {
  if (fewestLeft >= reserve)
    throw new Error(
      `the limit was not reached: ${fewestLeft} requests were left at least, and the client holds back below ${reserve}`,
    );
}
