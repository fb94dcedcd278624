import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Activities } from '../../activities/index.ts';
import { createHarness, type Harness } from './harness.ts';

let harness: Harness;
let connection: NativeConnection;
beforeAll(async () => {
  harness = await createHarness();
  connection = await NativeConnection.connect({ address: process.env['RC_TEST_TEMPORAL_ADDRESS'] ?? '' });
});
afterAll(async () => {
  await connection.close();
  await harness.close();
});

/** The memo of a run that ended well, having asked this activity for its record. */
async function memoAfter(writeRecord: Activities['writeRecord']): Promise<Record<string, unknown>> {
  const taskQueue = `test-${randomUUID()}`;
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('record-keeping.ts', import.meta.url)),
    activities: { writeRecord },
  });
  const workflowId = `record-${randomUUID()}`;
  await worker.runUntil(harness.client.workflow.execute('keepRecord', { taskQueue, workflowId }));
  const { memo } = await harness.client.workflow.getHandle(workflowId).describe();
  return memo ?? {};
}

test('the digest of the record stands in the history', async () => {
  const record = { folder: 'cutover-app/run', entries: 3, head: 'ab'.repeat(32) };
  expect(await memoAfter(() => Promise.resolve(record))).toEqual({ record });
});

test('where a worker keeps no records, nothing is said', async () => {
  expect(await memoAfter(() => Promise.resolve(null))).toEqual({});
});

test('a record that could not be written is tried again', async () => {
  let tries = 0;
  const written = { folder: 'f', entries: 1, head: 'cd'.repeat(32) };
  const memo = await memoAfter(() => {
    tries += 1;
    if (tries < 3) throw ApplicationFailure.create({ type: 'RecordNotWritten', nextRetryDelay: 10 });
    return Promise.resolve(written);
  });
  expect({ memo, tries }).toEqual({ memo: { record: written }, tries: 3 });
});

test('one that never can be is reported, and the run ends as it would have', async () => {
  const memo = await memoAfter(() => {
    throw ApplicationFailure.nonRetryable('the disk is full', 'RecordNotWritten');
  });
  expect(memo).toEqual({ record: { notWritten: 'the disk is full' } });
});
