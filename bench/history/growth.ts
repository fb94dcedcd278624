import type { WorkflowHandle } from '@temporalio/client';
import { createFakeWorld, finalFailure, passingFailure } from '../../test/workflow/fake-activities.ts';
import {
  approveAll,
  approveGate,
  atGate,
  resolveParked,
  statusWhen,
  type Harness,
} from '../../test/workflow/harness.ts';
import { straightLine } from '../statistics.ts';
import { costOf, type Cost } from './recorded.ts';

/** Something that may come to pass in a run any number of times. */
export interface Repeated {
  readonly what: string;
  /** Performs a cutover in which it comes to pass that often, to its end; answers how often it really did. */
  readonly perform: (harness: Harness, times: number) => Promise<{ handle: WorkflowHandle; times: number }>;
}

/** Milliseconds between two samples of the watch: production takes one in a quarter of an hour. */
const sampleEveryMs = 300;

export const repeated: readonly Repeated[] = [
  {
    what: 'an attempt that the server makes again',
    async perform(harness, times) {
      const world = createFakeWorld();
      let attempts = 0;
      world.behave('survey', () => {
        attempts += 1;
        if (attempts <= times) throw passingFailure('PlatformUnavailable');
      });
      return harness.withWorker(world, async (session) => {
        const handle = await session.start();
        await approveAll(handle);
        return { handle, times };
      });
    },
  },
  {
    what: 'a step that parks, and that a person has tried again',
    async perform(harness, times) {
      const world = createFakeWorld();
      world.behave('smoke', (call) => {
        if (call.attempt <= times) throw finalFailure('SmokeFailed');
      });
      return harness.withWorker(world, async (session) => {
        const handle = await session.start();
        await approveGate(handle, 'go');
        for (let left = times; left > 0; left -= 1) {
          await resolveParked(handle, 'retry');
          const decided = times - left + 1;
          await statusWhen(handle, ({ items }) => (items.find(({ id }) => id === 'smoke')?.attempt ?? 0) > decided);
        }
        await approveGate(handle, 'rm-11');
        await approveGate(handle, 'launch');
        await handle.result();
        return { handle, times };
      });
    },
  },
  {
    what: 'a sample of the watch',
    async perform(harness, times) {
      return harness.withWorker(createFakeWorld({ sampleEveryMs }), async (session) => {
        const handle = await session.start();
        await approveGate(handle, 'go');
        await approveGate(handle, 'rm-11');
        const { watch } = await statusWhen(handle, (status) => (status.watch?.samples ?? 0) >= times);
        await approveGate(handle, 'launch');
        const last = await handle.result();
        return { handle, times: last.watch?.samples ?? watch?.samples ?? 0 };
      });
    },
  },
];

/** What a run costs that is killed at the gate behind RM-10. */
export async function killedAtGate(harness: Harness): Promise<Cost> {
  return harness.withWorker(createFakeWorld(), async (session) => {
    const handle = await session.start();
    await approveGate(handle, 'go');
    await statusWhen(handle, atGate('rm-11'));
    await handle.signal('killSwitch', { by: 'Kim', reason: 'the benchmark wants to know what it costs' });
    await handle.result();
    return costOf(await handle.fetchHistory());
  });
}

/** What one more of it costs, and how far a run was from that at most. */
export interface Growth {
  readonly events: number;
  readonly bytes: number;
  /** Events by which a run was off the straight line at most. */
  readonly off: number;
}

/** Performs runs in which it comes to pass more and more often, and draws a straight line through what they cost. */
export async function growthOf(
  { perform }: Repeated,
  harness: Harness,
  often: readonly number[],
  signal: AbortSignal,
): Promise<Growth> {
  const points: { times: number; cost: Cost }[] = [];
  for (const times of often) {
    signal.throwIfAborted();
    const { handle, times: seen } = await perform(harness, times);
    points.push({ times: seen, cost: costOf(await handle.fetchHistory()) });
  }
  const events = straightLine(points.map(({ times, cost }) => [times, cost.events]));
  const bytes = straightLine(points.map(({ times, cost }) => [times, cost.bytes]));
  return { events: events.slope, bytes: bytes.slope, off: events.off };
}
