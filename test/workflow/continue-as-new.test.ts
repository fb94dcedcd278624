import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Status } from '../../workflows/view.ts';
import {
  approveGate,
  atGate,
  breaksIn,
  createHarness,
  isParked,
  resolveParked,
  statusWhen,
  type CutoverHandle,
  type Harness,
} from './harness.ts';
import { createFakeWorld, finalFailure } from './fake-activities.ts';
import { sampleDigest } from './sample-evidence.ts';
import { samplePolicy } from './sample-target.ts';
import { stepsInOrder } from './whole-sequence.ts';

// With so small a limit a run continues as new each time that it has waited for people.
const historyEventLimit = 25;
const withoutPromote = stepsInOrder.filter((step) => step !== 'promote');

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const continuedMoreThan =
  (times: number, also: (status: Status) => boolean) =>
  (status: Status): boolean =>
    status.continued > times && also(status);

/** What the Web UI shows of a run, and its memo: both must be there although nothing has happened since. */
async function shown(handle: CutoverHandle): Promise<{ details: string; memo: Record<string, unknown> }> {
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  const { memo } = await harness.client.workflow.getHandle(handle.workflowId).describe();
  return { details: metadata.currentDetails ?? '', memo: memo ?? {} };
}

test('at each gate and while parked: nothing is lost, and the run is what it would have been without', async () => {
  const world = createFakeWorld({ historyEventLimit });
  world.behave('restart', (call) => {
    if (call.attempt === 1) throw finalFailure('ReleaseFailed');
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await statusWhen(handle, continuedMoreThan(0, atGate('go')));
    expect(await shown(handle)).toMatchObject({
      details: expect.stringContaining('Waiting for approval of the gate go'),
      memo: { stage: 'waiting', waitingFor: 'approval of the gate go', journal: { event: 'continued' } },
    });
    await approveGate(handle, 'go', 'Ada');

    const parked = await statusWhen(handle, continuedMoreThan(1, isParked));
    expect(parked.waitingFor?.message).toMatchObject({ step: 'restart', attempt: 1 });
    expect((await shown(handle)).memo).toMatchObject({ stage: 'parked' });
    await resolveParked(handle, 'retry');

    await statusWhen(handle, continuedMoreThan(2, atGate('rm-11')));
    await approveGate(handle, 'rm-11', 'Bo');
    await statusWhen(handle, continuedMoreThan(3, atGate('launch')));
    await approveGate(handle, 'launch', 'Cy');

    const status = await handle.result();
    expect(status.outcome?.result).toBe('completed');
    expect(status.continued).toBe(4);
    expect(world.performed).toEqual(withoutPromote);
    expect(world.calls.filter((call) => call.step === 'restart').map((call) => call.attempt)).toEqual([1, 2]);
    // What the run leaves in other systems bears one mark from the first run to the last.
    expect(new Set(world.calls.map((call) => call.run))).toEqual(new Set([handle.firstExecutionRunId]));
    expect(world.targetsRead).toHaveLength(1);
    const approvers = status.items.filter((item) => item.kind !== 'step').map((item) => item.approvedBy);
    expect(approvers).toEqual(['Ada', 'Bo', 'Cy']);
    expect(breaksIn(status.journal)).toEqual([]);
    expect(status.journal.filter((entry) => entry.event === 'continued')).toHaveLength(4);
  });
});

test('messages hammered across it: each is acted on once or told as refused, none is lost', async () => {
  const world = createFakeWorld({ historyEventLimit });
  await harness.withWorker(world, async ({ start, withoutWorker }) => {
    const handle = await start();
    await statusWhen(handle, atGate('go'));
    const junk = [
      null,
      7,
      [],
      'go',
      'x'.repeat(20_000),
      { gate: 'go' },
      { gate: 'rm-11', by: 'Eve', plan: sampleDigest.go },
    ];
    const sent = Array.from({ length: 30 }, (_, index) => junk[index % junk.length]);
    const approvals = ['Ada', 'Bo', 'Cy', 'Kim', 'Rita'].map((by) => ({ gate: 'go', by, plan: sampleDigest.go }));

    // Some one by one, so that a run continues as new between two; the rest while nobody takes them.
    for (const payload of sent.slice(0, 20)) await handle.signal('approve', payload);
    await withoutWorker(async () => {
      for (const payload of [...sent.slice(20), ...approvals]) await handle.signal('approve', payload);
    });

    await approveGate(handle, 'rm-11', 'Bo');
    await approveGate(handle, 'launch', 'Bo');
    const status = await handle.result();
    expect(status.continued).toBeGreaterThan(1);
    expect(breaksIn(status.journal)).toEqual([]);
    const events = status.journal.map((entry) => entry.event);
    expect(events.filter((event) => event === 'approved')).toHaveLength(3);
    expect(events.filter((event) => event === 'messageRefused')).toHaveLength(sent.length + approvals.length - 1);
    expect(world.performed).toEqual(withoutPromote);
  });
});

test('approvals hammered through both doors across it: each person counts once, and none is lost', async () => {
  const bySignal = ['Sam', 'Sara', 'Sol', 'Stan'];
  const byUpdate = ['Uma', 'Una', 'Uri', 'Urs'];
  const approvers = [...bySignal, ...byUpdate];
  const policy = { ...samplePolicy, approvers, quorum: approvers.length };
  const world = createFakeWorld({ historyEventLimit, policy });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await statusWhen(handle, continuedMoreThan(0, atGate('go')));
    const approval = (by: string) => ({ gate: 'go', by, plan: sampleDigest.go });
    const handleNow = () => harness.client.workflow.getHandle(handle.workflowId);
    // One that finds its run ended by continue-as-new is sent again, as a client does, under the same id.
    const update = async (by: string): Promise<void> => {
      for (let sent = false; !sent;) {
        sent = await handleNow()
          .executeUpdate('approve', { args: [approval(by)], updateId: `of ${by}` })
          .then(
            () => true,
            () => false,
          );
      }
    };
    let junk = 0;
    for (const [index, by] of bySignal.entries()) {
      const twice = byUpdate[index] ?? '';
      const more = Array.from({ length: 6 }, () => handle.signal('approve', (junk += 1)));
      await Promise.all([
        handle.signal('approve', approval(by)),
        update(twice),
        ...more,
        update(twice),
        handle.signal('approve', approval(by)),
      ]);
    }
    const status = await statusWhen(handle, atGate('rm-11'));
    expect(status.continued).toBeGreaterThan(1);
    expect(breaksIn(status.journal)).toEqual([]);
    const of = (event: string) => status.journal.filter((entry) => entry.event === event).map((entry) => entry.data);
    expect(
      of('approved')
        .map((data) => data['by'])
        .sort(),
    ).toEqual(approvers);
    // Each second signal and each piece of junk is refused, once; the second of an update is the first one again.
    const refused = of('messageRefused').map((data) => data['by']);
    expect(refused.filter((by) => by === null)).toHaveLength(junk);
    expect(refused.filter((by) => by !== null).sort()).toEqual(bySignal);
    expect(world.performed.filter((step) => step === 'upgrade')).toHaveLength(1);
    await handle.cancel();
    await handle.result();
  });
});

test('a message that names itself counts once, whichever run it reaches', async () => {
  const world = createFakeWorld({ historyEventLimit });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    const before = await statusWhen(handle, continuedMoreThan(0, atGate('go')));
    const late = { gate: 'rm-11', by: 'Ada', plan: sampleDigest['rm-11'], id: 'once' };
    await handle.signal('approve', late);
    await approveGate(handle, 'go');
    await statusWhen(handle, continuedMoreThan(before.continued, atGate('rm-11')));
    await handle.signal('approve', late);
    await approveGate(handle, 'rm-11', 'Bo');
    const status = await statusWhen(handle, atGate('launch'));
    expect(status.refusedMessages).toHaveLength(1);
    expect(status.items.find((item) => item.id === 'rm-11')).toMatchObject({ approvedBy: 'Bo' });
    await handle.cancel();
    await handle.result();
  });
});

test('cancelled after it, the run still knows what is in place', async () => {
  const world = createFakeWorld({ historyEventLimit });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await statusWhen(handle, continuedMoreThan(0, atGate('rm-11')));
    await handle.cancel();
    const { outcome } = await handle.result();
    expect(outcome).toMatchObject({ result: 'aborted' });
    expect(outcome?.reason).toContain('In place: upgrade, restart, smoke.');
  });
});
