import { expect, test } from '@jest/globals';
import type { Context } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/common';
import { proveLease } from '../../../activities/lease.ts';

type Described = { status: { name: string }; raw: { pendingActivities: { activityId: string; attempt: number }[] } };

/** The second attempt of activity 7, as a server that describes the run so sees it. */
function askedOf(describe: () => Promise<Described>) {
  const asked: unknown[] = [];
  const client = {
    withDeadline: (_: number, work: () => unknown) => work(),
    workflow: { getHandle: (...run: unknown[]) => (asked.push(run), { describe }) },
  };
  const info = { workflowExecution: { workflowId: 'cutover-app', runId: 'run-1' }, activityId: '7', attempt: 2 };
  const context = { client, info } as unknown as Pick<Context, 'client' | 'info'>;
  return proveLease(context).then(() => asked);
}

const described = (name: string, activityId: string, attempt: number) => () =>
  Promise.resolve({ status: { name }, raw: { pendingActivities: [{ activityId, attempt }] } });

test('the run is open and waits for this attempt: it may write', async () => {
  expect(await askedOf(described('RUNNING', '7', 2))).toEqual([['cutover-app', 'run-1']]);
});

test.each([
  ['the run was terminated', described('TERMINATED', '7', 2), /its run is terminated/],
  ['the run waits for another activity', described('RUNNING', '8', 1), /does not wait for it any more/],
  ['another attempt has taken over', described('RUNNING', '7', 3), /attempt 3 has taken over/],
  [
    'the run is gone',
    () => Promise.reject(new WorkflowNotFoundError('not found', 'cutover-app', 'run-1')),
    /its run is gone/,
  ],
])('%s: it may not', async (_, describe, why) => {
  await expect(askedOf(describe)).rejects.toMatchObject({ type: 'Superseded', message: expect.stringMatching(why) });
});

test('Temporal does not say: nothing is proven, so it may not either', async () => {
  await expect(askedOf(() => Promise.reject(new Error('deadline exceeded')))).rejects.toMatchObject({
    type: 'OutcomeUnknown',
    message: expect.stringMatching(/nothing was written: deadline exceeded/),
  });
});
