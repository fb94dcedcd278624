import { jest } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { atBoundary, type ProgressListener } from '../../../activities/boundary.ts';
import type { ActivityScope, Progress } from '../../../activities/scope.ts';
import { Secrets } from '../../../activities/secrets.ts';

export interface ActivityOptions {
  /** 2 and more: an earlier attempt was interrupted or failed. */
  readonly attempt?: number;
  /** Milliseconds. */
  readonly startToCloseTimeoutMs?: number;
  readonly args?: readonly unknown[];
}

export interface RunningActivity<T> {
  readonly result: Promise<T>;
  /** How far it came, in order. */
  readonly progress: Progress[];
  readonly heartbeats: unknown[];
  cancel(): void;
}

const say = (): void => undefined;
export const silent = { log: say, trace: say, debug: say, info: say, warn: say, error: say };

/** Runs `work` as an activity, inside the boundary that a worker puts around it. */
export function beginActivity<T>(
  work: () => Promise<T>,
  { attempt = 1, startToCloseTimeoutMs = 600_000, args = [] }: ActivityOptions = {},
): RunningActivity<T> {
  const info = { attempt, startToCloseTimeoutMs, activityType: 'testedActivity' };
  const environment = new MockActivityEnvironment(info, { logger: silent });
  const progress: Progress[] = [];
  const heartbeats: unknown[] = [];
  environment.on('heartbeat', (details) => heartbeats.push(details));
  const result = environment.run<[], T, () => Promise<T>>(async () => {
    const listener: ProgressListener = (_, next) => progress.push(next);
    const boundary = atBoundary(environment.context, args, { listener }, work);
    return (await boundary) as T;
  });
  return { result, progress, heartbeats, cancel: () => environment.cancel() };
}

/** Runs `work` as an activity to its end. */
export function inActivity<T>(work: () => Promise<T>, options?: ActivityOptions): Promise<T> {
  const { result } = beginActivity(work, options);
  return quick ? quickly(result) : result;
}

/** The scope of an activity that nothing ends and that may write, with what a test wants otherwise. */
export function scopeWith(wanted: Partial<ActivityScope>): ActivityScope {
  const signal = new AbortController().signal;
  const report = (): void => undefined;
  return { signal, secrets: new Secrets(), report, proveLease: () => Promise.resolve(), ...wanted };
}

let quick = false;

/** Replaces timers and clock, so that a test waits for nothing. */
export function useQuickTime(): void {
  quick = true;
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'performance'] });
}

export function useOwnTime(): void {
  quick = false;
  jest.useRealTimers();
}

/** Lets waits of minutes pass at once. What is not a wait takes the time that it takes. */
export async function quickly<T>(work: Promise<T>): Promise<T> {
  let settled = false;
  const watched = work.finally(() => (settled = true));
  watched.catch(() => undefined);
  while (!settled) await jest.advanceTimersByTimeAsync(1_000);
  return watched;
}
