import path from 'node:path';
import type { Client } from '@temporalio/client';
import type { RecordWriter } from '../activities/services.ts';
import { fetchRuns } from '../audit/fetch-history.ts';
import { recordOf, writeFolder } from '../audit/record-files.ts';

/**
 * Keeps records in a folder, one folder for a workflow and in it one for each of its runs from the start.
 *
 * @param folder of the worker's configuration
 */
export function createRecordWriter(folder: string, client: Client): RecordWriter {
  return {
    async write(workflowId, runId) {
      const { record, files } = recordOf(await fetchRuns(client, workflowId, runId), workflowId);
      const [first] = record.runs;
      // A workflow's id is whatever its starter chose.
      const name = path.join(workflowId.replace(/[^\w-]/g, '_'), first?.run ?? runId);
      await writeFolder(path.join(folder, name), files);
      return { folder: name, entries: record.entries.length, head: record.head };
    },
  };
}
