import { currentScope, pause } from '../scope.ts';
import { ServiceError } from './errors.ts';

export interface RateLimitOptions {
  /** With fewer requests left than this, the rest are sent as slowly as the service gives them back. */
  readonly reserve: number;
  /** Milliseconds in which the service gives one request back. */
  readonly refillMs: number;
  /** Milliseconds to wait after a refusal that does not say how long; doubled at each further one. */
  readonly firstPauseMs?: number;
}

/**
 * Keeps a client within what its service allows. The limit is the account's, so there is one of these for a client, and
 * with it for all runs of a worker: when one is refused, all wait, and none of their attempts is used up by it.
 */
export interface RateLimit {
  /**
   * Sends a request when it may be sent, and once more for as long as it is refused: what was refused had no effect.
   *
   * @throws ServiceError the last refusal, when the activity's time is over; whatever `request` throws otherwise
   */
  send<T>(request: () => Promise<T>): Promise<T>;
  /** @param remaining what an answer says is left, where it does */
  learn(remaining: number | undefined): void;
}

const longestPauseMs = 30_000;

export function createRateLimit({ reserve, refillMs, firstPauseMs = 1_000 }: RateLimitOptions): RateLimit {
  let pausedUntil = 0;
  let refusals = 0;
  let lastRefusal: ServiceError | undefined;
  let scarce = false;
  let lastTurn = 0;

  const until = async (at: () => number): Promise<void> => {
    for (let wait = at() - Date.now(); wait > 0; wait = at() - Date.now()) await pause(wait);
  };

  /** Waits until a request may be sent; those that wait go one after the other, never all at once. */
  const turn = async (): Promise<void> => {
    do {
      await until(() => pausedUntil);
      if (!scarce) return;
      lastTurn = Math.max(Date.now(), lastTurn + refillMs);
      const mine = lastTurn;
      await until(() => mine);
    } while (Date.now() < pausedUntil);
  };

  const refused = (refusal: ServiceError): void => {
    // Requests that were under way side by side are refused together, and count as one refusal.
    if (Date.now() >= pausedUntil) refusals += 1;
    const wait = refusal.retryAfterMs ?? Math.min(firstPauseMs * 2 ** (refusals - 1), longestPauseMs);
    pausedUntil = Math.max(pausedUntil, Date.now() + wait);
    scarce = true;
    lastRefusal = refusal;
  };

  return {
    async send(request) {
      for (let refusal: ServiceError | undefined; ;) {
        try {
          await turn();
          const answer = await request();
          refusals = 0;
          return answer;
        } catch (error) {
          if (currentScope().signal.aborted)
            throw refusal ?? (Date.now() < pausedUntil ? lastRefusal : undefined) ?? error;
          if (!(error instanceof ServiceError && error.isRateLimit)) throw error;
          refused((refusal = error));
        }
      }
    },
    learn(remaining) {
      scarce = remaining !== undefined && remaining < reserve;
    },
  };
}
