import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunState } from '../../workflows/state.ts';
import { approveGate, atGate, createHarness, isParked, resolveParked, statusWhen, type Harness } from './harness.ts';
import { createFakeWorld } from './fake-activities.ts';
import { sampleDigest, sampleFacts, samplePlan } from './sample-evidence.ts';
import { samplePolicy, soloPolicy } from './sample-target.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const good = { gate: 'go', by: 'Ada', plan: sampleDigest.go };
const textsOf = (journal: RunState['journal'], ...events: string[]): string[] =>
  journal.filter((entry) => events.includes(entry.event)).map((entry) => entry.text);

test('a quorum is two people: neither one twice, nor the requester, nor a stale plan, nor who comes too late', async () => {
  const world = createFakeWorld({ policy: { ...samplePolicy, quorum: 2 } });
  await harness.withWorker(world, async ({ start, withoutWorker }) => {
    const handle = await start();
    await statusWhen(handle, atGate('go'));
    // One after the other in one workflow task, as they come when no worker was up.
    await withoutWorker(async () => {
      for (const more of [
        {},
        { by: 'ada ' },
        { by: 'Rita' },
        { plan: sampleDigest.launch },
        { by: 'Bo' },
        { by: 'Cy' },
      ]) {
        await handle.signal('approve', { ...good, ...more });
      }
    });
    const status = await statusWhen(handle, atGate('rm-11'));
    expect(textsOf(status.journal, 'approved', 'gatePassed')).toEqual([
      'gate go: approved by Ada, 1 more needed',
      'gate go: approved by Bo',
      'gate go: passed',
    ]);
    expect(status.refusedMessages.map((refused) => refused.why)).toEqual([
      expect.stringContaining('has approved it already'),
      expect.stringContaining('the policy wants another person'),
      expect.stringContaining('it names the plan f0f0f0f0f0f0'),
      'it is decided: approved by Ada, Bo',
    ]);
    expect(status.items.find((item) => item.id === 'go')).toMatchObject({ approvedBy: 'Ada, Bo' });
    expect(world.performed.filter((step) => step === 'upgrade')).toHaveLength(1);
    await handle.cancel();
    await handle.result();
  });
});

test('approved by one and rejected by another: parked, planned anew, and the old approval counts for nothing', async () => {
  const world = createFakeWorld({ policy: { ...samplePolicy, quorum: 2 } });
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go', 'Ada');
    const { waitingFor } = await statusWhen(handle, (seen) => seen.waitingFor?.needed === 1 && atGate('go')(seen));
    await handle.signal('reject', { ...waitingFor?.message, by: 'Bo', reason: 'not tonight' });
    const parked = await resolveParked(handle, 'retry', 'Rita');
    expect(parked.waitingFor?.message).toMatchObject({ step: 'go', attempt: 1 });

    const again = await statusWhen(handle, atGate('go'));
    expect(again.waitingFor).toMatchObject({ needed: 2, round: 2, changes: [] });
    expect(world.performed.filter((step) => step === 'survey')).toHaveLength(2);
    expect(world.performed).not.toContain('upgrade');
    await handle.cancel();
    await handle.result();
  });
});

test('a rejection can end the run, and the outcome says who would not have it', async () => {
  await harness.withWorker(createFakeWorld(), async ({ start }) => {
    const handle = await start();
    const { waitingFor } = await statusWhen(handle, atGate('go'));
    await handle.signal('reject', { ...waitingFor?.message, by: 'Bo', reason: 'not tonight' });
    await resolveParked(handle, 'abort');
    const { outcome, journal } = await handle.result();
    expect(outcome).toMatchObject({ result: 'aborted', by: 'Ada' });
    expect(textsOf(journal, 'rejected')).toEqual(['gate go: rejected by Bo: not tonight']);
  });
});

describe('a company of one', () => {
  test('types the name, may take it back while it cools off, and the record says that it was one person', async () => {
    const world = createFakeWorld({ policy: { ...soloPolicy, coolingOffMs: 60_000 } });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      const { app, waitingFor } = await statusWhen(handle, atGate('go'));
      const yes = { ...waitingFor?.message, by: 'Rita', confirm: app };
      await handle.signal('approve', { ...yes, confirm: 'another-app' });
      await handle.signal('approve', yes);
      const cooling = await statusWhen(handle, (seen) => seen.waitingFor?.signal === 'reject');
      expect(cooling.refusedMessages).toMatchObject([{ why: expect.stringContaining("types the app's name") }]);
      expect(textsOf(cooling.journal, 'approved')).toEqual(['gate go: single-person approval by Rita']);
      expect(world.performed).not.toContain('confirm');

      await handle.signal('reject', { ...cooling.waitingFor?.message, by: 'Rita', reason: 'the wrong night' });
      await statusWhen(handle, isParked);
      expect(world.performed).not.toContain('confirm');
      await resolveParked(handle, 'abort', 'Rita');
      expect((await handle.result()).outcome?.result).toBe('aborted');
    });
  });

  test('goes on by itself once it has cooled off', async () => {
    const world = createFakeWorld({ policy: { ...soloPolicy, coolingOffMs: 500 } });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      const { app } = await statusWhen(handle, atGate('go'));
      await approveGate(handle, 'go', 'Rita', { confirm: app });
      const { journal } = await statusWhen(handle, atGate('rm-11'));
      const at = (event: string): number => journal.find((entry) => entry.event === event)?.at ?? 0;
      expect(at('gatePassed') - at('approved')).toBeGreaterThanOrEqual(500);
      await handle.cancel();
      await handle.result();
    });
  });
});

describe('time', () => {
  /** Each survey finds another release, as when somebody deploys while people sleep. */
  function createChangingWorld(policy: Partial<typeof samplePolicy>) {
    const world = createFakeWorld({ policy: { ...samplePolicy, ...policy } });
    let surveys = 0;
    world.behave('survey', () => {
      surveys += 1;
      const facts = { ...sampleFacts, release: { ...sampleFacts.release, version: 6 + surveys } };
      return { evidence: { ...samplePlan('go'), facts, digest: `a${surveys}`.repeat(32) } };
    });
    return world;
  }

  test('a plan that nobody decides about expires: it is made again, and the difference is shown', async () => {
    const world = createChangingWorld({ expiresAfterMs: 1_500 });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      const first = await statusWhen(handle, atGate('go'));
      expect(first.waitingFor).toMatchObject({ round: 1, changes: [], message: { plan: 'a1'.repeat(32) } });
      const second = await statusWhen(handle, (seen) => atGate('go')(seen) && seen.waitingFor?.round === 2);
      expect(second.waitingFor).toMatchObject({
        message: { plan: 'a2'.repeat(32) },
        changes: ['release.version: 7, now 8'],
      });
      expect(textsOf(second.journal, 'voided')).toEqual([
        'gate go: asked again, because nobody decided before the plan expired',
      ]);
      // What was asked about the first plan is no answer to the second.
      await handle.signal('approve', { ...first.waitingFor?.message, by: 'Ada' });
      const refused = await statusWhen(handle, (seen) => seen.refusedMessages.length > 0);
      expect(refused.refusedMessages[0]?.why).toMatch(/it names the plan a1a1a1a1a1a1/);
      await handle.cancel();
      await handle.result();
    });
  });

  test('an approval expires too: the next write asks again, and what is done stays done', async () => {
    const world = createChangingWorld({ expiresAfterMs: 3_000 });
    world.behave('verify-schema', () => new Promise((resolve) => setTimeout(resolve, 3_500)));
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      await approveGate(handle, 'go');
      const again = await statusWhen(handle, (seen) => atGate('go')(seen) && seen.waitingFor?.round === 2);
      expect(textsOf(again.journal, 'voided')).toEqual(['gate go: asked again, because the approval has expired']);
      expect(world.performed).toContain('verify-schema');
      expect(world.performed).not.toContain('restart');
      await approveGate(handle, 'go', 'Bo');
      await statusWhen(handle, atGate('rm-11'));
      expect(world.performed.filter((step) => step === 'upgrade')).toHaveLength(1);
      expect(world.performed.filter((step) => step === 'confirm')).toHaveLength(2);
      await handle.cancel();
      await handle.result();
    });
  });

  test('people are reminded at a gate and of what is parked', async () => {
    const world = createFakeWorld({ policy: { ...samplePolicy, remindEveryMs: 400 } });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      const reminders = (count: number) => (seen: { journal: RunState['journal'] }) =>
        textsOf(seen.journal, 'reminded').length >= count;
      const waiting = await statusWhen(handle, reminders(2));
      expect(new Set(textsOf(waiting.journal, 'reminded'))).toEqual(
        new Set(['still waiting: approval of the gate go']),
      );
      await handle.signal('reject', { ...waiting.waitingFor?.message, by: 'Bo', reason: 'no' });
      const parked = await statusWhen(handle, (seen) =>
        textsOf(seen.journal, 'reminded').some((text) => text.includes('the rejected gate go')),
      );
      expect(isParked(parked)).toBe(true);
      expect((await handle.describe()).memo).toMatchObject({ stage: 'parked' });
      await handle.cancel();
      await handle.result();
    });
  });
});
