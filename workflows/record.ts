import { log, proxyActivities, upsertMemo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

/** Minutes at most, with every retry: the result of the run waits for it, and nothing else does. */
const { writeRecord } = proxyActivities<Pick<Activities, 'writeRecord'>>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '3 minutes',
  heartbeatTimeout: '8s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s', maximumAttempts: 6 },
  summary: 'Write the audit record',
});

/**
 * Has the worker write the record of this run, as the last thing before it ends. A record that cannot be written is
 * reported in the memo and in the log and changes nothing: it can be made from the history at any time.
 */
export async function keepRecord(): Promise<void> {
  try {
    const written = await writeRecord();
    if (written !== null) upsertMemo({ record: written });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error ? cause.message : String(cause);
    log.warn('the audit record was not written', { why });
    upsertMemo({ record: { notWritten: why } });
  }
}
