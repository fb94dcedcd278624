import { CancellationScope, condition, log } from '@temporalio/workflow';
import type { Notice } from './notice.ts';
import { tellPeople } from './proxies.ts';

/** What people are told, beside whatever the run does next. */
export interface Notices {
  /** Begins to tell; a receiver that is away holds nothing up, and changes nothing. */
  tell(notice: Notice): void;
  /** How many are being told. A run that ended, or continued as new, would tell them no more. */
  readonly underWay: number;
  /** Resolves when everything is told, or has been given up; and when it has taken so long that a run may end. */
  settled(): Promise<void>;
}

/** How long the end of a run waits for a receiver. */
const patienceAtTheEnd = '20 seconds';

export function createNotices(): Notices {
  let underWay = 0;
  const send = async (notice: Notice): Promise<void> => {
    try {
      await tellPeople(notice);
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      log.warn('people were not told', {
        notice: notice.id,
        why: cause instanceof Error ? cause.message : String(cause),
      });
    } finally {
      underWay -= 1;
    }
  };
  return {
    tell(notice) {
      underWay += 1;
      // Whatever is cancelled meanwhile: that is what people are to hear of.
      void CancellationScope.nonCancellable(() => send(notice));
    },
    get underWay() {
      return underWay;
    },
    async settled() {
      if (underWay === 0) return;
      await condition(() => underWay === 0, patienceAtTheEnd, { summary: 'Wait until people are told of the end' });
    },
  };
}
