import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { activityInfo } from '@temporalio/activity';
import { steps, type StepId } from '../../workflows/steps.ts';
import type { Status } from '../../workflows/view.ts';
import {
  approveGate,
  atGate,
  breaksIn,
  createHarness,
  freshApp,
  isParked,
  resolveParked,
  statusWhen,
  type CutoverHandle,
  type Harness,
} from './harness.ts';
import { barrier, finalFailure, passingFailure, type FakeWorld } from './fake-activities.ts';
import { createFullWorld, gatesInOrder, stepsInOrder, wholeSequence, writesBefore } from './whole-sequence.ts';

// Every step of the list meets every kind of fault, each in a run of its own; the runs of one fault share a world.
let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const phaseOf = new Map(wholeSequence.map((item) => [item.id, item.phase]));

/** One run for each step of the list, side by side. */
async function forEveryStep(
  world: FakeWorld,
  play: (step: StepId, handle: CutoverHandle, app: string) => Promise<void>,
  chosen: readonly StepId[] = stepsInOrder,
): Promise<void> {
  await harness.withWorker(world, async ({ start }) => {
    await Promise.all(
      chosen.map(async (step) => {
        const app = appFor.get(step) ?? freshApp(step);
        await play(step, await start({ input: { app, requestedBy: 'Rita' } }), app);
      }),
    );
  });
}
let appFor = new Map<StepId, string>();

/** Makes a step behave so in the run that is its own, and well in the others. */
function inItsOwnRun(world: FakeWorld, behaviour: (step: StepId) => Promise<void> | void): void {
  appFor = new Map(stepsInOrder.map((step) => [step, freshApp(step)]));
  for (const step of stepsInOrder) {
    world.behave(step, (call) => (call.app === appFor.get(step) ? behaviour(step) : undefined));
  }
}

/** Approves whatever gate opens until the run has ended. */
async function approveAll(handle: CutoverHandle): Promise<Status> {
  const people = (async () => {
    for (const gate of gatesInOrder) {
      const status = await statusWhen(handle, (seen) => seen.outcome !== null || atGate(gate)(seen));
      if (status.outcome !== null) return;
      await handle.signal('approve', { ...status.waitingFor?.message, by: 'Ada' });
    }
  })();
  const [result] = await Promise.allSettled([handle.result(), people]);
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

test('the matrix has every step that the fake world can meet', () => {
  // A step that is added to the list is added to the matrix by that; one that no sequence has would be left out.
  expect([...stepsInOrder].sort()).toEqual((Object.keys(steps) as StepId[]).sort());
});

test('every step fails in passing, twice, and then passes: the run completes and each is done once', async () => {
  const world = createFullWorld();
  inItsOwnRun(world, () => {
    if (activityInfo().attempt < 3) throw passingFailure('PlatformUnavailable');
  });
  await forEveryStep(world, async (_, handle, app) => {
    expect((await approveAll(handle)).outcome?.result).toBe('completed');
    expect(world.performedIn(app)).toEqual(stepsInOrder);
  });
});

test('every step of preflight that fails for good refuses the run with its own type; nothing after it is begun', async () => {
  const world = createFullWorld();
  inItsOwnRun(world, (step) => {
    throw finalFailure('PlatformRefused', `staged in ${step}`);
  });
  const preflight = stepsInOrder.filter((step) => phaseOf.get(step) === 'preflight');
  await forEveryStep(
    world,
    async (step, handle, app) => {
      await expect(approveAll(handle)).rejects.toMatchObject({
        cause: { type: 'PlatformRefused', message: `staged in ${step}` },
      });
      expect(world.performedIn(app)).toEqual(stepsInOrder.slice(0, stepsInOrder.indexOf(step)));
      expect((await handle.describe()).memo).toMatchObject({
        stage: 'ended',
        journal: { text: `refused: PlatformRefused: staged in ${step}` },
      });
    },
    preflight,
  );
});

test('every later step that fails for good is parked, and a second attempt ends the run well', async () => {
  const world = createFullWorld();
  const failed = new Set<StepId>();
  inItsOwnRun(world, (step) => {
    if (failed.has(step)) return;
    failed.add(step);
    throw finalFailure('PlatformRefused', `staged in ${step}`);
  });
  const later = stepsInOrder.filter((step) => phaseOf.get(step) !== 'preflight');
  await forEveryStep(
    world,
    async (step, handle, app) => {
      const people = (async () => {
        for (const item of wholeSequence) {
          if (item.kind === 'gate') await approveGate(handle, item.id);
          else if (item.id === step) {
            const parked = await resolveParked(handle, 'retry');
            expect(parked.waitingFor?.message).toMatchObject({ step, attempt: 1 });
            expect(world.performedIn(app)).toEqual(stepsInOrder.slice(0, stepsInOrder.indexOf(step)));
          }
        }
      })();
      const [status] = await Promise.all([handle.result(), people]);
      expect(status.outcome?.result).toBe('completed');
      expect(status.items.find((item) => item.id === step)).toMatchObject({ attempt: 2, state: 'done', failure: null });
      expect(world.performedIn(app)).toEqual(stepsInOrder);
      expect(breaksIn(status.journal)).toEqual([]);
    },
    later,
  );
});

describe('cancelled in Temporal', () => {
  function expectAborted(status: Status, at: (typeof wholeSequence)[number]['id']): void {
    const inPlace = writesBefore(at).join(', ') || 'nothing was changed';
    expect(status.outcome).toMatchObject({ result: 'aborted', by: 'unnamed' });
    expect(status.outcome?.reason).toContain(`In place: ${inPlace}.`);
    expect(status.waitingFor).toBeNull();
    expect(breaksIn(status.journal)).toEqual([]);
  }

  test('in the middle of every step: the run ends as completed, names the step, and begins nothing more', async () => {
    const world = createFullWorld();
    const barriers = new Map(stepsInOrder.map((step) => [step, barrier()]));
    inItsOwnRun(world, (step) => barriers.get(step)?.hold());
    await forEveryStep(world, async (step, handle, app) => {
      const people = approveAll(handle);
      await barriers.get(step)?.reached;
      await handle.cancel();
      const status = await people;
      expectAborted(status, step);
      expect(status.outcome?.reason).toContain(`Interrupted, so not known until looked at: ${step}.`);
      expect(world.performedIn(app)).toEqual(stepsInOrder.slice(0, stepsInOrder.indexOf(step)));
      expect((await handle.describe()).status.name).toBe('COMPLETED');
    });
  });

  test('while every step ends regardless of the request: what it did is told as in place', async () => {
    const world = createFullWorld();
    const barriers = new Map(stepsInOrder.map((step) => [step, barrier()]));
    // As a step behaves whose effect is there before the request reaches it.
    inItsOwnRun(world, (step) =>
      barriers
        .get(step)
        ?.hold()
        .catch(() => undefined),
    );
    await forEveryStep(world, async (step, handle, app) => {
      const people = approveAll(handle);
      await barriers.get(step)?.reached;
      await handle.cancel();
      const { outcome } = await people;
      expect(outcome?.result).toBe('aborted');
      expect(outcome?.reason).not.toContain('Interrupted');
      const inPlace =
        [...writesBefore(step), ...(steps[step].writes ? [step] : [])].join(', ') || 'nothing was changed';
      expect(outcome?.reason).toContain(`In place: ${inPlace}.`);
      expect(world.performedIn(app)).toEqual(stepsInOrder.slice(0, stepsInOrder.indexOf(step) + 1));
    });
  });

  test('at every gate', async () => {
    const world = createFullWorld();
    await harness.withWorker(world, async ({ start }) => {
      await Promise.all(
        gatesInOrder.map(async (gate) => {
          const handle = await start();
          for (const earlier of gatesInOrder.slice(0, gatesInOrder.indexOf(gate))) await approveGate(handle, earlier);
          await statusWhen(handle, atGate(gate));
          await handle.cancel();
          const status = await handle.result();
          expectAborted(status, gate);
          expect(status.outcome?.reason).not.toContain('Interrupted');
        }),
      );
    });
  });

  test('while a step is parked', async () => {
    const world = createFullWorld();
    world.behave('grants', () => {
      throw finalFailure('GrantsDiffer');
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      for (const gate of gatesInOrder) await approveGate(handle, gate);
      await statusWhen(handle, isParked);
      await handle.cancel();
      const status = await handle.result();
      expectAborted(status, 'grants');
      expect(status.outcome?.reason).toContain('Interrupted, so not known until looked at: grants.');
    });
  });
});
