import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sequence } from '../../workflows/sop.ts';
import { approveGate, createHarness, statusWhen, type Harness } from './harness.ts';
import { createFakeWorld, finalFailure } from './fake-activities.ts';
import { sampleEvidence, sampleFacts } from './sample-evidence.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const wholeSequence = sequence({ hasPullRequest: true, pullRequest: sampleEvidence['inspect-pull-request'], go: sampleFacts, rm11: sampleFacts });
const stepsInOrder = wholeSequence.filter((item) => item.kind === 'step').map((item) => item.id);

test('performs every step of the sequence once and in order, with two approvals', async () => {
  const world = createFakeWorld();
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await approveGate(handle, 'rm-11', 'Bo');
    const status = await handle.result();
    expect(status.outcome?.result).toBe('completed');
    expect(world.performed).toEqual(stepsInOrder);
    expect(status.items.every((item) => item.state === 'done')).toBe(true);
    expect(status.items.filter((item) => item.kind === 'gate').map((item) => item.approvedBy)).toEqual(['Ada', 'Bo']);
  });
});

test('a step that fails after the first write is parked, and another attempt goes on from there', async () => {
  const world = createFakeWorld();
  world.behave('smoke', (call) => {
    if (call.attempt === 1) throw finalFailure('SmokeFailed');
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    const parked = await statusWhen(handle, (status) => status.stage === 'parked');
    expect(parked.waitingFor?.message).toMatchObject({ step: 'smoke', attempt: 1 });
    expect(world.performed).not.toContain('credential');

    await handle.signal('resolve', { ...parked.waitingFor?.message, by: 'Ada', action: 'retry', reason: 'flaky runner' });
    await approveGate(handle, 'rm-11');
    expect((await handle.result()).outcome?.result).toBe('completed');
  });
});

test('abort of a parked step ends the run and says what is in place', async () => {
  const world = createFakeWorld();
  world.behave('smoke', () => {
    throw finalFailure('SmokeFailed');
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    const parked = await statusWhen(handle, (status) => status.stage === 'parked');
    await handle.signal('resolve', { ...parked.waitingFor?.message, by: 'Ada', action: 'abort', reason: 'not tonight' });
    const { outcome } = await handle.result();
    expect(outcome).toMatchObject({ result: 'aborted', by: 'Ada' });
    expect(outcome?.reason).toContain('In place: upgrade, restart');
    expect(outcome?.reason).toContain('smoke');
  });
});

test('a refusal in preflight ends the run with its own failure type', async () => {
  const world = createFakeWorld();
  world.behave('config-check', () => {
    throw finalFailure('DatabaseUrlSqlite');
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'DatabaseUrlSqlite' } });
    expect(world.performed).toEqual([]);
    const { memo } = await handle.describe();
    expect(memo).toMatchObject({ stage: 'ended' });
  });
});
