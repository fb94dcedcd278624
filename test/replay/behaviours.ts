import type { CutoverHandle, Session } from '../workflow/harness.ts';
import { approveGate, atGate, isParked, resolveParked, statusWhen } from '../workflow/harness.ts';
import { barrier, createFakeWorld, finalFailure, passingFailure, type FakeWorld } from '../workflow/fake-activities.ts';
import { createFullWorld } from '../workflow/whole-sequence.ts';

export interface Behaviour {
  /** How the last run of the chain must have ended: what is replayed is what it is called. */
  readonly ends: 'workflowExecutionCompletedEventAttributes' | 'workflowExecutionFailedEventAttributes';
  readonly world: () => FakeWorld;
  /** What people do until the run has ended. */
  readonly play: (handle: CutoverHandle, session: Session, world: FakeWorld) => Promise<void>;
}

const completed = 'workflowExecutionCompletedEventAttributes';
const failed = 'workflowExecutionFailedEventAttributes';

function worldWhere(
  step: Parameters<FakeWorld['behave']>[0],
  behaviour: Parameters<FakeWorld['behave']>[1],
  world = createFakeWorld(),
): FakeWorld {
  world.behave(step, behaviour);
  return world;
}

/** The ways that a run can take whose histories are kept: code that cannot replay one would break a run in the field. */
export const behaviours: Readonly<Record<string, Behaviour>> = {
  completed: {
    ends: completed,
    world: createFullWorld,
    async play(handle) {
      await approveGate(handle, 'go');
      await approveGate(handle, 'rm-11', 'Bo');
    },
  },
  'without-pull-request': {
    ends: completed,
    world: () => createFakeWorld({ hasPullRequest: false, pullRequest: null }),
    async play(handle) {
      await approveGate(handle, 'go');
      await approveGate(handle, 'rm-11', 'Bo');
    },
  },
  'parked-and-retried': {
    ends: completed,
    world: () =>
      worldWhere('smoke', (call) => {
        if (call.attempt === 1) throw finalFailure('SmokeFailed');
      }),
    async play(handle) {
      await approveGate(handle, 'go');
      await resolveParked(handle, 'retry');
      await approveGate(handle, 'rm-11');
    },
  },
  'failed-in-passing': {
    ends: completed,
    world: () => {
      let attempts = 0;
      return worldWhere('survey', () => {
        attempts += 1;
        if (attempts < 3) throw passingFailure('PlatformUnavailable');
      });
    },
    async play(handle) {
      await approveGate(handle, 'go');
      await approveGate(handle, 'rm-11');
    },
  },
  aborted: {
    ends: completed,
    world: () =>
      worldWhere('grants', () => {
        throw finalFailure('GrantsDiffer');
      }),
    async play(handle) {
      await approveGate(handle, 'go');
      await approveGate(handle, 'rm-11');
      await resolveParked(handle, 'abort');
    },
  },
  refused: {
    ends: failed,
    world: () =>
      worldWhere('config-check', () => {
        throw finalFailure('DatabaseUrlSqlite');
      }),
    play: () => Promise.resolve(),
  },
  'refused-at-start': {
    ends: failed,
    world: () => createFakeWorld(),
    play: () => Promise.resolve(),
  },
  'cancelled-at-gate': {
    ends: completed,
    world: () => createFakeWorld(),
    async play(handle) {
      await statusWhen(handle, atGate('go'));
      await handle.cancel();
    },
  },
  'cancelled-in-step': {
    ends: completed,
    world: () => createFakeWorld(),
    async play(handle, _session, world) {
      const { reached, hold } = barrier();
      world.behave('upgrade', hold);
      await approveGate(handle, 'go');
      await reached;
      await handle.cancel();
    },
  },
  'continued-as-new': {
    ends: completed,
    world: () =>
      worldWhere(
        'restart',
        (call) => {
          if (call.attempt === 1) throw finalFailure('ReleaseFailed');
        },
        createFakeWorld({ historyEventLimit: 25 }),
      ),
    async play(handle) {
      await statusWhen(handle, (status) => status.continued === 1 && atGate('go')(status));
      await approveGate(handle, 'go');
      await statusWhen(handle, (status) => status.continued === 2 && isParked(status));
      await resolveParked(handle, 'retry');
      await statusWhen(handle, (status) => status.continued === 3 && atGate('rm-11')(status));
      await approveGate(handle, 'rm-11');
    },
  },
  'refused-messages': {
    ends: completed,
    world: () => createFakeWorld(),
    async play(handle, { withoutWorker }) {
      const { waitingFor } = await statusWhen(handle, atGate('go'));
      const good = { ...waitingFor?.message, by: 'Ada', id: 'once' };
      for (const junk of [null, 'go', { ...good, gate: 'rm-11' }, { ...good, plan: 'f'.repeat(64), id: 'other' }]) {
        await handle.signal('approve', junk);
      }
      await withoutWorker(async () => {
        await handle.signal('approve', { ...good, id: 'third' });
        await handle.signal('approve', { ...good, id: 'third' });
      });
      await approveGate(handle, 'rm-11');
    },
  },
};

/** What a behaviour is started with: all but one of them well. */
export function startOf(behaviour: string): { input: unknown } {
  const app = `recorded-${behaviour}`.slice(0, 30).replace(/-$/, '');
  return {
    input: { app, requestedBy: 'Rita', ...(behaviour === 'refused-at-start' ? { approvers: ['Mallory'] } : {}) },
  };
}
