import { expect, test } from '@jest/globals';
import { ServiceError } from '@temporalio/client';
import { queryStatus } from '../../rehearsal/query-status.ts';

/** What the client throws when the server answers with a gRPC status. */
function answered(code: number): ServiceError {
  const cause = Object.assign(new Error(`status ${code}`), { code, details: '', metadata: {} });
  return new ServiceError('Failed to query Workflow', { cause });
}

function handleThat(...answers: (Error | string)[]) {
  const query = (): Promise<never> => {
    const next = answers.shift();
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next as never);
  };
  return { query };
}

test('a worker that is away for a while is asked again', async () => {
  expect(await queryStatus(handleThat(answered(4), answered(14), 'the status'))).toBe('the status');
});

test('a refusal is not', async () => {
  await expect(queryStatus(handleThat(answered(5), 'never asked'))).rejects.toThrow('Failed to query Workflow');
});
