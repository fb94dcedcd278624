import { condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { productionCutover } from './cutover.ts';
import type { Abort } from './decide.ts';
import type { GateId, Plan } from './facts.ts';
import type { Run } from './run.ts';
import type { StepId } from './steps.ts';
import { evidenceOf } from './view.ts';

/** The survey whose plan a gate shows. */
const planOf: Record<GateId, StepId> = { go: 'survey', 'rm-11': 'survey-rm-11' };

/** Opens a gate on the plan that was surveyed for it, and waits until it is approved. */
export async function passGate(run: Run, gate: GateId): Promise<Abort | undefined> {
  const digest = evidenceOf<Plan>(run.state, planOf[gate])?.digest ?? '';
  // After continue-as-new the gate is open already, with what was decided so far.
  if (run.state.gates[gate] === undefined) run.apply({ type: 'gateOpened', gate, digest });
  return waitForPeople(run, () => run.state.stage !== 'waiting');
}

/** Waits until a person decides what becomes of a parked step. */
export function waitForDecision(run: Run): Promise<Abort | undefined> {
  return waitForPeople(run, () => run.state.stage !== 'parked');
}

/**
 * The one place where a run waits for people, and so the one quiet point where it may continue as new: no activity is
 * running and the inbox is empty, hence the state is all there is to carry.
 */
async function waitForPeople(run: Run, isOver: () => boolean): Promise<Abort | undefined> {
  for (;;) {
    const abort = run.takeMessages();
    if (abort !== undefined || isOver()) return abort;
    if (historyIsLong(run)) {
      run.apply({ type: 'continued' });
      await continueAsNew<typeof productionCutover>(run.state.input, run.state);
    }
    await condition(() => run.inbox.length > 0);
  }
}

function historyIsLong(run: Run): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || historyLength > (run.state.target?.historyEventLimit ?? Infinity);
}
