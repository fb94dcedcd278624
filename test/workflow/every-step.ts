import type { StepId } from '../../workflows/steps.ts';
import { freshApp, type CutoverHandle, type Session } from './harness.ts';
import type { Behaviour, FakeWorld } from './fake-activities.ts';
import { startOf, stepsOfMode, type Mode } from './whole-sequence.ts';

/** Milliseconds for a test that plays dozens of runs side by side, also where other tests do the same. */
export const manyRuns = 300_000;

/** A run of its own for a step of a procedure; the runs of one test share a world. */
export interface OwnRun {
  readonly mode: Mode;
  readonly step: StepId;
  readonly app: string;
  readonly handle: CutoverHandle;
}

/** Every step of every procedure; the purpose stands in the app's name, so that a failure tells where. */
export const everyStep: readonly { mode: Mode; step: StepId; app: string }[] = (
  ['cutover', 'plan', 'kill-switch', 'undo-rm-11', 'staging-soak', 'rotation'] as const
).flatMap((mode) => stepsOfMode(mode).map((step) => ({ mode, step, app: freshApp(`${mode.slice(0, 4)}-${step}`) })));

/** Makes each step behave so in the runs that are its own, and well in the others. */
export function inItsOwnRuns(
  world: FakeWorld,
  runs: typeof everyStep,
  behaviour: (app: string, call: Parameters<Behaviour>[0]) => ReturnType<Behaviour>,
): void {
  for (const step of new Set(runs.map((run) => run.step))) {
    const apps = new Set(runs.filter((run) => run.step === step).map((run) => run.app));
    world.behave(step, (call) => (apps.has(call.app) ? behaviour(call.app, call) : undefined));
  }
}

/** Starts the runs side by side, and plays each to its end. */
export async function playAll(
  { start }: Session,
  runs: typeof everyStep,
  play: (run: OwnRun) => Promise<void>,
): Promise<void> {
  await Promise.all(runs.map(async (run) => play({ ...run, handle: await start(startOf(run.mode, run.app)) })));
}

/** The same, one procedure after the other: all of them together are too many for a machine that others work on. */
export async function playInTurn(
  session: Session,
  runs: typeof everyStep,
  play: (run: OwnRun) => Promise<void>,
): Promise<void> {
  for (const mode of new Set(runs.map((run) => run.mode))) {
    const ofMode = runs.filter((run) => run.mode === mode);
    await playAll(session, ofMode, play);
  }
}
