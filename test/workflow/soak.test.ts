import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Status } from '../../workflows/view.ts';
import {
  approveGate,
  atGate,
  breaksIn,
  createHarness,
  freshApp,
  isParked,
  statusWhen,
  type CutoverHandle,
  type Harness,
  type Session,
} from './harness.ts';
import { finalFailure } from './fake-activities.ts';
import { sampleDigest, sampleEvidence } from './sample-evidence.ts';
import { sampleSummary } from './sample-target.ts';
import { createFullWorld, startOf, stepsOfMode } from './whole-sequence.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const red = { evidence: { ...sampleEvidence['soak-sample'], healthy: false, problems: ['no answer'] } };
/** Samples as quick as a test wants them, and so far from being late that a busy machine makes no gap. */
const rules = { ...sampleSummary.soak, forMs: 50, everyMs: 60_000, onRed: 'restart', onGap: 'pause' } as const;
const soak = { ...rules, rehearses: true, whyNot: null };
/** So long that it does not end while a test looks. */
const endless = { ...soak, forMs: 3_600_000, everyMs: 300 };

async function toTheSoak({ start }: Session, app = freshApp('soak')): Promise<CutoverHandle> {
  const handle = await start(startOf('staging-soak', app));
  await approveGate(handle, 'go');
  await approveGate(handle, 'rm-11');
  return handle;
}
const samples = (count: number) => (seen: Status) => (seen.soak?.samples ?? 0) >= count;

describe('a soak', () => {
  test('cuts over, goes back and forth, observes, and ends in a certificate that says what was seen', async () => {
    const world = createFullWorld({ soak });
    await harness.withWorker(world, async (session) => {
      const handle = await toTheSoak(session);
      const status = await handle.result();
      expect(status.outcome).toMatchObject({
        result: 'completed',
        reason: expect.stringMatching(/^The app was soaked: .* The certificate is sample-app\.json\.$/),
      });
      expect(world.performed).toEqual(stepsOfMode('staging-soak'));
      expect(world.performed).not.toContain('seal');
      expect(status.items.find((item) => item.id === 'soak')).toMatchObject({ state: 'done', approvedBy: null });

      const told = world.calls.find((call) => call.step === 'certify')?.certificate;
      expect(told).toMatchObject({
        requestedBy: 'Rita',
        approvals: [
          { gate: 'go', by: 'Ada' },
          { gate: 'rm-11', by: 'Ada' },
        ],
        buildId: expect.stringMatching(/^@temporalio\/worker@/),
        commit: 'd4'.repeat(20),
        head: '0002',
        matrixDigest: 'e5'.repeat(32),
        soak: { forSeconds: 0.1, everySeconds: 60, red: 0, gaps: 0, restarts: 0, onRed: 'restart', onGap: 'pause' },
        rehearsedRollback: { seconds: 30, secondsBack: expect.any(Number), at: expect.any(String) },
        notRehearsed: null,
      });
      expect(told?.soak.samples).toBeGreaterThanOrEqual(2);
      // The samples are held against what was surveyed when the cutover was done.
      expect(world.calls.find((call) => call.step === 'soak-sample')).toMatchObject({
        baselineRelease: 10,
        baselineRevision: '0002',
      });
      const formation = world.calls.find((call) => call.step === 'fence-rehearsal')?.formation;
      expect(formation).toEqual(sampleEvidence['survey-way-back'].formation);
      expect(world.calls.find((call) => call.step === 'verify-serving-rehearsal')?.killedAt).toEqual(
        expect.any(Number),
      );
    });
  });

  test('without a rehearsal says so', async () => {
    const world = createFullWorld({ soak: { ...soak, rehearses: false, whyNot: 'turned off' } });
    await harness.withWorker(world, async (session) => {
      const handle = await toTheSoak(session);
      expect((await handle.result()).outcome?.result).toBe('completed');
      expect(world.performed.filter((step) => /-(rehearsal|again)$/.test(step))).toEqual([]);
      expect(world.calls.find((call) => call.step === 'certify')?.certificate).toMatchObject({
        rehearsedRollback: null,
        notRehearsed: 'turned off',
      });
    });
  });

  test('begins anew at a red sample, and shows what is clean and what is left', async () => {
    const world = createFullWorld({ soak: endless });
    let taken = 0;
    world.behave('soak-sample', () => {
      taken += 1;
      return taken === 4 ? red : undefined;
    });
    await harness.withWorker(world, async (session) => {
      const handle = await toTheSoak(session);
      const seen = await statusWhen(handle, samples(6));
      expect(seen.soak).toMatchObject({ red: 1, forMs: 3_600_000 });
      expect(seen.soak?.clockSince).toBeGreaterThan(seen.soak?.since ?? 0);
      expect(seen.soak?.leftMs).toBe(3_600_000 - (seen.soak?.cleanMs ?? 0));
      expect(seen.journal.map((entry) => entry.text)).toEqual(
        expect.arrayContaining([expect.stringMatching(/^soak: red.*: no answer$/)]),
      );
      expect(seen.waitingFor).toMatchObject({
        what: expect.stringMatching(/the soak, which passes by itself.* of 1 h clean, /),
        signal: 'reject',
        needed: 0,
      });
      const { memo } = await handle.describe();
      expect(memo?.['soak']).toMatch(/of 1 h clean, .* left; \d+ samples, 1 red/);
      const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
      expect(metadata.currentDetails).toMatch(/\*\*Soak\*\* since .* of 1 h clean/);
      await handle.cancel();
      expect((await handle.result()).outcome?.result).toBe('aborted');
    });
  });

  test('goes on across continue-as-new with the state alone, and loses nothing of its clock', async () => {
    const world = createFullWorld({ soak: { ...endless, everyMs: 200 }, historyEventLimit: 60 });
    await harness.withWorker(world, async (session) => {
      const handle = await toTheSoak(session);
      const first = await statusWhen(handle, samples(1));
      const later = await statusWhen(handle, (seen) => seen.continued > first.continued + 2);
      expect(later.soak?.since).toBe(first.soak?.since);
      expect(later.soak?.samples).toBeGreaterThan(first.soak?.samples ?? 0);
      expect(breaksIn(later.journal)).toEqual([]);
      await handle.cancel();
      await handle.result();
    });
  });

  test('counts the time without a worker as a gap, whose time is not clean', async () => {
    const world = createFullWorld({ soak: { ...endless, everyMs: 500 } });
    await harness.withWorker(world, async (session) => {
      const handle = await toTheSoak(session);
      const before = await statusWhen(handle, samples(2));
      await session.withoutWorker(() => new Promise((resolve) => setTimeout(resolve, 2_500)));
      const after = await statusWhen(handle, samples((before.soak?.samples ?? 0) + 2));
      expect(after.soak?.gaps).toBeGreaterThan(before.soak?.gaps ?? 0);
      expect(after.soak?.gapMs).toBeGreaterThanOrEqual(2_000);
      await handle.cancel();
      await handle.result();
    });
  });

  test('nobody approves it; it can be stopped early, and taken up again from nothing', async () => {
    const world = createFullWorld({ soak: { ...soak, forMs: 3_600_000 } });
    await harness.withWorker(world, async (session) => {
      const handle = await toTheSoak(session);
      await statusWhen(handle, samples(1));
      const plan = sampleDigest.soak;
      await handle.signal('approve', { gate: 'soak', plan, by: 'Ada' });
      const refused = await statusWhen(handle, (seen) => seen.refusedMessages.length > 0);
      expect(refused.refusedMessages.at(-1)?.why).toMatch(/passes by itself/);
      await handle.signal('reject', { gate: 'soak', plan, by: 'Ada', reason: 'the wrong slug' });
      await statusWhen(handle, isParked);
      await handle.signal('resolve', { step: 'soak', attempt: 1, by: 'Ada', action: 'retry', reason: 'deployed' });
      const again = await statusWhen(handle, (seen) => atGate('soak')(seen) && samples(1)(seen));
      expect(again.waitingFor?.round).toBe(2);
      expect(again.soak).toMatchObject({ samples: 1, cleanMs: 0 });
      expect(world.performed.filter((step) => step === 'survey-soak')).toHaveLength(2);
      await handle.cancel();
      expect((await handle.result()).outcome?.result).toBe('aborted');
    });
  });

  test('of what has changed by its end begins anew', async () => {
    const world = createFullWorld({ soak });
    let confirmed = 0;
    world.behave('confirm-soak', () => {
      confirmed += 1;
      if (confirmed === 1) throw finalFailure('FactsChanged', 'another slug');
    });
    await harness.withWorker(world, async (session) => {
      const handle = await toTheSoak(session);
      const status = await handle.result();
      expect(status.outcome?.result).toBe('completed');
      expect(status.journal.map((entry) => entry.text)).toContain('gate soak: asked again, because another slug');
      expect(world.performed.filter((step) => step === 'survey-soak')).toHaveLength(2);
    });
  });

  test('the kill switch ends it as any run; refused, the soak stands where it stood', async () => {
    const world = createFullWorld({ soak: { ...soak, forMs: 3_600_000 } });
    let counted = 0;
    world.behave('count-rows', () => {
      counted += 1;
      if (counted === 1) throw finalFailure('CustomerRowsExist', 'orders has 1 row');
    });
    await harness.withWorker(world, async (session) => {
      const handle = await toTheSoak(session);
      await statusWhen(handle, samples(1));
      await handle.signal('killSwitch', { by: 'Kim', reason: 'try' });
      const resumed = await statusWhen(
        handle,
        (seen) => seen.journal.some((entry) => entry.event === 'resumed') && atGate('soak')(seen),
      );
      expect(resumed.procedure).toBe('staging-soak');
      // Nothing of the cutover or of the rehearsal is done anew.
      expect(world.performed.filter((step) => step === 'fence-rehearsal')).toHaveLength(1);
      await handle.signal('killSwitch', { by: 'Kim', reason: 'enough' });
      expect((await handle.result()).outcome?.result).toBe('rolled-back');
      const undoes = world.calls.find((call) => call.step === 'to-sqlite')?.undoes;
      expect(undoes).toEqual(['promote', 'flag', 'promote-again', 'flag-again']);
    });
  });

  test('is started with an app and a person, and nothing else', async () => {
    const world = createFullWorld();
    await harness.withWorker(world, async ({ start }) => {
      const app = freshApp('soak');
      const handle = await start({ type: 'stagingSoak', input: { app, requestedBy: 'Rita', mode: 'plan' } });
      await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'InputInvalid' } });
      expect(world.targetsRead).toEqual([]);
    });
  });
});
