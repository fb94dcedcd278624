import type { Connection, WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { z } from 'zod';
import type { HistoryEvent } from '../event-time.ts';

export interface Approving {
  readonly connection: Connection;
  readonly handle: WorkflowHandle & { readonly firstExecutionRunId: string };
  /** The step behind whose end the clock stops. */
  readonly lastStep: string;
  /** When the clock was started, as `performance.now()` had it. */
  readonly began: number;
  readonly signal: AbortSignal;
}

const by = 'Kristerpher';
/** An entry of the run's journal, as its memo has it. */
const entry = z.object({ event: z.string(), data: z.record(z.unknown()) });

/**
 * Approves each gate at the moment at which the history says that it is open, without asking the worker anything, until the
 * run has ended.
 *
 * @returns milliseconds from the start of the clock until the step had ended
 * @throws Error where the run ends without
 */
export async function approveAtOnce({
  connection,
  handle,
  lastStep,
  began,
  signal,
}: Approving): Promise<{ ms: number }> {
  let ms: number | undefined;
  for await (const event of follow(connection, handle, signal)) {
    const read = entry.safeParse(journalEntryIn(event));
    if (!read.success) continue;
    const { event: what, data } = read.data;
    if (what === 'stepDone' && data['step'] === lastStep) ms = performance.now() - began;
    if (what === 'stepFailed') throw new Error(`the run parked: ${JSON.stringify(data)}`);
    if (what !== 'gateOpened') continue;
    const plan = String(data['digest']);
    if (data['gate'] === 'launch') await handle.signal('launch', { by, plan, backup: { continuousProtection: true } });
    else await handle.signal('approve', { gate: data['gate'], by, plan });
  }
  if (ms === undefined) throw new Error(`the run ended without ${lastStep}`);
  return { ms };
}

function journalEntryIn(event: HistoryEvent): unknown {
  const payload = event.workflowPropertiesModifiedEventAttributes?.upsertedMemo?.fields?.['journal'];
  return payload == null ? undefined : defaultPayloadConverter.fromPayload(payload);
}

/** The events of a run as they come, until it is closed. */
async function* follow(
  { workflowService }: Connection,
  { workflowId, firstExecutionRunId: runId }: Approving['handle'],
  signal: AbortSignal,
): AsyncGenerator<HistoryEvent, void> {
  let nextPageToken: Uint8Array | undefined;
  do {
    signal.throwIfAborted();
    const page = await workflowService.getWorkflowExecutionHistory({
      namespace: 'default',
      execution: { workflowId, runId },
      waitNewEvent: true,
      ...(nextPageToken === undefined ? {} : { nextPageToken }),
    });
    yield* page.history?.events ?? [];
    nextPageToken = page.nextPageToken;
  } while (nextPageToken !== undefined && nextPageToken.length > 0);
}
