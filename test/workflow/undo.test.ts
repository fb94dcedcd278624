import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StepId } from '../../workflows/steps.ts';
import { everyStep, inItsOwnRuns, playAll } from './every-step.ts';
import {
  approveGate,
  atGate,
  createHarness,
  freshApp,
  isParked,
  resolveParked,
  statusWhen,
  type Harness,
} from './harness.ts';
import { barrier, finalFailure } from './fake-activities.ts';
import { createFullWorld, inputFor, stepsBack, stepsBefore, stepsInOrder, type WayBackKind } from './whole-sequence.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const kill = { by: 'Kim', reason: 'customers wait' };
const kinds = Object.keys(stepsBack) as WayBackKind[];

test('the undo of RM-11 is what a person decides about a parked step, and leaves the app on PostgreSQL', async () => {
  const world = createFullWorld();
  world.behave('smoke-rm-11', () => {
    throw finalFailure('SmokeFailed');
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await approveGate(handle, 'rm-11');
    await resolveParked(handle, 'undo-rm-11', 'Kim');
    const status = await handle.result();
    expect(status.outcome).toEqual({
      result: 'undone',
      by: 'Kim',
      reason: 'RM-11 is undone: undo-rm-11, says the test. Failed, and not in the way: smoke-rm-11 (SmokeFailed).',
    });
    expect(world.performed).toEqual([...stepsBefore('smoke-rm-11'), ...stepsBack['undo-rm-11']]);
  });
});

test('the kill switch called in the middle of any step of the undo escalates it', async () => {
  const world = createFullWorld();
  const runs = everyStep.filter((run) => run.mode === 'undo-rm-11');
  const barriers = new Map(runs.map((run) => [run.app, barrier()]));
  // A step that both ways take is held in the first of them only.
  const escalated = new Set<string>();
  inItsOwnRuns(world, runs, (app) => (escalated.has(app) ? undefined : barriers.get(app)?.hold()));
  await harness.withWorker(world, (session) =>
    playAll(session, runs, async ({ mode, step, app, handle }) => {
      await barriers.get(app)?.reached;
      escalated.add(app);
      await handle.signal('killSwitch', kill);
      const status = await handle.result();
      expect(status.outcome).toMatchObject({ result: 'rolled-back', by: 'Kim' });
      expect(status).toMatchObject({ procedure: 'kill-switch', wayBack: { kind: 'kill-switch', from: null } });
      expect(world.performedIn(app)).toEqual([...stepsBefore(step, mode), ...stepsBack['kill-switch']]);
    }),
  );
});

describe('an undo that fails', () => {
  const failing: StepId[] = ['revoke-grants', 'drop-credential'];

  test.each(kinds)('of %s lets the others go on, parks in the end, and an abort names every one', async (mode) => {
    const world = createFullWorld();
    for (const step of failing) {
      world.behave(step, () => {
        throw finalFailure('DatabaseRefused', `staged in ${step}`);
      });
    }
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start({ input: inputFor(mode, freshApp()) });
      const parked = await statusWhen(handle, isParked);
      expect(parked.waitingFor?.message).toMatchObject({ step: 'revoke-grants', attempt: 1 });
      expect(world.performed).toEqual(stepsBack[mode].filter((step) => !failing.includes(step)));
      await resolveParked(handle, 'abort');
      const { outcome } = await handle.result();
      expect(outcome?.reason).toContain('Failed: revoke-grants (DatabaseRefused); drop-credential (DatabaseRefused).');
    });
  });

  test('is tried again one by one', async () => {
    const world = createFullWorld();
    for (const step of failing) {
      world.behave(step, (call) => {
        if (call.attempt === 1) throw finalFailure('DatabaseRefused');
      });
    }
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start({ input: inputFor('kill-switch', freshApp()) });
      for (const step of failing) {
        const parked = await statusWhen(handle, (seen) => isParked(seen) && seen.waitingFor?.message['step'] === step);
        await handle.signal('resolve', { ...parked.waitingFor?.message, by: 'Ada', reason: 'mended' });
      }
      const { outcome } = await handle.result();
      expect(outcome).toMatchObject({ result: 'rolled-back', reason: 'The app serves on SQLite: the test wants it.' });
      expect(world.performed.slice(-2)).toEqual(failing);
    });
  });

  test('that is parked can be left for the kill switch, which looks at everything anew', async () => {
    const world = createFullWorld();
    world.behave('flag-off', () => {
      throw finalFailure('ReleaseFailed');
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start({ input: inputFor('undo-rm-11', freshApp()) });
      await resolveParked(handle, 'kill-switch');
      expect((await handle.result()).outcome).toMatchObject({ result: 'rolled-back', by: 'Ada' });
      expect(world.performed).toEqual([...stepsBefore('flag-off', 'undo-rm-11'), ...stepsBack['kill-switch']]);
    });
  });
});

describe.each(kinds)('%s, started on its own', (mode) => {
  test.each(['Mallory', 'Rita Two'])(
    'by %s, who may not: refused before anything was read of the target',
    async (requestedBy) => {
      const world = createFullWorld();
      await harness.withWorker(world, async ({ start }) => {
        const handle = await start({ input: { ...inputFor(mode, freshApp()), requestedBy } });
        await expect(handle.result()).rejects.toMatchObject({
          cause: { type: 'NotAuthorised', message: expect.stringContaining('neither an approver nor on call') },
        });
        expect(world.calls).toEqual([]);
        expect((await handle.describe()).memo).toMatchObject({ stage: 'ended' });
      });
    },
  );

  test('by whoever is on call: it needs nothing of an earlier run, and that one is over', async () => {
    const world = createFullWorld();
    const held = barrier();
    world.behave('upgrade', held.hold);
    await harness.withWorker(world, async ({ start }) => {
      const input = { ...inputFor('cutover', freshApp()), requestedBy: 'Rita' };
      const old = await start({ input });
      await approveGate(old, 'go');
      await held.reached;
      const handle = await start({
        input: { ...inputFor(mode, input.app), requestedBy: 'Kim' },
        options: { workflowIdConflictPolicy: 'TERMINATE_EXISTING' },
      });
      expect((await handle.result()).outcome).toMatchObject({ by: 'Kim' });
      await expect(old.result()).rejects.toMatchObject({ cause: { name: 'TerminatedFailure' } });
      expect(world.performed).toEqual([...stepsBefore('upgrade'), ...stepsBack[mode]]);
    });
  });
});

test('a kill switch without SQLite in the target file is refused, and the undo is not', async () => {
  const world = createFullWorld({ hasRollback: false });
  await harness.withWorker(world, async ({ start }) => {
    const refused = await start({ input: inputFor('kill-switch', freshApp()) });
    await expect(refused.result()).rejects.toMatchObject({ cause: { type: 'TargetFileInvalid' } });
    expect(world.calls).toEqual([]);
    const undone = await start({ input: inputFor('undo-rm-11', freshApp()) });
    expect((await undone.result()).outcome?.result).toBe('undone');
  });
});

test('a new cutover starts from where the kill switch left the app', async () => {
  const world = createFullWorld();
  await harness.withWorker(world, async ({ start }) => {
    const app = freshApp();
    const first = await start({ input: inputFor('cutover', app) });
    await approveGate(first, 'go');
    await statusWhen(first, atGate('rm-11'));
    await first.signal('killSwitch', kill);
    await first.result();
    const second = await start({ input: inputFor('cutover', app) });
    for (const gate of ['go', 'rm-11', 'launch']) await approveGate(second, gate);
    expect((await second.result()).outcome?.result).toBe('completed');
    expect(world.performed.slice(-stepsInOrder.length)).toEqual(stepsInOrder);
  });
});
