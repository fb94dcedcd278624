import { activityInfo } from '@temporalio/activity';
import { fail } from './fail.ts';
import type { Services, WrittenRecord } from './services.ts';

/**
 * Writes the record of the run that asks, from its history up to now.
 *
 * @returns null where this worker keeps no records
 * @throws ApplicationFailure `RecordNotWritten`
 */
export async function writeRecord({ records }: Services): Promise<WrittenRecord | null> {
  const { workflowExecution: run } = activityInfo();
  if (records === undefined || run === undefined) return null;
  try {
    return await records.write(run.workflowId, run.runId);
  } catch (error) {
    throw fail(
      'RecordNotWritten',
      `The record of ${run.workflowId} was not written: ${error instanceof Error ? error.message : String(error)}. ` +
        'It is tried again; `npm run audit` can write it at any time.',
      error,
    );
  }
}
