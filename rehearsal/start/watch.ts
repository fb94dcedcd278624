import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { queryStatus } from '../query-status.ts';
import type { Status } from '../../workflows/view.ts';
import { orAborted } from './abort.ts';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

/** Milliseconds between two looks at a run. */
const lookEvery = 200;

/**
 * The status of a run again and again, across continue-as-new, until the run is closed; the last one is final.
 *
 * @throws the signal's reason when it is aborted
 */
export async function* watch(handle: WorkflowHandle, signal: AbortSignal): AsyncGenerator<Status, void> {
  let closed = false;
  const end = handle.result().then(
    () => (closed = true),
    (error: unknown) => {
      // A run that failed or was terminated is closed too; its last status says what is to be shown.
      if (!(error instanceof WorkflowFailedError)) throw error;
      closed = true;
    },
  );
  // Whoever stops looking before the end closes the connection, and nobody waits for this any more.
  end.catch(() => undefined);
  for (;;) {
    const isFinal = closed;
    yield await orAborted(signal, queryStatus(handle));
    if (isFinal) return;
    await orAborted(signal, Promise.race([end, delay(lookEvery)]));
  }
}

/** How many events the histories of a workflow have together: of its latest run, and of those that it continued. */
export async function countHistoryEvents(client: Client, workflowId: string): Promise<number> {
  let count = 0;
  let runId: string | null | undefined = (await client.workflow.getHandle(workflowId).describe()).runId;
  while (runId) {
    const { events }: History = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    count += events?.length ?? 0;
    runId = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
  }
  return count;
}
