import type { DiaryLine } from './workers/diary.ts';

export interface Recovery {
  readonly step: string;
  readonly ms: number;
}

/** A service that was away in a step. */
export interface Outage {
  readonly step: string;
  /** When it was back, in milliseconds since 1970. */
  readonly backAt: number;
}

/**
 * Milliseconds from each death of a worker until another one had a step further, or began it anew; and from the moment at which a
 * service was back until the next progress of any. A worker whose run waited for people is not counted: what comes next is
 * theirs.
 */
export function recoveriesOf(diary: readonly DiaryLine[], outages: readonly Outage[]): Recovery[] {
  const ofDeaths = diary.flatMap((death, index) => {
    if (death.dies === undefined || death.progress === 'parked') return [];
    const next = diary.slice(index + 1).find(({ pid }) => pid !== death.pid);
    return next === undefined ? [] : [{ step: death.step, ms: next.at - death.at }];
  });
  const ofOutages = outages.flatMap(({ step, backAt }) => {
    const next = diary.find(({ at }) => at > backAt);
    return next === undefined ? [] : [{ step, ms: next.at - backAt }];
  });
  return [...ofDeaths, ...ofOutages];
}
