import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StepId } from '../../workflows/steps.ts';
import type { Status } from '../../workflows/view.ts';
import { everyStep, inItsOwnRuns, manyRuns, playAll } from './every-step.ts';
import {
  approveAll,
  approveGate,
  atGate,
  breaksIn,
  createHarness,
  isParked,
  resolveParked,
  statusWhen,
  type Harness,
} from './harness.ts';
import { barrier, finalFailure } from './fake-activities.ts';
import { createFullWorld, gatesInOrder, stepsBack, stepsBefore, stepsInOrder, writesBefore } from './whole-sequence.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const kill = { by: 'Kim', reason: 'customers wait' };
const back = stepsBack['kill-switch'];

/** Steps in whose middle the kill switch finds nothing written yet, and those behind the point of no return. */
const beforeWriting = stepsInOrder.slice(0, stepsInOrder.indexOf('promote'));
const launched: StepId[] = ['seal', 'open-follow-ups'];
const cutoverRuns = everyStep.filter((run) => run.mode === 'cutover');

function expectRolledBack(status: Status): void {
  expect(status.outcome).toEqual({
    result: 'rolled-back',
    by: 'Kim',
    reason: expect.stringMatching(/^The app serves on SQLite: customers wait\./),
  });
  expect(status).toMatchObject({ procedure: 'kill-switch', wayBack: { by: 'Kim', from: 'cutover', refused: null } });
  expect(breaksIn(status.journal)).toEqual([]);
}

test(
  'in the middle of every step: it is stopped, and the way back follows in its order',
  async () => {
    const world = createFullWorld();
    const runs = cutoverRuns.filter((run) => !launched.includes(run.step));
    const barriers = new Map(runs.map((run) => [run.app, barrier()]));
    inItsOwnRuns(world, runs, (app) => barriers.get(app)?.hold());
    await harness.withWorker(world, (session) =>
      playAll(session, runs, async ({ step, app, handle }) => {
        const people = approveAll(handle);
        await barriers.get(app)?.reached;
        await handle.signal('killSwitch', kill);
        const status = await people;
        if (beforeWriting.includes(step)) {
          expect(status.outcome).toMatchObject({ result: 'aborted', by: 'Kim' });
          expect(status.outcome?.reason).toContain('had not begun to write, so there was nothing to take back');
          expect(world.performedIn(app)).toEqual(stepsBefore(step));
          return;
        }
        expectRolledBack(status);
        expect(world.performedIn(app)).toEqual([...stepsBefore(step), ...back]);
        // What came of the interrupted step was never told; the way back looks at the world.
        expect(status.items.find((item) => item.id === step)).toMatchObject({ did: null });
      }),
    );
  },
  manyRuns,
);

test('at every gate, the watch among them, with a sample being taken', async () => {
  const world = createFullWorld();
  const sampling = barrier();
  world.behave('watch-sample', sampling.hold);
  await harness.withWorker(world, async ({ start }) => {
    await Promise.all(
      gatesInOrder.map(async (gate) => {
        const handle = await start();
        for (const earlier of gatesInOrder.slice(0, gatesInOrder.indexOf(gate))) await approveGate(handle, earlier);
        const { app } = await statusWhen(handle, atGate(gate));
        if (gate === 'launch') await sampling.reached;
        await handle.signal('killSwitch', kill);
        const status = await handle.result();
        if (gate === 'go') {
          expect(status.outcome).toMatchObject({ result: 'aborted', by: 'Kim' });
          expect(world.performedIn(app)).toEqual(stepsBefore(gate));
          return;
        }
        expectRolledBack(status);
        expect(world.performedIn(app)).toEqual([...stepsBefore(gate), ...back]);
        // The gate is no longer asked: nobody has approved what the way back has overtaken.
        expect(status.items.find((item) => item.id === gate)).not.toMatchObject({ state: 'done' });
      }),
    );
  });
});

describe('of a parked step', () => {
  test.each(['by its own message', 'by resolving it'])('%s', async (door) => {
    const world = createFullWorld();
    world.behave('smoke', () => {
      throw finalFailure('SmokeFailed');
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      await approveGate(handle, 'go');
      await statusWhen(handle, isParked);
      if (door === 'by its own message') await handle.signal('killSwitch', kill);
      else await resolveParked(handle, 'kill-switch', 'Kim');
      const { outcome } = await handle.result();
      expect(outcome).toMatchObject({ result: 'rolled-back', by: 'Kim' });
      // Whoever reads the outcome learns what it was all about.
      expect(outcome?.reason).toContain('smoke (SmokeFailed)');
      expect(world.performed).toEqual([...stepsBefore('smoke'), ...back]);
    });
  });
});

test('what the interrupted step did regardless is told as done', async () => {
  const world = createFullWorld();
  const held = barrier();
  world.behave('grants', () => held.hold().catch(() => undefined));
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await approveGate(handle, 'rm-11');
    await held.reached;
    await handle.signal('killSwitch', kill);
    const status = await handle.result();
    expectRolledBack(status);
    expect(status.items.find((item) => item.id === 'grants')).toMatchObject({ state: 'done', did: 'acted' });
    expect(world.performed).toEqual([...stepsBefore('grants'), 'grants', ...back]);
  });
});

test('a second one is refused and changes nothing', async () => {
  const world = createFullWorld();
  const held = barrier();
  world.behave('fence', held.hold);
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await statusWhen(handle, atGate('rm-11'));
    await handle.signal('killSwitch', kill);
    await held.reached;
    await handle.signal('killSwitch', { ...kill, by: 'Ada' });
    const { refusedMessages } = await statusWhen(handle, (seen) => seen.refusedMessages.length > 0);
    expect(refusedMessages).toMatchObject([{ by: 'Ada', why: 'the kill switch was pulled already, by Kim' }]);
    held.release();
    expectRolledBack(await handle.result());
    expect(world.performed).toEqual([...stepsBefore('rm-11'), ...back]);
  });
});

test('in the same moment as an approval it wins, whichever came first', async () => {
  const world = createFullWorld();
  await harness.withWorker(world, async ({ start, withoutWorker }) => {
    const [first, second] = await Promise.all([start(), start()]);
    for (const handle of [first, second]) await approveGate(handle, 'go');
    const [asked] = await Promise.all([first, second].map((handle) => statusWhen(handle, atGate('rm-11'))));
    const approval = { ...asked?.waitingFor?.message, by: 'Ada' };
    await withoutWorker(async () => {
      await first.signal('approve', approval);
      await first.signal('killSwitch', kill);
      await second.signal('killSwitch', kill);
      await second.signal('approve', approval);
    });
    for (const handle of [first, second]) {
      const status = await handle.result();
      expectRolledBack(status);
      expect(world.performedIn(status.app)).toEqual([...stepsBefore('rm-11'), ...back]);
    }
  });
});

test('once the launch has begun it is refused, in every step of it and while the seal is parked', async () => {
  const world = createFullWorld();
  const runs = cutoverRuns.filter((run) => launched.includes(run.step));
  const barriers = new Map(runs.map((run) => [run.app, barrier()]));
  inItsOwnRuns(world, runs, async (app, call) => {
    await barriers.get(app)?.hold();
    if (call.step === 'seal' && call.attempt === 1) throw finalFailure('DatabaseRefused');
  });
  await harness.withWorker(world, (session) =>
    playAll(session, runs, async ({ step, app, handle }) => {
      const people = approveAll(handle);
      await barriers.get(app)?.reached;
      await handle.signal('killSwitch', kill);
      await statusWhen(handle, (seen) => seen.refusedMessages.length === 1);
      barriers.get(app)?.release();
      if (step === 'seal') {
        const parked = await statusWhen(handle, isParked);
        expect(parked).toMatchObject({ stage: 'seal-parked', waitingFor: { choices: ['retry', 'abort'] } });
        await handle.signal('killSwitch', { ...kill, by: 'Ada' });
        await handle.signal('resolve', {
          ...parked.waitingFor?.message,
          by: 'Ada',
          action: 'undo-rm-11',
          reason: 'so',
        });
        await statusWhen(handle, (seen) => seen.refusedMessages.length === 3);
        await resolveParked(handle, 'retry');
      }
      const status = await people;
      expect(status.outcome?.result).toBe('completed');
      for (const { why } of status.refusedMessages) expect(why).toBe('the launch has begun, and there is no way back');
      expect(world.performedIn(app)).toEqual(stepsInOrder);
    }),
  );
});

test('a cutover that is rolled back says what it had done before', async () => {
  const world = createFullWorld();
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await approveGate(handle, 'rm-11');
    await statusWhen(handle, atGate('launch'));
    await handle.executeUpdate('killSwitch', { args: [kill] });
    const { items } = await handle.result();
    const acted = items.filter((item) => item.did === 'acted' && item.phase !== 'way-back').map((item) => item.id);
    expect(acted).toEqual(writesBefore('launch'));
    expect(items.filter((item) => item.phase === 'way-back').map((item) => [item.id, item.state])).toEqual(
      back.map((id) => [id, 'done']),
    );
  });
});
