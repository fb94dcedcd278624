import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sampleDigest } from './sample-evidence.ts';
import { samplePolicy } from './sample-target.ts';
import { barrier, createFakeWorld, finalFailure, passingFailure, type FakeWorldOptions } from './fake-activities.ts';
import {
  answerAll,
  approveAll,
  approveGate,
  atGate,
  createHarness,
  isParked,
  resolveParked,
  statusWhen,
  type Harness,
} from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const telling = (more: FakeWorldOptions = {}) => createFakeWorld({ tellsPeople: true, ...more });

/** What activities a history has scheduled, by name. */
async function scheduled(workflowId: string, runId?: string): Promise<string[]> {
  const { events } = await harness.client.workflow.getHandle(workflowId, runId).fetchHistory();
  return (events ?? []).flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
}

test('gates, a parked step and the end are told, each once, with the message that answers', async () => {
  const world = telling();
  world.behave('smoke', (call) => {
    if (call.attempt === 1) throw finalFailure('SmokeFailed');
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await resolveParked(handle, 'retry');
    await approveGate(handle, 'rm-11');
    await approveGate(handle, 'launch');
    await handle.result();

    expect(world.told.map(({ event, happened }) => [event, happened])).toEqual([
      ['gate-opened', 'The gate go is open.'],
      ['parked', 'The step smoke is parked: SmokeFailed: SmokeFailed was staged'],
      ['gate-opened', 'The gate rm-11 is open.'],
      ['gate-opened', 'The gate launch is open.'],
      ['ended', 'The run has ended, completed: Every step is done and verified, and the database is sealed.'],
    ]);
    expect(world.told.map(({ asked }) => asked?.message ?? null)).toEqual([
      { gate: 'go', by: '<your name>', plan: sampleDigest.go },
      { step: 'smoke', attempt: 1, by: '<your name>', action: 'retry', reason: '<why>' },
      { gate: 'rm-11', by: '<your name>', plan: sampleDigest['rm-11'] },
      expect.objectContaining({ plan: sampleDigest.launch }),
      null,
    ]);
    const ids = world.told.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => id.startsWith(`${handle.firstExecutionRunId}/`))).toBe(true);
  });
});

test('where the worker knows no webhook, nothing is scheduled', async () => {
  const world = createFakeWorld();
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveAll(handle);
    expect(world.told).toEqual([]);
    expect(await scheduled(handle.workflowId)).not.toContain('tellPeople');
  });
});

test('a question that nobody answers is told again', async () => {
  const world = telling({ policy: { ...samplePolicy, remindEveryMs: 300 } });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await statusWhen(handle, ({ journal }) => journal.filter(({ event }) => event === 'reminded').length >= 2);
    await handle.cancel();
    await handle.result();
    const reminders = world.told.filter(({ event }) => event === 'reminder');
    expect(reminders.length).toBeGreaterThanOrEqual(2);
    expect(reminders[0]?.asked).toMatchObject({ what: 'approval of the gate go', from: samplePolicy.approvers });
  });
});

test('no is told as it was said, and so is a cancelled run', async () => {
  const world = telling();
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    const { waitingFor } = await statusWhen(handle, atGate('go'));
    await handle.signal('reject', { ...waitingFor?.message, by: 'Bo', reason: 'not tonight' });
    await statusWhen(handle, isParked);
    await handle.cancel();
    await handle.result();
    const [, rejected, ended] = world.told;
    expect(rejected).toMatchObject({
      event: 'parked',
      happened: 'The gate go was rejected by Bo: not tonight',
      asked: { signal: 'resolve' },
    });
    expect(ended).toMatchObject({ event: 'ended', asked: null });
  });
});

test('the kill switch is told, and does not wait until it is', async () => {
  const held = barrier();
  const world = telling({
    receiver: ({ event }) => (event === 'kill-switch' ? held.hold() : undefined),
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await statusWhen(handle, atGate('rm-11'));
    await handle.signal('killSwitch', { by: 'Kim', reason: 'customers wait' });
    await held.reached;
    // All of it is done, and the receiver has not answered yet.
    await statusWhen(handle, ({ items }) => items.find(({ id }) => id === 'verify-serving')?.state === 'done');
    held.release();
    expect((await handle.result()).outcome?.result).toBe('rolled-back');
    const [, , pulled] = world.told;
    expect(pulled).toMatchObject({
      event: 'kill-switch',
      happened: 'The kill switch was pulled by Kim: customers wait',
    });
  });
});

test('a run that is started for a way back is told, and how it ended', async () => {
  const world = telling();
  world.behave('count-rows', () => {
    throw finalFailure('CustomerRowsExist', 'orders has 1 row');
  });
  await harness.withWorker(world, async ({ start }) => {
    const app = `told-${Date.now().toString(36)}`;
    const handle = await start({ input: { app, requestedBy: 'Kim', mode: 'kill-switch', reason: 'customers wait' } });
    await expect(handle.result()).rejects.toThrow();
    expect(world.told.map(({ happened }) => happened)).toEqual([
      'The kill switch was pulled by Kim: customers wait',
      'The run has ended, refused: CustomerRowsExist: orders has 1 row',
    ]);
  });
});

test('a way back that is refused is told, and what is asked then', async () => {
  const world = telling();
  world.behave('count-rows', () => {
    throw finalFailure('CustomerRowsExist', 'orders has 1 row');
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await statusWhen(handle, atGate('rm-11'));
    await handle.signal('killSwitch', { by: 'Kim', reason: 'customers wait' });
    await statusWhen(
      handle,
      (status) => status.journal.some(({ event }) => event === 'resumed') && atGate('rm-11')(status),
    );
    await handle.cancel();
    await handle.result();
    // Those that are told at once may come in any order; their numbers say which was first.
    const number = ({ id }: { id: string }): number => Number(id.split('/')[1]);
    expect([...world.told].sort((a, b) => number(a) - number(b)).map(({ happened }) => happened)).toEqual([
      'The gate go is open.',
      'The gate rm-11 is open.',
      'The kill switch was pulled by Kim: customers wait',
      'The way back is refused: CustomerRowsExist: orders has 1 row',
      'The gate rm-11 is open, and asks anew.',
      expect.stringContaining('The run has ended, aborted'),
    ]);
  });
});

test('a receiver that refuses is tried again under the same id, and the run is what it would have been', async () => {
  const world = telling({
    receiver: () => {
      const { id } = world.told.at(-1) ?? { id: '' };
      if (world.told.filter((one) => one.id === id).length < 3) throw passingFailure('NoticeNotSent');
    },
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    const { outcome } = await approveAll(handle);
    expect(outcome?.result).toBe('completed');
    const tries = new Map<string, number>();
    for (const { id } of world.told) tries.set(id, (tries.get(id) ?? 0) + 1);
    expect([...tries.values()]).toEqual([3, 3, 3, 3]);
  });
});

test('one that refuses for good changes nothing', async () => {
  const world = telling({
    receiver: () => {
      throw finalFailure('NoticeNotSent');
    },
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    expect((await approveAll(handle)).outcome?.result).toBe('completed');
    expect(world.told.map(({ event }) => event)).toEqual(['gate-opened', 'gate-opened', 'gate-opened', 'ended']);
  });
});

test('across continue-as-new each is told once, and what is being told is not lost', async () => {
  const held = barrier();
  const world = telling({
    historyEventLimit: 25,
    receiver: ({ asked }) => (asked?.message['gate'] === 'go' ? held.hold() : undefined),
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await statusWhen(handle, atGate('go'));
    await held.reached;
    // A message is heard while the receiver thinks, although the history is long enough.
    await handle.signal('approve', { gate: 'go' });
    const refused = await statusWhen(handle, ({ refusedMessages }) => refusedMessages.length > 0);
    expect(refused.continued).toBe(0);
    held.release();
    await statusWhen(handle, ({ continued }) => continued > 0);
    await answerAll(handle);
    await handle.result();
    expect(world.told.map(({ happened }) => happened.slice(0, 22))).toEqual([
      'The gate go is open.',
      'The gate rm-11 is open',
      'The gate launch is ope',
      'The run has ended, com',
    ]);
    expect(new Set(world.told.map(({ id }) => id.split('/')[0]))).toEqual(new Set([handle.firstExecutionRunId]));
  });
});

test('each timer of a wait says what it is for', async () => {
  const world = telling({ policy: { ...samplePolicy, remindEveryMs: 60_000 } });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await statusWhen(handle, atGate('go'));
    await handle.cancel();
    await handle.result();
    const { events } = await harness.client.workflow.getHandle(handle.workflowId).fetchHistory();
    const timers = (events ?? []).filter((event) => event.timerStartedEventAttributes != null);
    const summaries = timers.map(({ userMetadata }) => Buffer.from(userMetadata?.summary?.data ?? '').toString());
    expect(new Set(summaries)).toEqual(
      new Set(['"Until people are reminded"', '"Wait until people are told of the end"']),
    );
  });
});
