import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { AuditError } from './audit-error.ts';
import { nextRunId, previousRunId, readHistories, type RunHistory } from './history.ts';

/**
 * The histories of a chain of runs, from the first that the server still has to the last.
 *
 * @param runId any run of the chain; the latest unless given
 * @throws AuditError where there is no such run
 */
export async function fetchRuns(client: Client, workflowId: string, runId?: string): Promise<RunHistory[]> {
  const start = await fetchRun(client, workflowId, runId);
  if (start === undefined) {
    const which = runId === undefined ? '' : ` with the run ${runId}`;
    throw new AuditError(
      `The server has no workflow ${workflowId}${which} in the namespace ${client.options.namespace}. Correct the id, or give a history that was exported before it was deleted (--history).`,
    );
  }
  const chain = [start];
  for (let id = previousRunId(start); id !== null;) {
    const before = await fetchRun(client, workflowId, id);
    if (before === undefined) break;
    chain.unshift(before);
    id = previousRunId(before);
  }
  for (let id = nextRunId(start); id !== null;) {
    const after = await fetchRun(client, workflowId, id);
    if (after === undefined) break;
    chain.push(after);
    id = nextRunId(after);
  }
  return chain;
}

async function fetchRun(
  client: Client,
  workflowId: string,
  runId: string | undefined,
): Promise<RunHistory | undefined> {
  try {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    return readHistories(historyToJSON(history), `the history of ${workflowId}`)[0];
  } catch (error) {
    // Asking for a history does not come as the SDK's own WorkflowNotFoundError [ran: 1.24.0].
    if (noSuchRun.has(codeOf(error))) return undefined;
    throw error;
  }
}

/** gRPC's NOT_FOUND, and INVALID_ARGUMENT: a run id that is no UUID names no run either. */
const noSuchRun = new Set<unknown>([5, 3]);

function codeOf(error: unknown): unknown {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  return code ?? cause?.code;
}
