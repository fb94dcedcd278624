import { ApplicationFailure } from '@temporalio/common';
import { failures, type FailureType } from '../workflows/failures.ts';

/**
 * A failure of the table in `failures.ts`; whether it is tried again is the table's to say.
 *
 * @param message what was seen, what was expected and what to do
 * @param cause what led to it; redacted at the activity's boundary like everything else
 */
export function fail(type: FailureType, message: string, cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable: failures[type].handling !== 'retried',
    ...(cause instanceof Error ? { cause } : {}),
  });
}
