import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  approveGate,
  atGate,
  createHarness,
  freshApp,
  isParked,
  statusWhen,
  type CutoverHandle,
  type Harness,
} from './harness.ts';
import { barrier, createFakeWorld, finalFailure } from './fake-activities.ts';
import { sampleDigest } from './sample-evidence.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const good = { gate: 'go', by: 'Ada', plan: sampleDigest.go };

/** Messages that must not open the gate `go`, and what their refusal says. */
const worthless: Record<string, { payload: unknown; why: RegExp }> = {
  'no name': { payload: { ...good, by: undefined }, why: /by: Required/ },
  'an empty name': { payload: { ...good, by: '  ' }, why: /a person's name/ },
  'another gate': { payload: { ...good, gate: 'rm-11' }, why: /the open gate is go/ },
  'a gate that does not exist': { payload: { ...good, gate: 'launch' }, why: /the open gate is go/ },
  'another digest': { payload: { ...good, plan: sampleDigest['rm-11'] }, why: /the open plan is a1a1a1a1a1a1/ },
  'too short a digest': { payload: { ...good, plan: sampleDigest.go.slice(0, 11) }, why: /12 to 64 hex digits/ },
  'no digest': { payload: { gate: 'go', by: 'Ada' }, why: /plan: Required/ },
  'a field that nobody knows': { payload: { ...good, quorum: 0 }, why: /quorum/ },
  'a bare word': { payload: 'go', why: /not as expected/ },
  nothing: { payload: null, why: /not as expected/ },
};

/** Sends a message and answers the refusal that status shows for it. */
async function refusalOf(handle: CutoverHandle, signal: string, payload: unknown) {
  const before = (await handle.query<{ refusedMessages: unknown[] }>('status')).refusedMessages.length;
  await handle.signal(signal, payload);
  const status = await statusWhen(handle, (seen) => seen.refusedMessages.length > before);
  return { refusal: status.refusedMessages.at(-1), status };
}

test('an approval that cannot count opens nothing, and status says why', async () => {
  const world = createFakeWorld();
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await statusWhen(handle, atGate('go'));
    for (const { payload, why } of Object.values(worthless)) {
      const { refusal, status } = await refusalOf(handle, 'approve', payload);
      expect(refusal).toMatchObject({ message: 'approve', why: expect.stringMatching(why) });
      expect(atGate('go')(status)).toBe(true);
    }
    expect(world.performed).not.toContain('upgrade');
    // The real one still counts.
    await approveGate(handle, 'go', 'Bo');
    const status = await statusWhen(handle, atGate('rm-11'));
    expect(status.items.find((item) => item.id === 'go')).toMatchObject({ state: 'done', approvedBy: 'Bo' });
    await handle.cancel();
    await handle.result();
  });
});

test('an approval before its gate is open, and one after it, are refused', async () => {
  const world = createFakeWorld();
  const { reached, release, hold } = barrier();
  world.behave('survey', hold);
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await reached;
    expect((await refusalOf(handle, 'approve', good)).refusal?.why).toMatch(/no gate is open: the run is working/);
    release();
    await approveGate(handle, 'go');
    await statusWhen(handle, atGate('rm-11'));
    expect((await refusalOf(handle, 'approve', good)).refusal?.why).toMatch(
      /it is for the gate go, and the open gate is rm-11/,
    );
    await handle.cancel();
    await handle.result();
  });
});

test('two approvals at once are one approval', async () => {
  const world = createFakeWorld();
  await harness.withWorker(world, async ({ start, withoutWorker }) => {
    const handle = await start();
    await statusWhen(handle, atGate('go'));
    // Without a worker both wait for the same workflow task.
    await withoutWorker(async () => {
      await handle.signal('approve', good);
      await handle.signal('approve', { ...good, by: 'Bo' });
    });
    const status = await statusWhen(handle, atGate('rm-11'));
    expect(status.journal.filter((entry) => entry.event === 'approved').map((entry) => entry.text)).toEqual([
      'gate go: approved by Ada',
    ]);
    expect(status.refusedMessages).toMatchObject([{ message: 'approve', by: 'Bo' }]);
    expect(world.performed.filter((step) => step === 'upgrade')).toHaveLength(1);
    await handle.cancel();
    await handle.result();
  });
});

test('a decision for another step or attempt, or one that is none, does not count', async () => {
  const world = createFakeWorld();
  world.behave('verify-schema', () => {
    throw finalFailure('SchemaDiffers');
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    const decision = { step: 'verify-schema', attempt: 1, by: 'Ada', action: 'retry', reason: 'mended' };
    await statusWhen(handle, atGate('go'));
    expect((await refusalOf(handle, 'resolve', decision)).refusal?.why).toMatch(/nothing is parked/);
    await approveGate(handle, 'go');
    await statusWhen(handle, isParked);
    for (const [payload, why] of [
      [{ ...decision, step: 'upgrade' }, /it is for upgrade, attempt 1, and verify-schema, attempt 1 is parked/],
      [{ ...decision, attempt: 2 }, /it is for verify-schema, attempt 2/],
      [{ ...decision, action: 'skip' }, /action/],
      [{ ...decision, reason: '' }, /a reason/],
      [{ ...decision, by: '' }, /a person's name/],
      [undefined, /not as expected/],
    ] as const) {
      const { refusal, status } = await refusalOf(handle, 'resolve', payload);
      expect(refusal).toMatchObject({ message: 'resolve', why: expect.stringMatching(why) });
      expect(status.stage).toBe('parked');
    }
    expect(world.calls.filter((call) => call.step === 'verify-schema')).toHaveLength(1);

    await handle.signal('resolve', decision);
    const again = await statusWhen(handle, (status) => isParked(status) && status.waitingFor?.message['attempt'] === 2);
    expect(again.items.find((item) => item.id === 'verify-schema')).toMatchObject({ attempt: 2 });
    // The decision about the first attempt says nothing about the second.
    expect((await refusalOf(handle, 'resolve', decision)).refusal?.why).toMatch(/attempt 2 is parked/);
    await handle.cancel();
    await handle.result();
  });
});

test('a message that names itself counts once', async () => {
  const world = createFakeWorld();
  world.behave('upgrade', (call) => {
    if (call.attempt < 3) throw finalFailure('MigrationFailed');
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await statusWhen(handle, isParked);
    const decision = { step: 'upgrade', attempt: 1, by: 'Ada', action: 'retry', reason: 'mended', id: 'm-1' };
    await handle.signal('resolve', decision);
    await handle.signal('resolve', decision);
    const parked = await statusWhen(
      handle,
      (status) => isParked(status) && status.waitingFor?.message['attempt'] === 2,
    );
    await handle.signal('resolve', { ...decision, attempt: 2, id: 'm-1' });
    await handle.signal('resolve', { ...decision, attempt: 2, id: 'm-2' });
    const status = await statusWhen(handle, atGate('rm-11'));
    expect(parked.refusedMessages).toEqual([]);
    expect(status.refusedMessages).toEqual([]);
    expect(status.journal.filter((entry) => entry.event === 'resolved')).toHaveLength(2);
    await handle.cancel();
    await handle.result();
  });
});

/** Payloads that nobody can read, as a sender with other settings, or an evil one, sends them. */
const unreadable: Record<string, { encoding?: string; data: string }> = {
  'half a JSON': { encoding: 'json/plain', data: '{"gate":' },
  'an encoding that nobody knows': { encoding: 'binary/sealed', data: 'x' },
  'no encoding': { data: '{"gate":"go"}' },
  bytes: { encoding: 'binary/plain', data: 'go' },
};

function payloadOf({ encoding, data }: (typeof unreadable)[string]) {
  return {
    payloads: [
      { metadata: encoding === undefined ? {} : { encoding: Buffer.from(encoding) }, data: Buffer.from(data) },
    ],
  };
}

test('a signal that cannot be read is refused, and does not stop the run', async () => {
  const world = createFakeWorld();
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await statusWhen(handle, atGate('go'));
    for (const payload of Object.values(unreadable)) {
      await harness.client.workflowService.signalWorkflowExecution({
        namespace: 'default',
        workflowExecution: { workflowId: handle.workflowId },
        signalName: 'approve',
        input: payloadOf(payload),
      });
    }
    await approveGate(handle, 'go');
    const status = await statusWhen(handle, atGate('rm-11'));
    expect(status.refusedMessages.map((refused) => refused.why)).toEqual(
      Object.keys(unreadable).map(() => expect.stringMatching(/^the message is not as expected/)),
    );
    await handle.cancel();
    await handle.result();
  });
});

test.each(Object.entries(unreadable))('a run started with %s as its input is refused', async (_, payload) => {
  const world = createFakeWorld();
  await harness.withWorker(world, async ({ taskQueue }) => {
    const id = `cutover-${freshApp()}`;
    await harness.client.workflowService.startWorkflowExecution({
      namespace: 'default',
      workflowId: id,
      workflowType: { name: 'productionCutover' },
      taskQueue: { name: taskQueue },
      input: payloadOf(payload),
      requestId: id,
    });
    await expect(harness.client.workflow.getHandle(id).result()).rejects.toMatchObject({
      cause: { type: 'InputInvalid' },
    });
    expect(world.targetsRead).toEqual([]);
  });
});

test('a signal of a name that the run does not know is recorded as refused', async () => {
  const world = createFakeWorld();
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await statusWhen(handle, atGate('go'));
    await handle.signal('aprove', { gate: 'go', by: 'Ada', plan: 'a1'.repeat(32) });
    const status = await statusWhen(handle, ({ refusedMessages }) => refusedMessages.length > 0);
    expect(status.refusedMessages).toMatchObject([
      { message: 'aprove', by: 'Ada', why: expect.stringContaining('approve, reject, resolve, killSwitch, launch') },
    ]);
    expect(status.stage).toBe('waiting');
    await handle.cancel();
    await handle.result();
  });
});
