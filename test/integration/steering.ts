import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { expect } from '@jest/globals';
import { queryStatus } from '../../rehearsal/query-status.ts';
import type { RehearsedApp } from '../../rehearsal/apps.ts';
import type { ItemStatus, Status } from '../../workflows/view.ts';
import { eventually } from './heroku-client.ts';
import { writesOf, type CutoverHandle, type Rig } from './cutover-rig.ts';

/** Starts a cutover that is to be refused, and answers its failure and the writes that it made. */
export async function refusal(
  rig: Rig,
  app: RehearsedApp,
  input?: Record<string, unknown>,
): Promise<{ type: string; message: string; writes: string[] }> {
  const before = writesOf(rig.platform).length;
  const handle = await rig.start(app, input);
  const error = await handle.result().then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(WorkflowFailedError);
  const { type, message } = (error as WorkflowFailedError).cause as Error & { type: string };
  return { type, message, writes: writesOf(rig.platform).slice(before) };
}

export function itemOf(status: Status, id: string): ItemStatus | undefined {
  return status.items.find((item) => item.id === id);
}

/** Looks until the run is as wanted. A run that has stopped otherwise will not come there, and fails the test. */
export async function watch(handle: CutoverHandle, wanted: (status: Status) => boolean): Promise<Status> {
  for (;;) {
    const status = await queryStatus(handle);
    if (wanted(status)) return status;
    if (status.stage === 'ended' || status.stage === 'parked') {
      const failures = status.items.flatMap((item) => (item.failure ? [`${item.id}: ${item.failure.message}`] : []));
      throw new Error(`the run is ${status.stage}: ${[...failures, status.outcome?.reason].join('; ')}`);
    }
    await sleep(100);
  }
}

export const atGate =
  (gate: string) =>
  (status: Status): boolean =>
    status.stage === 'waiting' && itemOf(status, gate)?.state === 'waiting';

export const isParkedAt =
  (step: string) =>
  (status: Status): boolean =>
    status.stage === 'parked' && itemOf(status, step)?.state === 'parked';

export const isRunning =
  (step: string) =>
  (status: Status): boolean =>
    itemOf(status, step)?.state === 'running';

export const isDone =
  (step: string) =>
  (status: Status): boolean =>
    itemOf(status, step)?.state === 'done';

/** Approves the gate that is open. */
export async function approve(handle: CutoverHandle, status: Status): Promise<void> {
  await handle.signal('approve', { ...status.waitingFor?.message, by: 'Ada' });
}

/** Decides about the step that is parked, and waits until the decision has counted. */
export async function decide(handle: CutoverHandle, status: Status, action: 'retry' | 'abort'): Promise<void> {
  await handle.signal('resolve', { ...status.waitingFor?.message, by: 'Ada', action, reason: 'it was looked into' });
  const step = status.waitingFor?.message['step'];
  const attempt = status.waitingFor?.message['attempt'];
  // Who sent it is looked up first, and so long the run stays parked.
  await eventually(
    () => queryStatus(handle),
    (now) => now.stage === 'ended' || itemOf(now, String(step))?.attempt !== attempt,
    60_000,
  );
}

/** Ends a run whose point is proven. */
export async function stop(handle: CutoverHandle): Promise<void> {
  await handle.terminate('the test has seen what it wanted');
}
