import { condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { productionCutover } from './cutover.ts';
import type { Wish } from './decide.ts';
import { differences, type GateId, type Plan, type PlanGate } from './facts.ts';
import { readWindow } from './proxies.ts';
import type { Run } from './run.ts';
import { identifyWaiting } from './senders.ts';
import { planGateOf, stepsOfGate } from './sop.ts';
import type { StepId } from './steps.ts';
import { evidenceOf, view } from './view.ts';

/** Opens a gate on the plan that was surveyed for it, and waits until it is approved, rejected or void. */
export async function passGate(run: Run, gate: PlanGate): Promise<Wish | undefined> {
  const plan = evidenceOf<Plan>(run.state, stepsOfGate[gate].survey);
  const before = run.state.gates[gate];
  // After continue-as-new the gate is open already, with what was decided so far.
  if (before?.open !== true) {
    const changes = before?.replaced ? differences(before.replaced, plan?.facts) : [];
    openGate(run, gate, { digest: plan?.digest ?? '', about: null, changes });
  }
  if (run.state.stage !== 'parked') {
    const wish = await waitAtGate(run, gate);
    if (wish !== undefined) return wish;
  }
  return waitForDecision(run);
}

/** Waits until a person decides what becomes of what is parked. */
export function waitForDecision(run: Run): Promise<Wish | undefined> {
  return waitForPeople(run, {
    isOver: () => run.state.stage !== 'parked',
    dueAt: () => Infinity,
    settle: () => undefined,
  });
}

/**
 * Waits, durably, until a write may begin: inside the target's change windows and outside its freezes, or because a
 * quorum has said so with a reason. What was allowed that way holds as long as any approval.
 */
export async function waitForWindow(run: Run, step: StepId): Promise<Wish | undefined> {
  if (run.state.target?.hasWindows !== true) return undefined;
  for (;;) {
    const override = run.state.gates.window;
    const holds = (override?.decidedAt ?? 0) + run.state.target.policy.expiresAfterMs > Date.now();
    if (override?.passedAt && override.approvals.length > 0 && holds) return undefined;
    if (override?.open !== true) {
      const window = await readWindow({ app: run.state.input.app, step });
      if (window.open) return undefined;
      openGate(run, 'window', { digest: window.digest, about: window.why, changes: [], expiresAt: window.opensAt });
    }
    const wish = await waitAtGate(run, 'window');
    if (wish !== undefined) return wish;
    if (run.state.stage === 'parked') {
      const decided = await waitForDecision(run);
      if (decided !== undefined) return decided;
    }
  }
}

function openGate(
  run: Run,
  gate: GateId,
  about: { digest: string; about: string | null; changes: string[]; expiresAt?: number },
): void {
  const expiresAt = Date.now() + (run.state.target?.policy.expiresAfterMs ?? 0);
  run.apply({ type: 'gateOpened', gate, expiresAt, ...about });
}

/** Voids a gate: what it asks about, or what was approved, no longer holds. */
export function voidGate(run: Run, gate: PlanGate, why: string): void {
  const { survey, confirm } = stepsOfGate[gate];
  run.apply({ type: 'voided', gate, why, surveys: [survey, confirm] });
}

function waitAtGate(run: Run, gate: GateId): Promise<Wish | undefined> {
  const coolingOffMs = run.state.target?.policy.coolingOffMs ?? 0;
  const dueAt = (): number => {
    const record = run.state.gates[gate];
    return record?.decidedAt == null ? (record?.expiresAt ?? 0) : record.decidedAt + coolingOffMs;
  };
  const settle = (): void => {
    if (run.state.stage !== 'waiting' || Date.now() < dueAt()) return;
    const plan = planGateOf(gate);
    if (run.state.gates[gate]?.decidedAt == null && plan !== undefined) {
      voidGate(run, gate as PlanGate, 'nobody decided before the plan expired');
    } else {
      // Decided; or a change window has opened by itself.
      run.apply({ type: 'gatePassed', gate });
    }
  };
  return waitForPeople(run, { isOver: () => run.state.stage !== 'waiting', dueAt, settle });
}

interface Waiting {
  isOver(): boolean;
  /** When something becomes due even if nobody sends anything, in milliseconds since 1970. */
  dueAt(): number;
  /** Does what is due. */
  settle(): void;
}

/**
 * The one place where a run waits for people, and so the one quiet point where it may continue as new: no activity is
 * running and the inbox is empty, hence the state is all there is to carry.
 */
async function waitForPeople(run: Run, { isOver, dueAt, settle }: Waiting): Promise<Wish | undefined> {
  for (;;) {
    await identifyWaiting(run);
    const wish = run.takeMessages();
    settle();
    if (wish !== undefined || isOver()) return wish;
    if (historyIsLong(run)) {
      await run.senders.settled();
      if (run.inbox.length > 0) continue;
      run.apply({ type: 'continued' });
      await continueAsNew<typeof productionCutover>(run.state.input, run.state);
    }
    const remindAt = (run.state.remindedAt ?? Date.now()) + (run.state.target?.policy.remindEveryMs ?? Infinity);
    const next = Math.min(dueAt(), remindAt);
    const isHeard = (): boolean => run.inbox.length > 0;
    if (Number.isFinite(next)) await condition(isHeard, Math.max(1, next - Date.now()));
    else await condition(isHeard);
    if (Date.now() >= remindAt) run.apply({ type: 'reminded', of: view(run.state).waitingFor?.what ?? 'people' });
  }
}

function historyIsLong(run: Run): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || historyLength > (run.state.target?.historyEventLimit ?? Infinity);
}
