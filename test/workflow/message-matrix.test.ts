import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { messageNames, type MessageName } from '../../workflows/messages.ts';
import { steps, type StepId } from '../../workflows/steps.ts';
import type { Status } from '../../workflows/view.ts';
import { barrier, finalFailure } from './fake-activities.ts';
import { createHarness, freshApp, isParked, statusWhen, type CutoverHandle, type Harness } from './harness.ts';
import { createFullWorld, procedures, startOf, stepsOfMode, type Mode } from './whole-sequence.ts';

// Every message that must not count, at every point of every procedure where a run works or waits for people: each is
// refused with its reason, nothing moves, and then the one that counts does, once.
let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

type Payload = Readonly<Record<string, unknown>>;
const nobodysPlan = '0123456789ab'.repeat(2);

/** Messages of each name that count nowhere: not for what is asked, from nobody who may, or of no form. */
const worthless: Readonly<Record<MessageName, (asked: Payload) => readonly Payload[]>> = {
  approve: ({ gate = 'go', plan = nobodysPlan }) => [
    { gate: 'no-such-gate', plan, by: 'Ada' },
    { gate, plan: nobodysPlan, by: 'Ada' },
    { gate, plan, by: 'Mallory' },
    { by: 'Ada' },
  ],
  reject: ({ gate = 'go', plan = nobodysPlan }) => [
    { gate, plan: nobodysPlan, by: 'Ada', reason: 'of another plan' },
    { gate, plan, by: 'Mallory', reason: 'who is that?' },
    { gate, plan, by: 'Ada' },
  ],
  resolve: ({ step = 'upgrade', attempt = 1 }) => [
    { step: 'no-such-step', attempt, by: 'Ada', action: 'retry', reason: 'it is not parked' },
    { step, attempt: 99, by: 'Ada', action: 'retry', reason: 'of another attempt' },
    { step, attempt, by: 'Mallory', action: 'retry', reason: 'who is that?' },
    { step, attempt, by: 'Ada', action: 'skip', reason: 'that is no choice' },
  ],
  killSwitch: () => [{ by: 'Mallory', reason: 'who is that?' }, { by: 'Kim' }],
  launch: ({ plan = nobodysPlan }) => [
    { by: 'Ada', plan: nobodysPlan, backup: { continuousProtection: true } },
    { by: 'Mallory', plan, backup: { continuousProtection: true } },
    { by: 'Ada', plan },
  ],
  rotate: () => [
    { by: 'Mallory', credential: 'owner', reason: 'who is that?' },
    { by: 'Rita', credential: 'root', reason: 'there is no such credential' },
  ],
};

/** What must not move. */
const pointOf = ({ procedure, stage, waitingFor, items }: Status): unknown => ({
  ...{ procedure, stage, waitingFor },
  items: items.map(({ id, state }) => [id, state]),
});

let marks = 0;

async function sendWorthless(handle: CutoverHandle, before: Status): Promise<void> {
  for (const name of messageNames) {
    const payloads = worthless[name](before.waitingFor?.message ?? {});
    // So that the last ones that a run keeps are these.
    const mark = `no-such-message-${++marks}`;
    await handle.signal(mark, { by: 'Ada' });
    for (const payload of payloads) await handle.signal(name, payload);
    const after = await statusWhen(handle, ({ refusedMessages }) => {
      const marked = refusedMessages.findLastIndex(({ message }) => message === mark);
      return marked >= 0 && refusedMessages.length - marked - 1 === payloads.length;
    });
    const refused = after.refusedMessages.slice(-payloads.length);
    expect(refused.map(({ message, why }) => [message, why.length > 10])).toEqual(payloads.map(() => [name, true]));
    expect(pointOf(after)).toEqual(pointOf(before));
  }
}

/** Answers what a run waits for, twice: a sender that tries again does not count again. */
async function answer(handle: CutoverHandle, { waitingFor }: Status): Promise<void> {
  const { signal = '', message } = waitingFor ?? {};
  const payload = {
    ...message,
    by: 'Ada',
    id: `matrix-${signal} ${JSON.stringify(message)}`,
    ...(signal === 'resolve' ? { reason: 'mended' } : {}),
  };
  await handle.signal(signal, payload);
  await handle.signal(signal, payload);
}

const firstWrite = (mode: Mode): StepId | undefined => stepsOfMode(mode).find((step) => steps[step].writes);

test.each(Object.keys(procedures) as Mode[])(
  '%s: what must not count moves nothing, wherever the run is',
  async (mode) => {
    const world = createFullWorld();
    const [held, failing] = [stepsOfMode(mode)[0] as StepId, firstWrite(mode)];
    const { reached, release, hold } = barrier();
    world.behave(held, hold);
    if (failing)
      world.behave(failing, ({ attempt }) => {
        if (attempt === 1) throw finalFailure('PlatformRefused');
      });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start(startOf(mode, freshApp(mode)));
      await reached;
      await sendWorthless(handle, await statusWhen(handle, ({ stage }) => stage === 'working'));
      release();
      const asked: unknown[] = [];
      for (;;) {
        const status = await statusWhen(
          handle,
          (seen) =>
            seen.outcome !== null ||
            ((isParked(seen) || (seen.waitingFor?.needed ?? 0) > 0) &&
              JSON.stringify(seen.waitingFor?.message) !== asked.at(-1)),
        );
        if (status.outcome !== null) break;
        asked.push(JSON.stringify(status.waitingFor?.message));
        await sendWorthless(handle, status);
        await answer(handle, status);
      }
      const status = await handle.result();
      expect(status.outcome?.result).toBe(procedures[mode].result);
      expect(world.performed).toEqual(stepsOfMode(mode));
      const gates = procedures[mode].items.filter(({ kind }) => kind === 'gate' || kind === 'watch');
      expect(asked).toHaveLength(gates.length + (failing ? 1 : 0));
      // Doubled, and counted once.
      expect(status.journal.filter(({ event }) => event === 'approved')).toHaveLength(gates.length);
      expect(status.journal.filter(({ event }) => event === 'resolved')).toHaveLength(failing ? 1 : 0);
    });
  },
);
