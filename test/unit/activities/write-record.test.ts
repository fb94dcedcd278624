import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { RecordWriter, Services } from '../../../activities/services.ts';
import { writeRecord } from '../../../activities/write-record.ts';
import { readConfig } from '../../../worker/config.ts';
import { silent } from './in-activity.ts';

function write(records?: RecordWriter): Promise<unknown> {
  const workflowExecution = { workflowId: 'cutover-app', runId: 'run-2' };
  return new MockActivityEnvironment({ workflowExecution }, { logger: silent }).run(() =>
    writeRecord({ records } as Services),
  );
}

test('the record of the run that asks is written', async () => {
  const records: RecordWriter = {
    write: (workflowId, runId) => Promise.resolve({ folder: `${workflowId}/${runId}`, entries: 3, head: 'ab' }),
  };
  expect(await write(records)).toEqual({ folder: 'cutover-app/run-2', entries: 3, head: 'ab' });
});

test('a worker that keeps no records writes none', async () => {
  expect(await write()).toBeNull();
});

test('what went wrong is tried again, and says how to have the record all the same', async () => {
  const records: RecordWriter = { write: () => Promise.reject(new Error('ENOSPC: no space left')) };
  await expect(write(records)).rejects.toMatchObject({
    type: 'RecordNotWritten',
    nonRetryable: false,
    message: expect.stringMatching(/cutover-app was not written: ENOSPC.*npm run audit/),
  });
});

test('the folder must be there when the worker starts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-records-'));
  const tokens = { HEROKU_API_KEY: 'k', GITHUB_TOKEN: 't' };
  try {
    expect(readConfig(tokens).auditFolder).toBeUndefined();
    expect(readConfig({ ...tokens, CUTOVER_AUDIT_DIR: folder }).auditFolder).toBe(folder);
    writeFileSync(join(folder, 'file'), '');
    expect(() => readConfig({ ...tokens, CUTOVER_AUDIT_DIR: join(folder, 'file') })).toThrow(
      /CUTOVER_AUDIT_DIR is not a folder/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
