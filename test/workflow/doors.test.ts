import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MessageName } from '../../workflows/messages.ts';
import type { Status } from '../../workflows/view.ts';
import {
  approveGate,
  atGate,
  createHarness,
  isParked,
  statusWhen,
  type CutoverHandle,
  type Harness,
} from './harness.ts';
import { createFakeWorld, finalFailure } from './fake-activities.ts';
import { sampleDigest } from './sample-evidence.ts';
import { samplePolicy } from './sample-target.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const good = { gate: 'go', by: 'Ada', plan: sampleDigest.go };
const retry = { step: 'upgrade', attempt: 1, by: 'Ada', action: 'retry', reason: 'mended' };
const update = (handle: CutoverHandle, name: MessageName, payload: unknown, updateId: string = randomUUID()) =>
  handle.executeUpdate(name, { args: [payload], updateId });

/** What an update is told at once, at the gate `go`. */
const toldAtOnce: [string, MessageName, unknown, RegExp][] = [
  ['its shape', 'approve', { gate: 'go' }, /approve was refused: the message is not as expected: by: Required/],
  ['no payload', 'approve', undefined, /the message is not as expected/],
  ['its gate', 'approve', { ...good, gate: 'rm-11' }, /it is for the gate rm-11, and the open gate is go/],
  ['its digest', 'approve', { ...good, plan: 'f'.repeat(64) }, /it names the plan ffffffffffff/],
  ['the name that it claims', 'approve', { ...good, by: 'Mallory' }, /Mallory is not among the approvers/],
  ['the requester', 'approve', { ...good, by: 'Rita' }, /the policy wants another person/],
  ['a rejection without a reason', 'reject', good, /reason: Required/],
  ['nothing that is parked', 'resolve', retry, /resolve was refused: nothing is parked/],
  ['a kill switch by a stranger', 'killSwitch', { by: 'Mallory', reason: 'so' }, /neither an approver nor on call/],
  [
    'a launch at another gate',
    'launch',
    { by: 'Ada', plan: sampleDigest.go, backup: { continuousProtection: true } },
    /the open gate is go/,
  ],
];

test('an update is told at once what is wrong with it, and leaves no trace', async () => {
  const world = createFakeWorld();
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await statusWhen(handle, atGate('go'));
    for (const [, name, payload, why] of toldAtOnce) {
      await expect(update(handle, name, payload)).rejects.toMatchObject({
        // The Web UI shows a stack to whoever sent it, where there is one.
        cause: { type: 'MessageRefused', message: expect.stringMatching(why), stack: '' },
      });
    }
    const status = await statusWhen(handle, atGate('go'));
    expect(status.refusedMessages).toEqual([]);
    expect(world.performed).not.toContain('confirm');
    await handle.cancel();
    await handle.result();
  });
});

test('every message goes through both doors', async () => {
  const world = createFakeWorld();
  world.behave('upgrade', (call) => {
    if (call.attempt < 3) throw finalFailure('MigrationFailed');
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await statusWhen(handle, atGate('go'));
    expect(await update(handle, 'approve', good)).toEqual({
      received: 'approve',
      note: expect.stringContaining('Whether it counted shows in the status'),
    });
    await statusWhen(handle, isParked);
    await update(handle, 'resolve', retry);
    await statusWhen(handle, (seen) => isParked(seen) && seen.waitingFor?.round === 2);
    await handle.signal('resolve', { ...retry, attempt: 2 });
    const { waitingFor } = await statusWhen(handle, atGate('rm-11'));
    await update(handle, 'reject', { ...waitingFor?.message, by: 'Bo', reason: 'not now' });
    await statusWhen(handle, isParked);
    await update(handle, 'resolve', { ...retry, step: 'rm-11' });
    await approveGate(handle, 'rm-11');
    await statusWhen(handle, atGate('launch'));
    await update(handle, 'killSwitch', { by: 'Kim', reason: 'enough' });
    const { outcome, refusedMessages } = await handle.result();
    expect(outcome).toMatchObject({ result: 'rolled-back', by: 'Kim' });
    expect(refusedMessages).toEqual([]);
  });
});

test('an update that is sent again counts once, also in the run that continued the one it reached', async () => {
  const world = createFakeWorld({ historyEventLimit: 25, policy: { ...samplePolicy, quorum: 2 } });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    const before = await statusWhen(handle, (seen) => atGate('go')(seen) && seen.continued > 0);
    await update(handle, 'approve', good, 'the-one');
    // The server knows the update while this run lives; behind continue-as-new, only what was carried does.
    await update(handle, 'approve', good, 'the-one');
    for (let now = before; now.continued === before.continued;) {
      await handle.signal('approve', null);
      now = await statusWhen(handle, (seen) => seen.journal.length > now.journal.length);
    }
    const followed = harness.client.workflow.getHandle(handle.workflowId) as unknown as CutoverHandle;
    await update(followed, 'approve', good, 'the-one');
    // Under an id of its own, the same words are another message.
    await expect(update(followed, 'approve', good)).rejects.toMatchObject({
      cause: { message: expect.stringContaining('Ada has approved it already') },
    });
    const status = await statusWhen(handle, atGate('go'));
    expect(status.waitingFor).toMatchObject({ needed: 1 });
    expect(status.refusedMessages.filter((refused) => refused.by !== null)).toEqual([]);
    await handle.cancel();
    await handle.result();
  });
});

describe('who sent it', () => {
  const identifiedIn = ({ journal }: Status): string[] =>
    journal.filter((entry) => entry.event === 'identified').map((entry) => entry.text);

  test('is asked of the history, by the door it came through, and stands in the journal beside the claimed name', async () => {
    const world = createFakeWorld({
      sender: ({ door, name }) => ({
        identity: `${name} by ${door}`,
        principal: door === 'update' ? 'ada@example.com' : null,
      }),
    });
    world.behave('upgrade', (call) => {
      if (call.attempt === 1) throw finalFailure('MigrationFailed');
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      await statusWhen(handle, atGate('go'));
      await handle.signal('approve', { ...good, gate: 'rm-11' });
      await handle.signal('approve', good);
      await statusWhen(handle, isParked);
      await update(handle, 'resolve', retry, 'u-1');
      await statusWhen(handle, atGate('rm-11'));
      await handle.cancel();
      const status = await handle.result();
      expect(identifiedIn(status)).toEqual([
        'start from Rita: sent as start by start, not verified by the server',
        'approve from Ada: sent as approve by signal, not verified by the server',
        'resolve from Ada: sent as resolve by update, ada@example.com',
      ]);
      // The refused one is counted among the signals, and not asked about.
      expect(world.identified).toEqual([
        { door: 'start', name: 'start' },
        { door: 'signal', name: 'approve', ordinal: 2 },
        { door: 'update', name: 'resolve', updateId: 'u-1' },
      ]);
    });
  });

  test('a history that cannot be asked holds nothing up, and says so', async () => {
    const world = createFakeWorld({
      sender: () => {
        throw finalFailure('OutcomeUnknown');
      },
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      await approveGate(handle, 'go');
      await statusWhen(handle, atGate('rm-11'));
      await handle.cancel();
      expect(identifiedIn(await handle.result())).toEqual([
        expect.stringContaining('start from Rita: sent as unknown: the history could not be read'),
        expect.stringContaining('approve from Ada: sent as unknown'),
      ]);
    });
  });

  test('where the policy wants verified senders, nobody else decides', async () => {
    const world = createFakeWorld({
      policy: { ...samplePolicy, requireVerifiedIdentity: true },
      sender: (sender) => ({
        identity: 'a client',
        principal: sender.door === 'signal' && sender.ordinal === 1 ? null : 'ada@example.com',
      }),
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      await statusWhen(handle, atGate('go'));
      await handle.signal('approve', good);
      const refused = await statusWhen(handle, (seen) => seen.refusedMessages.length > 0);
      expect(refused.refusedMessages[0]?.why).toMatch(/the policy wants a verified identity/);
      expect(atGate('go')(refused)).toBe(true);
      await handle.signal('approve', good);
      const passed = await statusWhen(handle, atGate('rm-11'));
      expect(identifiedIn(passed)).toContainEqual('approve from Ada: sent as a client, ada@example.com');
      await handle.cancel();
      await handle.result();
    });
  });
});
