import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StepId } from '../../workflows/steps.ts';
import {
  approveGate,
  atGate,
  breaksIn,
  createHarness,
  freshApp,
  isParked,
  resolveParked,
  statusWhen,
  type Harness,
} from './harness.ts';
import { barrier, finalFailure, type FakeWorld } from './fake-activities.ts';
import { createFullWorld, inputFor, stepsBack, stepsBefore, stepsInOrder } from './whole-sequence.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const kill = { by: 'Kim', reason: 'customers wait' };
const back = stepsBack['kill-switch'];
const upTo = (step: StepId): StepId[] => back.slice(0, back.indexOf(step));

/** What refuses a kill switch, and what of the way back was done by then: the fence is let go where it was raised. */
const refusals = {
  'a sealed database': { step: 'read-seal', type: 'Sealed', did: [] },
  'a row at the first count': { step: 'count-rows', type: 'CustomerRowsExist', did: upTo('count-rows') },
  'a row at the count behind the fence': {
    step: 'count-rows-fenced',
    type: 'CustomerRowsExist',
    did: [...upTo('count-rows-fenced'), 'lift-fence'],
  },
} as const satisfies Record<string, { step: StepId; type: string; did: readonly StepId[] }>;

function createRefusingWorld({ step, type }: { step: StepId; type: string }): FakeWorld {
  const world = createFullWorld();
  world.behave(step, () => {
    throw finalFailure(type, `staged in ${step}`);
  });
  return world;
}

describe.each(Object.entries(refusals))('%s', (_, refusal) => {
  test('found in the middle of a step: the world is as it was, and the step waits for a decision', async () => {
    const world = createRefusingWorld(refusal);
    const held = barrier();
    world.behave('grants', (call) => (call.attempt === 1 ? held.hold() : undefined));
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      await approveGate(handle, 'go');
      await approveGate(handle, 'rm-11');
      await held.reached;
      await handle.signal('killSwitch', kill);
      const parked = await statusWhen(handle, isParked);
      expect(parked).toMatchObject({ procedure: 'cutover', wayBack: null });
      expect(parked.waitingFor?.message).toMatchObject({ step: 'grants', attempt: 1 });
      expect(parked.items.find((item) => item.id === 'grants')?.failure).toEqual({
        type: refusal.type,
        message: `The way back was refused, and the step was interrupted: staged in ${refusal.step}`,
      });
      expect(world.performed).toEqual([...stepsBefore('grants'), ...refusal.did]);

      // It can be asked for again, and is looked at anew.
      await handle.signal('killSwitch', { ...kill, by: 'Ada' });
      const again = await statusWhen(
        handle,
        (seen) => isParked(seen) && seen.journal.filter((entry) => entry.event === 'rollbackRefused').length === 2,
      );
      expect(world.performed).toEqual([...stepsBefore('grants'), ...refusal.did, ...refusal.did]);
      expect(again.waitingFor?.message).toMatchObject({ step: 'grants', attempt: 1 });

      await resolveParked(handle, 'retry');
      await approveGate(handle, 'launch');
      const status = await handle.result();
      expect(status.outcome?.result).toBe('completed');
      expect(status.items.every((item) => item.state === 'done')).toBe(true);
      expect(breaksIn(status.journal)).toEqual([]);
      expect(world.performed.slice(-2)).toEqual(stepsInOrder.slice(-2));
    });
  });

  test('found at a gate: it is asked again, and the cutover goes on from there', async () => {
    const world = createRefusingWorld(refusal);
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      await approveGate(handle, 'go');
      await statusWhen(handle, atGate('rm-11'));
      await handle.signal('killSwitch', kill);
      const again = await statusWhen(handle, (seen) => atGate('rm-11')(seen) && seen.waitingFor?.round === 2);
      expect(again).toMatchObject({ procedure: 'cutover', wayBack: null });
      await approveGate(handle, 'rm-11');
      await approveGate(handle, 'launch');
      expect((await handle.result()).outcome?.result).toBe('completed');
      expect(world.performed.filter((step) => !refusal.did.some((one) => one === step))).toEqual(stepsInOrder);
    });
  });

  test('by a run that was started for it: the run fails with that, and the world is as it was', async () => {
    const world = createRefusingWorld(refusal);
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start({ input: inputFor('kill-switch', freshApp()) });
      await expect(handle.result()).rejects.toMatchObject({
        cause: { type: refusal.type, message: `staged in ${refusal.step}` },
      });
      expect(world.performed).toEqual([...refusal.did]);
    });
  });
});

test('while a step is parked: it is parked still, with both of its troubles told', async () => {
  const world = createRefusingWorld(refusals['a row at the count behind the fence']);
  world.behave('smoke', (call) => {
    if (call.attempt === 1) throw finalFailure('SmokeFailed');
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await resolveParked(handle, 'kill-switch');
    const parked = await statusWhen(
      handle,
      (seen) => isParked(seen) && seen.journal.some((entry) => entry.event === 'resumed'),
    );
    expect(parked.waitingFor?.message).toMatchObject({ step: 'smoke', attempt: 1 });
    expect(parked.journal.map((entry) => entry.text)).toEqual(
      expect.arrayContaining(['smoke: parked on SmokeFailed', 'smoke: parked on CustomerRowsExist']),
    );
    await resolveParked(handle, 'retry');
    await statusWhen(handle, atGate('rm-11'));
    await handle.cancel();
    await handle.result();
  });
});

test('at a gate that is asked again for a write that found drift: the gate is asked, and no step is parked', async () => {
  const world = createRefusingWorld(refusals['a row at the first count']);
  world.behave('flag', (call) => {
    if (call.attempt === 1) throw finalFailure('TargetDrifted');
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await approveGate(handle, 'rm-11');
    await statusWhen(handle, (seen) => atGate('rm-11')(seen) && seen.waitingFor?.round === 2);
    await handle.signal('killSwitch', kill);
    await statusWhen(handle, (seen) => atGate('rm-11')(seen) && seen.waitingFor?.round === 3);
    await approveGate(handle, 'rm-11');
    await approveGate(handle, 'launch');
    expect((await handle.result()).outcome?.result).toBe('completed');
  });
});

test('at a rejected gate: it is asked again', async () => {
  const world = createRefusingWorld(refusals['a row at the first count']);
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    const { waitingFor } = await statusWhen(handle, atGate('rm-11'));
    await handle.signal('reject', { ...waitingFor?.message, by: 'Bo', reason: 'not tonight' });
    await statusWhen(handle, isParked);
    await handle.signal('killSwitch', kill);
    const again = await statusWhen(handle, (seen) => atGate('rm-11')(seen) && seen.waitingFor?.round === 2);
    expect(again.items.find((item) => item.id === 'rm-11')).toMatchObject({ state: 'waiting', failure: null });
    await handle.cancel();
    await handle.result();
  });
});

describe('while PostgreSQL is down', () => {
  const down: StepId[] = ['read-seal', 'count-rows', 'count-rows-fenced'];
  function createDownWorld(away: readonly StepId[] = down): FakeWorld {
    const world = createFullWorld();
    for (const step of away) {
      world.behave(step, () => {
        throw finalFailure('DatabaseUnreachable', 'no connection');
      });
    }
    return world;
  }

  test.each([['read-seal'], ['count-rows'], down])(
    '%j cannot be asked: people allow it with a reason, and it goes on',
    async (...away) => {
      const world = createDownWorld(away as StepId[]);
      await harness.withWorker(world, async ({ start }) => {
        const handle = await start({ input: inputFor('kill-switch', freshApp()) });
        const { waitingFor } = await statusWhen(handle, atGate('uncounted-rows'));
        expect(waitingFor?.what).toMatch(/^leave for a way back: PostgreSQL cannot be asked/);
        expect(world.performed).not.toContain('fence');
        await handle.signal('approve', { ...waitingFor?.message, by: 'Ada', reason: undefined });
        await handle.signal('approve', { ...waitingFor?.message, by: 'Rita', reason: 'I say so' });
        await approveGate(handle, 'uncounted-rows', 'Ada', { reason: 'users first' });
        const status = await handle.result();
        expect(status.outcome?.result).toBe('rolled-back');
        expect(status.refusedMessages.map((refused) => refused.why)).toEqual([
          'an override needs a reason',
          expect.stringContaining('wants another person'),
        ]);
        expect(status.journal.map((entry) => entry.text)).toContain(
          'gate uncounted-rows: approved by Ada: users first',
        );
        expect(world.performed).toEqual(back.filter((step) => !away.some((one) => one === step)));
      });
    },
  );

  test('rejected, a run that was started for it fails, and nothing was fenced', async () => {
    const world = createDownWorld();
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start({ input: inputFor('kill-switch', freshApp()) });
      const { waitingFor } = await statusWhen(handle, atGate('uncounted-rows'));
      await handle.signal('reject', { ...waitingFor?.message, by: 'Bo', reason: 'too much at stake' });
      await expect(handle.result()).rejects.toMatchObject({
        cause: { type: 'RowsUncounted', message: 'Bo did not allow it: too much at stake' },
      });
      expect(world.performed).not.toContain('fence');
    });
  });

  test('rejected, a cutover goes on where it stood', async () => {
    const world = createDownWorld();
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      await approveGate(handle, 'go');
      await statusWhen(handle, atGate('rm-11'));
      await handle.signal('killSwitch', kill);
      const { waitingFor } = await statusWhen(handle, atGate('uncounted-rows'));
      await handle.signal('reject', { ...waitingFor?.message, by: 'Bo', reason: 'it comes back' });
      const resumed = await statusWhen(handle, (seen) => atGate('rm-11')(seen) && seen.waitingFor?.round === 2);
      expect(resumed).toMatchObject({ procedure: 'cutover', wayBack: null });
      await handle.cancel();
      await handle.result();
    });
  });

  test('away only behind the fence: nobody knows what came in since, and the step is parked', async () => {
    const world = createDownWorld(['count-rows-fenced']);
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start({ input: inputFor('kill-switch', freshApp()) });
      const parked = await statusWhen(handle, isParked);
      expect(parked.waitingFor?.message).toMatchObject({ step: 'count-rows-fenced' });
      expect(world.performed).not.toContain('to-sqlite');
      await handle.cancel();
      expect((await handle.result()).outcome?.reason).toContain('In place: settle-dynos, fence.');
    });
  });
});
