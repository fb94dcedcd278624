import { isGrpcServiceError, type WorkflowHandle } from '@temporalio/client';
import type { Status } from '../workflows/view.ts';

/**
 * How the server says that no worker has answered: DEADLINE_EXCEEDED, UNAVAILABLE, and FAILED_PRECONDITION while the
 * run has not had its first task, or its queue no poller.
 */
const nobodyAnswered = new Set([4, 14, 9]);
/** Milliseconds for which a worker may be away: a successor has to load, on a machine that does other things too. */
const patience = 60_000;

/** The status of a run. While its worker is away the question is asked again, as a person would. */
export async function queryStatus(handle: Pick<WorkflowHandle, 'query'>): Promise<Status> {
  for (const deadline = Date.now() + patience; ;) {
    try {
      return await handle.query<Status>('status');
    } catch (error) {
      const { cause } = error as Error;
      const isPassing = isGrpcServiceError(cause) && nobodyAnswered.has(cause.code);
      if (!isPassing || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}
