import type { RehearsedApp } from '../../../rehearsal/apps.ts';
import type { StepCall, StepId } from '../../../workflows/steps.ts';
import { writesOf, type Rig } from '../cutover-rig.ts';
import type { StepRunner } from '../step-runner.ts';
import type { SeenFailure } from './page.ts';

const mostTries = 4;

/** How a step fared that met a fault, and was then tried again as often as the server would. */
export interface Fared {
  /** Of the attempt that met it; null where that attempt came to its end. */
  readonly failure: SeenFailure | null;
  /** What the step did in its last attempt. */
  readonly did: string;
  /** What it saw in that attempt. */
  readonly evidence: unknown;
  /** The writes that the services have taken, as they may be counted: without ids. */
  readonly taken: readonly string[];
}

/**
 * Performs a step until it is done, as the server has it done: the same attempt of the run, tried again.
 *
 * @param afterFirst called once the first try has ended
 */
export async function performThrough(
  { rig, steps }: { rig: Rig; steps: StepRunner },
  app: RehearsedApp,
  step: StepId,
  call: Partial<StepCall> = {},
  afterFirst: () => void | Promise<void> = () => undefined,
): Promise<Fared> {
  const before = writesOf(rig.platform).length;
  const same = { attempt: 1, since: Date.now(), ...call };
  const first = await steps.answer(app, step, same);
  await afterFirst();
  let answer = first;
  for (let tries = 2; 'failure' in answer; tries += 1) {
    const { type, message } = answer.failure;
    if (tries > mostTries) throw new Error(`${step} fails still: ${type}: ${message}`);
    answer = await steps.answer(app, step, same, tries);
  }
  return {
    failure: 'failure' in first ? first.failure : null,
    did: answer.result.did,
    evidence: answer.result.evidence,
    taken: writesOf(rig.platform).slice(before).map(withoutIds).sort(),
  };
}

function withoutIds(write: string): string {
  return write.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>');
}
