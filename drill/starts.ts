import { raptorStaging, soakOfSeconds } from '../rehearsal/soak.ts';
import type { RotatedCredential } from '../workflows/rotation-plan.ts';
import type { Phase } from '../workflows/sop.ts';
import type { Outcome, Procedure } from '../workflows/state.ts';
import { atGate, play } from './people.ts';
import type { Random } from './random.ts';
import type { Asked, Run, Stage, Staged } from './stage.ts';
import { configVars } from './world.ts';

interface Start {
  readonly procedure: Procedure;
  /** What is asked for. */
  readonly asked: Asked;
  /** Brings a fresh app to where the procedure begins, and begins it. */
  readonly begin: (stage: Stage, signal: AbortSignal, random: Random) => Promise<Run>;
  /** How the procedure ends by itself. */
  readonly ends: Outcome['result'];
  /** The phases in whose steps it is disturbed, where the others are another procedure's; all unless said. */
  readonly phases?: readonly Phase[];
  /** Of which app; production's unless said. */
  readonly staged?: Staged;
}

/** A cutover that waits for the launch: what ways back are asked of. */
async function cutOver(stage: Stage, signal: AbortSignal): Promise<Run> {
  const run = await stage.start({});
  await play(stage, run, signal, undefined, atGate('launch'));
  return run;
}

/** A procedure that begins by being asked for. */
function atOnce(procedure: Procedure, asked: Asked, ends: Outcome['result']): Start {
  return { procedure, asked, ends, begin: (stage) => stage.start(asked) };
}

const wantsBack = { requestedBy: 'Cy', mode: 'kill-switch', reason: 'the drill wants to go back' } as const;
const wantsUndone = { requestedBy: 'Cy', mode: 'undo-rm-11', reason: 'the drill wants to undo RM-11' } as const;

/** The rotation of a credential of an app that was cut over and launched. */
function rotationOf(credential: RotatedCredential, variable: string): Start {
  const asked: Asked = { type: 'rotateCredential', input: { credential } };
  return {
    procedure: 'rotation',
    asked,
    ends: 'rotated',
    async begin(stage, signal) {
      const cutover = await stage.start({});
      await play(stage, cutover, signal);
      // A run says that it has ended a moment before it does.
      await cutover.result();
      const { [variable]: url } = await configVars(stage);
      if (url === undefined) throw new Error(`a cutover leaves no ${variable}`);
      stage.outdated.push(url);
      return stage.start(asked);
    },
  };
}

const known = {
  cutover: atOnce('cutover', {}, 'completed'),
  plan: atOnce('plan', { input: { mode: 'plan' } }, 'planned'),
  'kill-switch': {
    procedure: 'kill-switch',
    asked: { input: wantsBack },
    ends: 'rolled-back',
    async begin(stage, signal, random) {
      const run = await cutOver(stage, signal);
      // By a message to the run, or by a run of its own, which knows nothing of the first one.
      if (random() < 0.5) return stage.startInstead({ input: wantsBack });
      await run.signal('killSwitch', { by: wantsBack.requestedBy, reason: wantsBack.reason });
      return run;
    },
  },
  'undo-rm-11': {
    procedure: 'undo-rm-11',
    asked: { input: wantsUndone },
    ends: 'undone',
    async begin(stage, signal) {
      await cutOver(stage, signal);
      return stage.startInstead({ input: wantsUndone });
    },
  },
  'staging-soak': {
    ...atOnce('staging-soak', { type: 'stagingSoak' }, 'completed'),
    // What comes before is the cutover's, step by step.
    phases: ['rehearsal', 'soak'],
    staged: { app: raptorStaging, target: soakOfSeconds(raptorStaging) },
  },
  'rotation-owner': rotationOf('owner', 'DATABASE_URL'),
  'rotation-role': rotationOf('role', 'RAPTOR_APP_DATABASE_URL'),
} satisfies Record<string, Start>;

export type Drilled = keyof typeof known;
/** How everything begins that is drilled: each procedure, and those twice that differ by what is asked for. */
export const starts: Readonly<Record<Drilled, Start>> = known;
export const drilled = Object.keys(known) as Drilled[];
