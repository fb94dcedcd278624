import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { activityInfo } from '@temporalio/activity';
import { planGates, type SurveyedGate } from '../../workflows/facts.ts';
import type { Item } from '../../workflows/sop.ts';
import { stepIds, steps, type StepId } from '../../workflows/steps.ts';
import type { Status } from '../../workflows/view.ts';
import { everyStep, inItsOwnRuns, manyRuns, playAll, playInTurn } from './every-step.ts';
import {
  approveGates,
  approveGate,
  atGate,
  breaksIn,
  createHarness,
  freshApp,
  isParked,
  statusWhen,
  type CutoverHandle,
  type Harness,
} from './harness.ts';
import { barrier, finalFailure, passingFailure } from './fake-activities.ts';
import {
  createFullWorld,
  gatesInOrder,
  procedures,
  startOf,
  stepsBefore,
  writesBefore,
  type Mode,
} from './whole-sequence.ts';

// Every step of every procedure meets every kind of fault.
let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const modes = Object.keys(procedures) as Mode[];
const stepsOf = (mode: Mode): StepId[] => everyStep.filter((run) => run.mode === mode).map((run) => run.step);
const itemOf = (mode: Mode, id: Item['id']) => procedures[mode].items.find((item) => item.id === id);

/** The gates of a procedure that ask. */
const gatesOf: { readonly [M in Mode]?: readonly SurveyedGate[] } = {
  cutover: planGates,
  'staging-soak': planGates,
  rotation: ['rotate'],
};

/** Plays the people of a procedure until the run has ended. */
const playPeople = (mode: Mode, handle: CutoverHandle): Promise<Status> =>
  gatesOf[mode] === undefined ? handle.result() : approveGates(handle, gatesOf[mode]);

test('the matrix has every step that there is', () => {
  // A step that is added to a procedure is added to the matrix by that; one that no procedure has would be left out.
  const met = new Set<StepId>([...everyStep.map((run) => run.step), 'watch-sample', 'soak-sample']);
  expect([...met].sort()).toEqual([...stepIds].sort());
});

test('every step fails in passing, twice, and then passes; each is done once', async () => {
  const world = createFullWorld();
  // A few failing steps in a run, and the runs side by side: the server takes a second for each retry.
  const runs = modes.flatMap((mode) =>
    inGroups(stepsOf(mode), 5).map((failing) => ({ mode, failing, app: freshApp(mode) })),
  );
  const failingIn = new Map(runs.map((run) => [run.app, run.failing]));
  for (const step of stepIds) {
    world.behave(step, ({ app }) => {
      if (failingIn.get(app)?.includes(step) && activityInfo().attempt < 3) throw passingFailure('PlatformUnavailable');
    });
  }
  await harness.withWorker(world, async ({ start }) => {
    await Promise.all(
      runs.map(async ({ mode, app }) => {
        const status = await playPeople(mode, await start(startOf(mode, app)));
        expect(status.outcome?.result).toBe(procedures[mode].result);
        expect(status.items.every((item) => item.state === 'done')).toBe(true);
        expect(world.performedIn(app)).toEqual(stepsOf(mode));
      }),
    );
  });
});

function inGroups<T>(all: readonly T[], size: number): T[][] {
  const count = Math.ceil(all.length / size);
  return Array.from({ length: count }, (_, index) => all.slice(index * size, (index + 1) * size));
}

/** What becomes of a run in which a step fails for good, as the item says it. */
function handlingOf(mode: Mode, item: Item | undefined): 'refused' | 'parked' | 'later' | 'reported' {
  if (item?.kind !== 'step') throw new Error('no step');
  if (item.onFailure !== undefined) return item.onFailure === 'later' ? 'later' : 'reported';
  return item.phase === 'preflight' || (item.refuses === true && mode !== 'cutover') ? 'refused' : 'parked';
}
const handled = (...kinds: ReturnType<typeof handlingOf>[]) =>
  everyStep.filter(({ mode, step }) => kinds.includes(handlingOf(mode, itemOf(mode, step))));

/** Whether a step waits for the effect of one of the others: it is done anew behind one that was tried again in the end. */
function waitsFor(mode: Mode, step: StepId, others: readonly StepId[]): boolean {
  const item = itemOf(mode, step);
  return item?.kind === 'step' && item.follows?.some((id) => others.includes(id)) === true;
}

test('a step whose failure refuses the run: it ends with that type, and nothing after it is begun', async () => {
  const world = createFullWorld();
  const runs = handled('refused');
  inItsOwnRuns(world, runs, (_, call) => {
    throw finalFailure('PlatformRefused', `staged in ${call.step}`);
  });
  await harness.withWorker(world, (session) =>
    playAll(session, runs, async ({ mode, step, app, handle }) => {
      await expect(playPeople(mode, handle)).rejects.toMatchObject({
        cause: { type: 'PlatformRefused', message: `staged in ${step}` },
      });
      // Only the fence is let go again, where one was raised.
      const fenced = stepsBefore(step, mode).includes('fence') ? ['lift-fence'] : [];
      expect(world.performedIn(app)).toEqual([...stepsBefore(step, mode), ...fenced]);
      expect((await handle.describe()).memo).toMatchObject({
        stage: 'ended',
        journal: { text: `refused: PlatformRefused: staged in ${step}` },
      });
    }),
  );
  expect(runs.length).toBeGreaterThan(10);
});

test.each(modes.filter((mode) => mode !== 'plan'))(
  '%s: every other step fails for good once, is decided about by a person, and is done in its second attempt',
  async (mode) => {
    const world = createFullWorld();
    const failing = handled('parked', 'later').filter((run) => run.mode === mode);
    for (const { step } of failing) {
      world.behave(step, (call) => {
        if (call.attempt === 1) throw finalFailure('PlatformRefused', `staged in ${step}`);
      });
    }
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start(startOf(mode, freshApp()));
      const parkedAt: unknown[] = [];
      const people = (async () => {
        for (let ended = false; !ended;) {
          // A soak asks nobody.
          const open = ({ waitingFor, outcome }: Status): boolean =>
            (waitingFor !== null && waitingFor.needed > 0) || outcome !== null;
          const asked = (status: Status): string => JSON.stringify(status.waitingFor?.message);
          const before = await statusWhen(handle, open);
          ended = before.outcome !== null;
          const { signal = 'resolve', message } = before.waitingFor ?? {};
          if (ended) continue;
          if (signal === 'resolve') parkedAt.push(message?.['step']);
          await handle.signal(signal, { ...message, by: 'Ada', ...(signal === 'resolve' ? { reason: 'mended' } : {}) });
          await statusWhen(handle, (status) => status.outcome !== null || asked(status) !== asked(before));
        }
      })();
      const [status] = await Promise.all([handle.result(), people]);
      expect(status.outcome?.result).toBe(procedures[mode].result);
      // What may wait is decided about in the end, while the others went on.
      const later = handled('later').filter((run) => run.mode === mode);
      const order = [...failing.filter((run) => !later.includes(run)), ...later].map((run) => run.step);
      expect(parkedAt).toEqual(order);
      const last = later.map((run) => run.step);
      const anew = failing.map((run) => run.step).filter((step) => waitsFor(mode, step, last));
      for (const { step } of failing) {
        expect(status.items.find((item) => item.id === step)).toMatchObject({
          attempt: anew.includes(step) ? 3 : 2,
          state: 'done',
          failure: null,
        });
      }
      const lastAndAnew = last.flatMap((step) => [step, ...anew.filter((other) => waitsFor(mode, other, [step]))]);
      expect(world.performed).toEqual([...stepsOf(mode).filter((step) => !last.includes(step)), ...lastAndAnew]);
      expect(breaksIn(status.journal)).toEqual([]);
    });
  },
);

test('a failure that is only reported holds nothing up, and the outcome names it', async () => {
  const world = createFullWorld();
  const runs = handled('reported');
  inItsOwnRuns(world, runs, () => {
    throw finalFailure('PlatformRefused');
  });
  await harness.withWorker(world, (session) =>
    playAll(session, runs, async ({ mode, step, handle }) => {
      const { outcome } = await playPeople(mode, handle);
      expect(outcome?.result).toBe(procedures[mode].result);
      expect(outcome?.reason).toContain(`Failed, and not in the way: ${step} (PlatformRefused).`);
    }),
  );
  expect(runs.map((run) => run.step)).toEqual(['open-follow-ups']);
});

describe('cancelled in Temporal', () => {
  function expectAborted(status: Status, inPlace: readonly StepId[]): void {
    expect(status.outcome).toMatchObject({ result: 'aborted', by: 'unnamed' });
    expect(status.outcome?.reason).toContain(`In place: ${inPlace.join(', ') || 'nothing was changed'}.`);
    expect(status.waitingFor).toBeNull();
    expect(breaksIn(status.journal)).toEqual([]);
  }

  test(
    'in the middle of every step: the run ends as completed, names the step, and begins nothing more',
    async () => {
      const world = createFullWorld();
      const barriers = new Map(everyStep.map((run) => [run.app, barrier()]));
      inItsOwnRuns(world, everyStep, (app) => barriers.get(app)?.hold());
      await harness.withWorker(world, (session) =>
        playInTurn(session, everyStep, async ({ mode, step, app, handle }) => {
          const people = playPeople(mode, handle);
          await barriers.get(app)?.reached;
          await handle.cancel();
          const status = await people;
          expectAborted(status, writesBefore(step, mode));
          expect(status.outcome?.reason).toContain(`Interrupted, so not known until looked at: ${step}.`);
          expect(world.performedIn(app)).toEqual(stepsBefore(step, mode));
          expect((await handle.describe()).status.name).toBe('COMPLETED');
        }),
      );
    },
    manyRuns,
  );

  test(
    'while a step ends regardless of the request: what it did is told as in place',
    async () => {
      const world = createFullWorld();
      const writing = everyStep.filter(
        ({ mode, step }) => mode !== 'cutover' && mode !== 'staging-soak' && steps[step].writes,
      );
      const barriers = new Map(writing.map((run) => [run.app, barrier()]));
      // As a step behaves whose effect is there before the request reaches it.
      inItsOwnRuns(world, writing, (app) =>
        barriers
          .get(app)
          ?.hold()
          .catch(() => undefined),
      );
      await harness.withWorker(world, (session) =>
        playAll(session, writing, async ({ mode, step, app, handle }) => {
          const people = playPeople(mode, handle);
          await barriers.get(app)?.reached;
          await handle.cancel();
          const status = await people;
          expectAborted(status, [...writesBefore(step, mode), step]);
          expect(status.outcome?.reason).not.toContain('Interrupted');
          expect(world.performedIn(app)).toEqual([...stepsBefore(step, mode), step]);
        }),
      );
    },
    manyRuns,
  );

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
          expectAborted(status, writesBefore(gate));
          expect(status.outcome?.reason).not.toContain('Interrupted');
        }),
      );
    });
  });

  test('while a step is parked', async () => {
    const world = createFullWorld();
    world.behave('upgrade', () => {
      throw finalFailure('MigrationFailed');
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      await approveGate(handle, 'go');
      await statusWhen(handle, isParked);
      await handle.cancel();
      const status = await handle.result();
      expectAborted(status, writesBefore('upgrade'));
      expect(status.outcome?.reason).toContain('Interrupted, so not known until looked at: upgrade.');
    });
  });
});
