import { approveGate, isParked, resolveParked, statusWhen } from '../workflow/harness.ts';
import { createFakeWorld } from '../workflow/fake-activities.ts';
import { sampleDigest, sampleEvidence } from '../workflow/sample-evidence.ts';
import { completed, type Behaviour } from './behaviour.ts';

const rules = { onRed: 'restart', onGap: 'pause', rehearses: true, whyNot: null } as const;

/** The soak of staging, from its cutover to its certificate. */
export const soaks = {
  soaked: {
    ends: completed,
    result: 'completed',
    type: 'stagingSoak',
    world() {
      const world = createFakeWorld({ soak: { ...rules, forMs: 2_000, everyMs: 1_000 } });
      let taken = 0;
      world.behave('soak-sample', () => {
        taken += 1;
        const red = { ...sampleEvidence['soak-sample'], healthy: false, problems: ['no answer'] };
        return taken === 2 ? { evidence: red } : undefined;
      });
      return world;
    },
    async play(handle) {
      await approveGate(handle, 'go');
      await approveGate(handle, 'rm-11');
    },
  },
  // Rejected, taken up again, and continued as new beside its samples.
  'soaked-anew': {
    ends: completed,
    result: 'aborted',
    type: 'stagingSoak',
    world: () => createFakeWorld({ soak: { ...rules, forMs: 3_600_000, everyMs: 500 }, historyEventLimit: 60 }),
    async play(handle) {
      await approveGate(handle, 'go');
      await approveGate(handle, 'rm-11');
      const seen = await statusWhen(handle, ({ soak, continued }) => (soak?.samples ?? 0) > 2 && continued > 1);
      await handle.signal('reject', { gate: 'soak', plan: sampleDigest.soak, by: 'Ada', reason: 'the wrong slug' });
      await statusWhen(handle, isParked);
      await resolveParked(handle, 'retry');
      await statusWhen(
        handle,
        ({ soak, continued, stage }) => stage === 'waiting' && (soak?.samples ?? 0) > 1 && continued > seen.continued,
      );
      await handle.cancel();
    },
  },
} as const satisfies Record<string, Behaviour>;
