import path from 'node:path';
import type { Client } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import type { RecordWriter } from '../activities/services.ts';
import { decrypted } from '../audit/decrypt.ts';
import { fetchRuns } from '../audit/fetch-history.ts';
import { recordOf, writeFolder } from '../audit/record-files.ts';

/**
 * Keeps records in a folder, one folder for a workflow and in it one for each of its runs from the start.
 *
 * @param folder of the worker's configuration
 * @param codec decrypts what the server keeps, where the worker has keys: whoever reads the folder has none
 */
export function createRecordWriter(folder: string, client: Client, codec?: PayloadCodec): RecordWriter {
  return {
    async write(workflowId, runId) {
      const { record, files } = recordOf(
        await decrypted(await fetchRuns(client, workflowId, runId), codec),
        workflowId,
      );
      const [first] = record.runs;
      // A workflow's id is whatever its starter chose.
      const name = path.join(workflowId.replace(/[^\w-]/g, '_'), first?.run ?? runId);
      await writeFolder(path.join(folder, name), files);
      return { folder: name, entries: record.entries.length, head: record.head };
    },
  };
}
