import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { planGates } from '../../workflows/facts.ts';
import { failures, type FailureType } from '../../workflows/failures.ts';
import { sequence } from '../../workflows/sop.ts';
import {
  approveAll,
  approveGate,
  atGate,
  breaksIn,
  createHarness,
  resolveParked,
  statusWhen,
  type Harness,
} from './harness.ts';
import { createFakeWorld, finalFailure } from './fake-activities.ts';
import { sampleEvidence, sampleFacts } from './sample-evidence.ts';
import { createFullWorld, stepsInOrder, writesBefore } from './whole-sequence.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

test('performs every step of the sequence once and in order, with three approvals', async () => {
  const world = createFullWorld();
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await approveGate(handle, 'rm-11', 'Bo');
    await approveGate(handle, 'launch', 'Cy');
    const status = await handle.result();
    expect(status.outcome?.result).toBe('completed');
    expect(world.performed).toEqual(stepsInOrder);
    expect(status.items.every((item) => item.state === 'done')).toBe(true);
    const approvers = status.items.filter((item) => item.kind !== 'step').map((item) => item.approvedBy);
    expect(approvers).toEqual(['Ada', 'Bo', 'Cy']);
    expect(breaksIn(status.journal)).toEqual([]);
  });
});

const shapes = {
  'no pull request at all': { hasPullRequest: false, revisionFiles: undefined },
  'a pull request without a revision': { hasPullRequest: true, revisionFiles: [] },
  'a pull request with a revision': { hasPullRequest: true, revisionFiles: ['versions/0003.py'] },
};

test.each(Object.entries(shapes))(
  '%s: the steps are those of its sequence',
  async (_, { hasPullRequest, revisionFiles }) => {
    const pullRequest = revisionFiles && { ...sampleEvidence['inspect-pull-request'], revisionFiles };
    const expected = sequence({ hasFollowUps: true, hasPullRequest, pullRequest, go: sampleFacts, rm11: sampleFacts });
    const world = createFakeWorld({
      hasPullRequest,
      evidence: pullRequest === undefined ? {} : { 'inspect-pull-request': pullRequest },
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      await approveAll(handle);
      expect(world.performed).toEqual(expected.filter((item) => item.kind === 'step').map((item) => item.id));
      // A survey is told what the pull request is, and which gate it makes the plan for; what confirms it is told the same.
      expect(world.calls.flatMap((call) => (call.gate === undefined ? [] : [[call.gate, call.pullRequest]]))).toEqual(
        planGates.flatMap((gate) => [
          [gate, pullRequest],
          [gate, pullRequest],
        ]),
      );
    });
  },
);

test('a parked step is tried again as another attempt, and the run goes on from there', async () => {
  const world = createFullWorld();
  world.behave('smoke', (call) => {
    if (call.attempt === 1) throw finalFailure('SmokeFailed');
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    const parked = await resolveParked(handle, 'retry');
    expect(parked.waitingFor?.message).toMatchObject({ step: 'smoke', attempt: 1 });
    expect(parked.items.find((item) => item.id === 'smoke')).toMatchObject({
      state: 'parked',
      failure: { type: 'SmokeFailed' },
    });
    await approveGate(handle, 'rm-11');
    await approveGate(handle, 'launch');
    expect((await handle.result()).outcome?.result).toBe('completed');
    expect(world.performed).toEqual(stepsInOrder);
  });
});

test('abort of a parked step ends the run and says what is in place', async () => {
  const world = createFullWorld();
  world.behave('smoke', () => {
    throw finalFailure('SmokeFailed');
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await resolveParked(handle, 'abort');
    const { outcome } = await handle.result();
    expect(outcome).toMatchObject({ result: 'aborted', by: 'Ada' });
    expect(outcome?.reason).toContain(`In place: ${writesBefore('smoke').join(', ')}.`);
    expect(outcome?.reason).toContain('Interrupted, so not known until looked at: smoke. Failed: smoke (SmokeFailed).');
  });
});

/** One type of each handling but `refused`. */
const parkedTypes = (['retried', 'parked'] as const).map(
  (handling) =>
    (Object.keys(failures) as FailureType[]).find((type) => failures[type].handling === handling) ?? handling,
);

test.each(parkedTypes)('%s, which people or time can mend, is parked even before the first write', async (type) => {
  const world = createFullWorld();
  world.behave('config-check', (call) => {
    if (call.attempt === 1) throw finalFailure(type);
  });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await resolveParked(handle, 'retry');
    await statusWhen(handle, atGate('go'));
    expect(world.performed.filter((step) => step === 'config-check')).toHaveLength(1);
    await handle.cancel();
    await handle.result();
  });
});

test('status, memo and details say where the run stands; memo and messages need no worker', async () => {
  const world = createFullWorld();
  await harness.withWorker(world, async ({ start, withoutWorker }) => {
    const handle = await start();
    const waiting = await statusWhen(handle, atGate('go'));
    await withoutWorker(async () => {
      const { memo } = await handle.describe();
      expect(memo).toMatchObject({
        stage: 'waiting',
        phase: 'preflight',
        waitingFor: 'approval of the gate go',
        journal: waiting.journal.at(-1),
      });
      await handle.signal('approve', { ...waiting.waitingFor?.message, by: 'Ada' });
    });
    await approveGate(handle, 'rm-11');
    await approveGate(handle, 'launch');
    const status = await handle.result();
    expect(status.outcome?.result).toBe('completed');
    expect(world.performed).toEqual(stepsInOrder);
    expect((await handle.describe()).memo).toMatchObject({ stage: 'ended', phase: 'end', waitingFor: 'nothing' });
  });
});

test('the history holds every journal entry, so that the record does not need a worker', async () => {
  const world = createFullWorld();
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    const { journal } = await approveAll(handle);
    const { events } = await handle.fetchHistory();
    const texts = (events ?? []).flatMap((event) => {
      const data = event.workflowPropertiesModifiedEventAttributes?.upsertedMemo?.fields?.['journal']?.data;
      return data == null ? [] : [(JSON.parse(Buffer.from(data).toString()) as { text: string }).text];
    });
    expect(texts).toEqual(journal.map((entry) => entry.text));
  });
});

test('the grants are told which matrix was approved', async () => {
  const world = createFakeWorld();
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveAll(handle);
    expect(world.calls.filter((call) => call.matrixDigest !== undefined)).toMatchObject([
      { step: 'grants', matrixDigest: sampleFacts.matrixDigest },
    ]);
  });
});

test('a result that is none is parked, and does not pass for a step that is done', async () => {
  const world = createFakeWorld();
  const setFlag = world.activities.setFlag;
  let answers = 0;
  const activities = {
    ...world.activities,
    setFlag: (...call: Parameters<typeof setFlag>) =>
      (answers += 1) === 1 ? Promise.resolve('sealed') : setFlag(...call),
  } as typeof world.activities;
  await harness.withWorker({ ...world, activities }, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await approveGate(handle, 'rm-11');
    const parked = await resolveParked(handle, 'retry');
    expect(parked.items.find((item) => item.id === 'flag')).toMatchObject({
      state: 'parked',
      failure: { type: 'PlatformAnswerUnexpected' },
    });
    await approveGate(handle, 'launch');
    expect((await handle.result()).outcome?.result).toBe('completed');
  });
});
