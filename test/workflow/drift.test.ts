import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { planGates, type SurveyedGate } from '../../workflows/facts.ts';
import { gateBefore, stepsOfGate } from '../../workflows/sop.ts';
import { steps, type StepId } from '../../workflows/steps.ts';
import { answerAll, approveAll, approveGate, atGate, createHarness, statusWhen, type Harness } from './harness.ts';
import { finalFailure } from './fake-activities.ts';
import { sampleEvidence, sampleFacts, samplePlan } from './sample-evidence.ts';
import { createFullWorld, stepsInOrder, wholeSequence } from './whole-sequence.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

/** Every write that rests on a plan; the seal looks at the database that it closes and at nothing else. */
const guarded = stepsInOrder.filter((step) => steps[step].writes && step !== 'seal' && step !== 'open-follow-ups');
const gateOf = (step: StepId): SurveyedGate => gateBefore(wholeSequence, step) ?? 'go';

test('a target that changed before any write voids the approval behind it: surveyed, shown, asked again', async () => {
  const world = createFullWorld();
  for (const step of guarded) {
    world.behave(step, (call) => {
      if (call.attempt === 1) throw finalFailure('TargetDrifted', `somebody changed it before ${step}`);
    });
  }
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    const asked = await answerAll(handle);
    const status = await handle.result();
    expect(status.outcome?.result).toBe('completed');
    const voided = status.journal.filter((entry) => entry.event === 'voided');
    expect(voided.map((entry) => entry.text)).toEqual(
      guarded.map((step) => `gate ${gateOf(step)}: asked again, because somebody changed it before ${step}`),
    );
    for (const gate of planGates) {
      const times = 1 + guarded.filter((step) => gateOf(step) === gate).length;
      const { survey, confirm } = stepsOfGate[gate];
      expect([
        gate,
        asked.filter((one) => (one.signal === 'launch' ? 'launch' : one.message['gate']) === gate).length,
      ]).toEqual([gate, times]);
      for (const step of [survey, confirm]) {
        expect([step, world.performed.filter((one) => one === step).length]).toEqual([step, times]);
      }
    }
    // What was voided was not done, and what was done is done once.
    for (const step of guarded) expect(world.performed.filter((one) => one === step)).toHaveLength(1);
    expect(status.items.every((item) => item.state === 'done')).toBe(true);
  });
});

test('facts that changed while people decided void the approval at every gate, and the difference is shown', async () => {
  const world = createFullWorld();
  for (const gate of planGates) {
    const { survey, confirm } = stepsOfGate[gate];
    let surveys = 0;
    world.behave(survey, () => {
      surveys += 1;
      const facts = { ...sampleFacts, release: { ...sampleFacts.release, version: 6 + surveys } };
      return { evidence: { ...samplePlan(gate), facts } };
    });
    world.behave(confirm, () => {
      if (surveys === 1) throw finalFailure('FactsChanged', 'it is not as approved');
    });
  }
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    const asked = await answerAll(handle);
    expect((await handle.result()).outcome?.result).toBe('completed');
    expect(asked.map((one) => [one.round, one.changes])).toEqual(
      planGates.flatMap(() => [
        [1, []],
        [2, ['release.version: 7, now 8']],
      ]),
    );
  });
});

test('what others changed without harm is recorded once, and stops nothing', async () => {
  const world = createFullWorld();
  const at = '2026-05-15T00:40:00Z';
  const deploy = {
    what: 'v9 was deployed, with the same head',
    class: 'harmless',
    release: 9,
    by: 'dev@example.com',
    at,
  } as const;
  const rotation = { what: 'Rotate', class: 'platform', release: 10, by: 'heroku@addons.heroku.com', at } as const;
  // Each later write sees what those before it saw.
  for (const step of ['credential', 'bind-url', 'grants'] as const) world.behave(step, () => ({ drift: [deploy] }));
  world.behave('flag', () => ({ drift: [deploy, rotation] }));
  await harness.withWorker(world, async ({ start }) => {
    const status = await approveAll(await start());
    expect(status.outcome?.result).toBe('completed');
    expect(status.drift).toEqual([deploy, rotation]);
    expect(status.journal.filter((entry) => entry.event === 'drifted').map((entry) => entry.text)).toEqual([
      'credential: changed by others: v9 was deployed, with the same head (harmless)',
      'flag: changed by others: Rotate (platform)',
    ]);
    expect(world.performed).toEqual(stepsInOrder);
  });
});

test('each write is told the plan that it rests on, and what this run has put in place', async () => {
  const world = createFullWorld();
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start();
    await approveGate(handle, 'go');
    await approveGate(handle, 'rm-11');
    await statusWhen(handle, atGate('launch'));
    await handle.cancel();
    await handle.result();
  });
  const { release, migrations, matrixDigest, config } = sampleFacts;
  // The promotion keeps another attachment of the old add-on, which is no drift for those behind it.
  const kept = [...config.attachments, ...sampleEvidence.promote.kept].sort();
  for (const step of guarded) {
    const call = world.calls.find((one) => one.step === step);
    const attachments = step === 'promote' ? config.attachments : kept;
    expect([step, call?.baseline]).toEqual([
      step,
      { release, migrations, matrixDigest, config: { ...config, attachments } },
    ]);
    expect([step, call?.inPlace]).toEqual([step, guarded.slice(0, guarded.indexOf(step))]);
  }
  for (const call of world.calls.filter((one) => !guarded.includes(one.step))) expect(call.baseline).toBeUndefined();
});
