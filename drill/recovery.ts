import type { DiaryLine } from './workers/diary.ts';

export interface Recovery {
  readonly step: string;
  readonly ms: number;
}

/**
 * Milliseconds from each death of a worker until another one had a step further, or began it anew. A worker whose run waited
 * for people is not counted: what comes next is theirs.
 */
export function recoveriesOf(diary: readonly DiaryLine[]): Recovery[] {
  return diary.flatMap((death, index) => {
    if (death.dies === undefined || death.progress === 'parked') return [];
    const next = diary.slice(index + 1).find(({ pid }) => pid !== death.pid);
    return next === undefined ? [] : [{ step: death.step, ms: next.at - death.at }];
  });
}
