import { condition, makeContinueAsNewFunc, workflowInfo } from '@temporalio/workflow';
import type { Wish } from './decide.ts';
import { evidenceOf } from './evidence.ts';
import { differences, isSurveyedGate, type GateId, type Plan, type SurveyedGate } from './facts.ts';
import { digestOf, readWindow } from './proxies.ts';
import type { Run } from './run.ts';
import { identifyWaiting } from './senders.ts';
import { stepsOfGate, type GateItem } from './sop.ts';
import type { StepId } from './steps.ts';
import { view } from './view.ts';
import { createSoak } from './soak.ts';
import { createSampler, type Beside } from './watch.ts';

/** What is done beside each kind of gate. */
const besides: Partial<Record<GateItem['kind'], (run: Run) => Beside>> = { watch: createSampler, soak: createSoak };

/** Opens a gate on what was surveyed for it, and waits until it is approved, rejected or void. */
export async function passGate(run: Run, { id, kind, about, approvedBeforehand }: GateItem): Promise<Wish | undefined> {
  // After continue-as-new the run waits already, at this gate with what was decided so far or for a decision.
  if (run.state.stage === 'working') {
    await openFor(run, id, kind, about ?? null);
    if (approvedBeforehand !== undefined)
      run.apply({ type: 'approvedBeforehand', gate: id, field: approvedBeforehand });
  }
  if (run.state.stage === 'waiting') {
    const wish = await waitAtGate(run, id, besides[kind]?.(run));
    if (wish !== undefined) return wish;
  }
  return waitForDecision(run);
}

async function openFor(run: Run, gate: GateId, kind: GateItem['kind'], about: string | null): Promise<void> {
  const plan = isSurveyedGate(gate)
    ? evidenceOf<Pick<Plan, 'facts' | 'digest'>>(run.state, stepsOfGate[gate].survey)
    : undefined;
  if (plan === undefined) {
    const round = (run.state.gates[gate]?.round ?? 0) + 1;
    const digest = await digestOf({ gate, about, round, run: workflowInfo().firstExecutionRunId });
    openGate(run, gate, { digest, about, changes: [], expiresAt: null });
    return;
  }
  const replaced = run.state.gates[gate]?.replaced;
  const changes = replaced ? differences(replaced, plan.facts) : [];
  // Nobody has to answer a soak, so that it has no time in which to do so.
  openGate(run, gate, { digest: plan.digest, about, changes, ...(kind === 'soak' ? { expiresAt: null } : {}) });
}

/** Waits until a person decides what becomes of what is parked. */
export function waitForDecision(run: Run): Promise<Wish | undefined> {
  const isOver = (): boolean => run.state.stage !== 'parked' && run.state.stage !== 'seal-parked';
  return waitForPeople(run, { isOver, dueAt: () => Infinity, settle: () => undefined });
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
  about: { digest: string; about: string | null; changes: string[]; expiresAt?: number | null },
): void {
  const expiresAt = Date.now() + (run.state.target?.policy.expiresAfterMs ?? 0);
  run.apply({ type: 'gateOpened', gate, expiresAt, ...about });
}

/** Voids a gate: what it asks about, or what was approved, no longer holds. */
export function voidGate(run: Run, gate: SurveyedGate, why: string): void {
  const { survey, confirm } = stepsOfGate[gate];
  run.apply({ type: 'voided', gate, why, surveys: [survey, confirm] });
}

function waitAtGate(run: Run, gate: GateId, beside?: Beside): Promise<Wish | undefined> {
  const coolingOffMs = run.state.target?.policy.coolingOffMs ?? 0;
  const dueAt = (): number => {
    const record = run.state.gates[gate];
    if (record === undefined) return 0;
    return record.decidedAt === null ? (record.expiresAt ?? Infinity) : record.decidedAt + coolingOffMs;
  };
  const settle = (): void => {
    if (run.state.stage !== 'waiting') return;
    if (beside?.isComplete?.() === true) {
      run.apply({ type: 'gatePassed', gate });
      return;
    }
    if (Date.now() < dueAt()) return;
    if (run.state.gates[gate]?.decidedAt == null && isSurveyedGate(gate)) {
      voidGate(run, gate, 'nobody decided before the plan expired');
    } else {
      // Decided; or a change window has opened by itself.
      run.apply({ type: 'gatePassed', gate });
    }
  };
  return waitForPeople(run, { isOver: () => run.state.stage !== 'waiting', dueAt, settle }, beside);
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
async function waitForPeople(run: Run, { isOver, dueAt, settle }: Waiting, beside?: Beside): Promise<Wish | undefined> {
  for (;;) {
    await identifyWaiting(run);
    const wish = run.takeMessages();
    settle();
    if (wish !== undefined || isOver()) {
      await beside?.stop();
      return wish;
    }
    if (historyIsLong(run) && beside?.isRunning !== true && run.notices.underWay === 0) {
      await run.senders.settled();
      if (run.inbox.length > 0) continue;
      run.apply({ type: 'continued' });
      await continueOnCurrentBuild(run);
    }
    const remindAt = nextReminder(run, beside);
    const { at: next, summary } = nextDue(dueAt(), remindAt, beside?.dueAt() ?? Infinity);
    const wasRunning = beside?.isRunning;
    // What people are being told would not outlive the run; it is over in minutes, and no message waits for that.
    const isHeldUp = historyIsLong(run) && run.notices.underWay > 0;
    const mayContinue = (): boolean => isHeldUp && run.notices.underWay === 0;
    const somethingHappens = (): boolean => run.inbox.length > 0 || beside?.isRunning !== wasRunning || mayContinue();
    if (Number.isFinite(next)) await condition(somethingHappens, Math.max(1, next - Date.now()), { summary });
    else await condition(somethingHappens);
    if (Date.now() >= remindAt) run.apply({ type: 'reminded', of: view(run.state).waitingFor?.what ?? 'people' });
    if (beside !== undefined && Date.now() >= beside.dueAt()) beside.begin();
  }
}

/** What is due first, with the line that stands beside its timer in the Web UI: the server takes 400 bytes of one [source]. */
function nextDue(questionAt: number, remindAt: number, sampleAt: number): { at: number; summary: string } {
  const at = Math.min(questionAt, remindAt, sampleAt);
  if (at === sampleAt) return { at, summary: 'Until the next sample of the watch' };
  if (at === remindAt) return { at, summary: 'Until people are reminded' };
  return { at, summary: 'Until the question is asked anew, or has its answer' };
}

/**
 * A run stays on its build, whose code its history was made by. What continues it has no history yet, so there it moves to
 * the build that is current. A server before 1.30 leaves it where it is [ran: 1.29.1].
 */
function continueOnCurrentBuild({ state }: Run): Promise<never> {
  const isVersioned = workflowInfo().currentDeploymentVersion !== undefined;
  const options = isVersioned ? { initialVersioningBehavior: 'AUTO_UPGRADE' as const } : {};
  return makeContinueAsNewFunc(options)(state.input, state);
}

/** A watch is a planned wait, and nobody is late in it. */
function nextReminder({ state }: Run, beside: Beside | undefined): number {
  if (beside !== undefined || state.remindedAt === null) return Infinity;
  return state.remindedAt + (state.target?.policy.remindEveryMs ?? Infinity);
}

function historyIsLong(run: Run): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || historyLength > (run.state.target?.historyEventLimit ?? Infinity);
}
