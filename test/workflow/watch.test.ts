import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { steps } from '../../workflows/steps.ts';
import type { Status } from '../../workflows/view.ts';
import {
  approveGate,
  atGate,
  breaksIn,
  createHarness,
  freshApp,
  statusWhen,
  type CutoverHandle,
  type Harness,
} from './harness.ts';
import { barrier, finalFailure } from './fake-activities.ts';
import { sampleDigest, sampleEvidence, sampleFacts } from './sample-evidence.ts';
import { samplePolicy } from './sample-target.ts';
import { createFullWorld, inputFor, stepsBefore, stepsInOrder } from './whole-sequence.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

/** Brings a run to its watch. */
async function toTheWatch(handle: CutoverHandle): Promise<Status> {
  await approveGate(handle, 'go');
  await approveGate(handle, 'rm-11');
  return statusWhen(handle, atGate('launch'));
}
const samples = (count: number) => (seen: Status) => (seen.watch?.samples ?? 0) >= count;

describe('samples', () => {
  test('are taken until the launch, each told what the watch began with, and shown', async () => {
    const world = createFullWorld({ sampleEveryMs: 400 });
    let taken = 0;
    world.behave('watch-sample', () => {
      taken += 1;
      if (taken === 2)
        return { evidence: { ...sampleEvidence['watch-sample'], healthy: false, problems: ['no answer'] } };
      if (taken === 3) throw finalFailure('PlatformRefused');
      return undefined;
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      await toTheWatch(handle);
      const seen = await statusWhen(handle, samples(5));
      // One was red and one could not be taken: neither is health, and only the second is a gap.
      expect(seen.watch).toMatchObject({ red: 2, healthy: true, problems: [] });
      expect(seen.watch?.gapMs).toBeGreaterThanOrEqual(300);
      expect(seen.stage).toBe('waiting');
      const calls = world.calls.filter((call) => call.step === 'watch-sample');
      for (const call of calls) {
        expect(call).toMatchObject({ baselineRelease: sampleFacts.release.version, baselineRevision: null });
      }
      // They come for days, so the journal does not have them.
      expect(seen.journal.filter((entry) => entry.text.includes('sample'))).toEqual([]);
      await approveGate(handle, 'launch');
      expect((await handle.result()).outcome?.result).toBe('completed');
      expect(world.performed).toEqual(stepsInOrder);
    });
  });

  test('go on across continue-as-new, and nothing of the watch is lost', async () => {
    const world = createFullWorld({ sampleEveryMs: 200, historyEventLimit: 60 });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      const first = await statusWhen(await toTheWatch(handle).then(() => handle), samples(1));
      const later = await statusWhen(handle, (seen) => seen.continued > first.continued + 2);
      expect(later.watch?.since).toBe(first.watch?.since);
      expect(later.watch?.samples).toBeGreaterThan(first.watch?.samples ?? 0);
      expect(later.watch?.samples).toBeLessThanOrEqual(
        world.calls.filter((call) => call.step === 'watch-sample').length,
      );
      await approveGate(handle, 'launch');
      const status = await handle.result();
      expect(status.outcome?.result).toBe('completed');
      expect(breaksIn(status.journal)).toEqual([]);
    });
  });

  test('that nobody could take, because no worker was up, are a gap', async () => {
    const world = createFullWorld({ sampleEveryMs: 300 });
    await harness.withWorker(world, async ({ start, withoutWorker }) => {
      const handle = await start();
      await toTheWatch(handle);
      const before = await statusWhen(handle, samples(1));
      const away = await withoutWorker(async () => {
        const began = Date.now();
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        return Date.now() - began;
      });
      const after = await statusWhen(handle, samples((before.watch?.samples ?? 0) + 1));
      expect((after.watch?.gapMs ?? 0) - (before.watch?.gapMs ?? 0)).toBeGreaterThan(away - 1_000);
      await handle.cancel();
      await handle.result();
    });
  });

  test('one that is being taken is stopped when the launch is approved', async () => {
    const world = createFullWorld();
    const held = barrier();
    world.behave('watch-sample', held.hold);
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      await toTheWatch(handle);
      await held.reached;
      await approveGate(handle, 'launch');
      const status = await handle.result();
      expect(status.outcome?.result).toBe('completed');
      expect(status.watch).toBeNull();
    });
  });
});

describe('the launch', () => {
  test('takes a quorum, each with a proof; the last one goes with the seal', async () => {
    const world = createFullWorld({ policy: { ...samplePolicy, quorum: 2 } });
    const backup = { id: 'b001', finishedAt: '2026-05-15T00:50:00Z' };
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      for (const gate of ['go', 'rm-11']) for (const by of ['Ada', 'Bo']) await approveGate(handle, gate, by);
      await approveGate(handle, 'launch', 'Ada');
      await approveGate(handle, 'launch', 'Cy', { backup });
      const status = await handle.result();
      expect(status.outcome).toMatchObject({
        result: 'completed',
        reason: 'Every step is done and verified, and the database is sealed.',
      });
      expect(status.journal.map((entry) => entry.text)).toContain(
        'launch by Ada, Cy: from here every rollback is refused',
      );
      const call = (step: string) => world.calls.find((one) => one.step === step);
      expect(call('check-backup')).toMatchObject({ backup, backupNotBefore: expect.any(Number) });
      expect(call('seal')?.seal).toEqual({
        by: 'Ada, Cy',
        planDigest: sampleDigest.launch,
        backup: sampleEvidence['check-backup'],
      });
      expect(call('open-follow-ups')?.report).toMatch(/^- ☑ `launch` .*: approved by Ada, Cy$/m);
    });
  });

  test('on a backup that is not proven is asked again, on a new survey', async () => {
    const world = createFullWorld();
    world.behave('check-backup', (call) => {
      if (call.attempt === 1) throw finalFailure('BackupNotProven', 'b001 is not completed');
    });
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      await toTheWatch(handle);
      await approveGate(handle, 'launch');
      const again = await statusWhen(handle, (seen) => atGate('launch')(seen) && seen.waitingFor?.round === 2);
      expect(again.journal.map((entry) => entry.text)).toContain(
        'gate launch: asked again, because b001 is not completed',
      );
      expect(world.performed).not.toContain('seal');
      await approveGate(handle, 'launch', 'Bo');
      expect((await handle.result()).outcome?.result).toBe('completed');
      expect(world.performed.filter((step) => step === 'survey-launch')).toHaveLength(2);
    });
  });

  test('that is rejected parks the run, and a decision to go on asks again; the kill switch stays armed', async () => {
    const world = createFullWorld();
    await harness.withWorker(world, async ({ start }) => {
      const handle = await start();
      const { waitingFor } = await toTheWatch(handle);
      await handle.signal('reject', { gate: 'launch', plan: waitingFor?.message['plan'], by: 'Bo', reason: 'not yet' });
      const parked = await statusWhen(handle, (seen) => seen.stage === 'parked');
      expect(parked.waitingFor).toMatchObject({ choices: ['retry', 'undo-rm-11', 'kill-switch', 'abort'] });
      await handle.signal('killSwitch', { by: 'Kim', reason: 'enough' });
      expect((await handle.result()).outcome?.result).toBe('rolled-back');
    });
  });
});

test('a plan performs every read of preflight, asks nobody, waits for nothing and writes nothing', async () => {
  const world = createFullWorld();
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start({ input: inputFor('plan', freshApp()) });
    const { outcome, plans, items } = await handle.result();
    expect(outcome).toMatchObject({ result: 'planned', reason: 'Everything was read and nothing was changed.' });
    expect(plans.go?.digest).toBe(sampleDigest.go);
    expect(items.every((item) => item.kind === 'step')).toBe(true);
    expect(world.performed).toEqual(stepsBefore('go').filter((step) => step !== 'await-pull-request'));
    for (const step of world.performed) expect(steps[step].writes).toBe(false);
  });
});
