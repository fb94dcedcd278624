import { AsyncLocalStorage } from 'node:async_hooks';
import { Secrets } from './secrets.ts';

/**
 * How far an activity has come. `begun`: nothing was looked at yet. `acting`: the probe found work to do and the act is
 * about to begin. `underway`: a service has taken a write and the act is not over. `acted`: the act is over and its
 * effect is being verified. `verified`: the result is about to be reported.
 */
export type Progress = 'begun' | 'acting' | 'underway' | 'acted' | 'verified';

/** What belongs to one activity execution and ends with it. */
export interface ActivityScope {
  /** Aborted on cancellation, and a little before the attempt's own time is over. */
  readonly signal: AbortSignal;
  /** What was learnt and must not leave. */
  readonly secrets: Secrets;
  readonly report: (progress: Progress) => void;
  /** Throws where a write is not this activity's to make any more; asked before each. */
  readonly proveLease: () => Promise<void>;
}

const storage = new AsyncLocalStorage<ActivityScope>();
const outside: ActivityScope = {
  signal: new AbortController().signal,
  secrets: new Secrets(),
  report: () => undefined,
  proveLease: () => Promise.resolve(),
};

/** Runs an activity inside its own scope; clients below find its signal and register its secrets without being told. */
export function withScope<T>(scope: ActivityScope, work: () => Promise<T>): Promise<T> {
  return storage.run(scope, work);
}

/** The scope of the running activity; outside one, a scope that never ends and remembers nothing of use. */
export function currentScope(): ActivityScope {
  return storage.getStore() ?? outside;
}

/**
 * Waits, unless the activity is cancelled or out of time.
 *
 * @param ms milliseconds
 * @throws the reason of the scope's signal
 */
export function pause(ms: number): Promise<void> {
  const { signal } = currentScope();
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/**
 * Looks again and again until it sees what is wanted, or the time is over.
 *
 * @param ms milliseconds
 * @returns what was seen last
 */
export async function lookUntil<T>(look: () => Promise<T>, isRight: (seen: T) => boolean, ms: number): Promise<T> {
  const deadline = Date.now() + ms;
  let seen = await look();
  while (!isRight(seen) && Date.now() < deadline) {
    await pause(500);
    seen = await look();
  }
  return seen;
}

/**
 * Does something that must not take longer than it may. Not by `AbortSignal.any` and `AbortSignal.timeout`: Node 20
 * collects a timeout that nothing but the combined signal refers to, and then it never fires [ran: 20.20].
 *
 * @param ms milliseconds
 * @param work given a signal that is aborted with the activity's own, or when the time is over
 */
export async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal } = currentScope();
  const controller = new AbortController();
  const stop = (): void => controller.abort(signal.reason);
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${ms / 1000} s`)), ms);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
