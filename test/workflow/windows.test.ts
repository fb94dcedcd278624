import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { WindowAnswer } from '../../activities/read-window.ts';
import type { StepId } from '../../workflows/steps.ts';
import {
  approveAll,
  approveGate,
  atGate,
  createHarness,
  isParked,
  resolveParked,
  statusWhen,
  type Harness,
} from './harness.ts';
import { createFakeWorld, finalFailure, type FakeWorldOptions } from './fake-activities.ts';
import { samplePolicy } from './sample-target.ts';
import { createFullWorld, stepsBack, stepsBefore, stepsInOrder } from './whole-sequence.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const kill = { by: 'Kim', reason: 'customers wait' };
const closed = (opensInMs = 3_600_000): WindowAnswer => ({
  open: false,
  opensAt: Date.now() + opensInMs,
  why: 'a freeze until Monday',
  digest: '7e'.repeat(32),
});

/** A world in which a window is open but before the step that is named. */
function createWorldClosedBefore(step: StepId, options: FakeWorldOptions = {}, opensInMs?: number) {
  let asked = 0;
  return createFullWorld({
    hasWindows: true,
    window: (question) => {
      if (question.step !== step) return { open: true };
      asked += 1;
      return opensInMs !== undefined && asked > 1 ? { open: true } : closed(opensInMs);
    },
    ...options,
  });
}

test('every write asks whether it may begin, and nothing that only looks does', async () => {
  const asked: StepId[] = [];
  const world = createFullWorld({
    hasWindows: true,
    window: ({ step }) => {
      asked.push(step);
      return { open: true };
    },
  });
  await harness.withWorker(world, async ({ start }) => {
    expect((await approveAll(await start())).outcome?.result).toBe('completed');
    const writes = stepsInOrder.slice(stepsInOrder.indexOf('promote')).filter((step) => asked.includes(step));
    expect(asked).toEqual(writes);
    expect(asked).toEqual(expect.arrayContaining(['promote', 'upgrade', 'restart', 'grants', 'flag', 'seal']));
    expect(asked).not.toContain('verify-schema');
  });
});

test('a target without windows is not asked about them', async () => {
  const world = createFakeWorld({
    window: () => {
      throw finalFailure('PlatformRefused');
    },
  });
  await harness.withWorker(world, async ({ start }) => {
    expect((await approveAll(await start())).outcome?.result).toBe('completed');
  });
});

test('outside the windows the run waits, says why and until when, and goes on by itself', async () => {
  const world = createWorldClosedBefore('upgrade', {}, 1_500);
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    const { waitingFor } = await statusWhen(handle, atGate('window'));
    expect(waitingFor?.what).toBe('the next change window: a freeze until Monday');
    expect(waitingFor?.until).toBeGreaterThan(Date.now() - 60_000);
    expect(world.performed).not.toContain('upgrade');
    const { journal } = await statusWhen(handle, atGate('rm-11'));
    expect(journal.map((entry) => entry.text)).toContain('gate window: passed');
    expect(world.performed).toEqual(stepsBefore('rm-11'));
    await handle.cancel();
    await handle.result();
  });
});

test('a quorum lets it begin all the same, each with a reason; that holds for the writes behind it', async () => {
  const policy = { ...samplePolicy, quorum: 2 };
  const world = createFullWorld({ hasWindows: true, window: () => closed(), policy });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    for (const by of ['Ada', 'Bo']) await approveGate(handle, 'go', by);
    const { waitingFor } = await statusWhen(handle, atGate('window'));
    await handle.signal('approve', { ...waitingFor?.message, by: 'Ada', reason: undefined });
    for (const by of ['Ada', 'Cy']) await approveGate(handle, 'window', by, { reason: `${by} has seen it` });
    const status = await statusWhen(handle, atGate('rm-11'));
    expect(status.refusedMessages).toMatchObject([{ why: 'an override needs a reason' }]);
    expect(status.journal.filter((entry) => entry.data['gate'] === 'window').map((entry) => entry.text)).toEqual([
      'gate window: open for plan 7e7e7e7e7e7e',
      'gate window: approved by Ada, 1 more needed: Ada has seen it',
      'gate window: approved by Cy: Cy has seen it',
      'gate window: passed',
    ]);
    await handle.cancel();
    await handle.result();
  });
});

test('a rejected override parks the run, and a decision to go on asks again', async () => {
  const world = createWorldClosedBefore('upgrade');
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    const { waitingFor } = await statusWhen(handle, atGate('window'));
    await handle.signal('reject', { ...waitingFor?.message, by: 'Bo', reason: 'wait for Monday' });
    const parked = await resolveParked(handle, 'retry');
    expect(parked.waitingFor?.message).toMatchObject({ step: 'window', attempt: 1 });
    await statusWhen(handle, (seen) => atGate('window')(seen) && seen.waitingFor?.round === 2);
    expect(world.performed).not.toContain('upgrade');
    await handle.cancel();
    expect((await handle.result()).outcome?.reason).toContain('In place: promote.');
  });
});

test('a run that waits for a window can continue as new', async () => {
  const world = createWorldClosedBefore('restart', { historyEventLimit: 25 });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    // Once at the gate go, and once more here.
    await statusWhen(handle, (seen) => atGate('window')(seen) && seen.continued === 2);
    await approveGate(handle, 'window', 'Ada', { reason: 'it cannot wait' });
    await statusWhen(handle, atGate('rm-11'));
    expect(world.performed).toEqual(stepsBefore('rm-11'));
    await handle.cancel();
    await handle.result();
  });
});

describe('a way back never waits', () => {
  test.each(['kill-switch', 'undo-rm-11'] as const)('%s, started on its own in a freeze', async (mode) => {
    const world = createFullWorld({ hasWindows: true, window: () => closed() });
    await harness.withWorker(world, async ({ start }) => {
      const app = `frozen-${mode}`;
      const handle = await start({ input: { app, requestedBy: 'Kim', mode, reason: 'now' } });
      expect((await handle.result()).outcome?.by).toBe('Kim');
      expect(world.performed).toEqual(stepsBack[mode]);
    });
  });

  test('kill switch at a closed window, before and behind the first write', async () => {
    const simply = createWorldClosedBefore('promote');
    await harness.withWorker(simply, async ({ start }) => {
      const handle = await start();
      await approveGate(handle, 'go');
      await statusWhen(handle, atGate('window'));
      await handle.signal('killSwitch', kill);
      expect((await handle.result()).outcome).toMatchObject({ result: 'aborted', by: 'Kim' });
      expect(simply.performed).toEqual(stepsBefore('promote'));
    });
    const behind = createWorldClosedBefore('restart');
    await harness.withWorker(behind, async ({ start }) => {
      const handle = await start();
      await approveGate(handle, 'go');
      await statusWhen(handle, atGate('window'));
      await handle.signal('killSwitch', kill);
      expect((await handle.result()).outcome).toMatchObject({ result: 'rolled-back', by: 'Kim' });
      expect(behind.performed).toEqual([...stepsBefore('restart'), ...stepsBack['kill-switch']]);
    });
  });

  test('one that is refused at a closed window leaves the run waiting for it', async () => {
    const world = createWorldClosedBefore('restart');
    world.behave('count-rows', () => {
      throw finalFailure('CustomerRowsExist');
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      await approveGate(handle, 'go');
      await statusWhen(handle, atGate('window'));
      await handle.signal('killSwitch', kill);
      const again = await statusWhen(handle, (seen) => atGate('window')(seen) && seen.waitingFor?.round === 2);
      expect(again).toMatchObject({ procedure: 'cutover', wayBack: null });
      expect(isParked(again)).toBe(false);
      await approveGate(handle, 'window', 'Ada', { reason: 'it cannot wait' });
      await statusWhen(handle, atGate('rm-11'));
      await handle.cancel();
      await handle.result();
    });
  });
});
