import type { Drilled } from './case.ts';
import { atGate, play } from './people.ts';
import type { Random } from './random.ts';
import type { Run, Stage } from './stage.ts';

interface Start {
  /** Brings a fresh app to where the procedure begins, and begins it. */
  readonly begin: (stage: Stage, signal: AbortSignal, random: Random) => Promise<Run>;
  /** How the procedure ends by itself. */
  readonly ends: string;
}

/** A cutover that waits for the launch: what ways back are asked of. */
async function cutOver(stage: Stage, signal: AbortSignal): Promise<Run> {
  const run = await stage.start({});
  await play(stage, run, signal, undefined, atGate('launch'));
  return run;
}

/** How each procedure begins. */
export const starts: Record<Drilled, Start> = {
  cutover: { begin: (stage) => stage.start({}), ends: 'completed' },
  plan: { begin: (stage) => stage.start({ mode: 'plan' }), ends: 'planned' },
  'kill-switch': {
    ends: 'rolled-back',
    async begin(stage, signal, random) {
      const run = await cutOver(stage, signal);
      // By a message to the run, or by a run of its own, which knows nothing of the first one.
      if (random() < 0.5)
        return stage.startInstead({ requestedBy: 'Cy', mode: 'kill-switch', reason: 'the drill wants to go back' });
      await run.signal('killSwitch', { by: 'Cy', reason: 'the drill wants to go back' });
      return run;
    },
  },
  'undo-rm-11': {
    ends: 'undone',
    async begin(stage, signal) {
      await cutOver(stage, signal);
      return stage.startInstead({ requestedBy: 'Cy', mode: 'undo-rm-11', reason: 'the drill wants to undo RM-11' });
    },
  },
};
