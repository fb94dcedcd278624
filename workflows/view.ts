import { evidenceOf } from './evidence.ts';
import { isSurveyedGate, type GateId, type Plan, type PlanGate } from './facts.ts';
import { allItems, itemsOf, placeOfRotation } from './procedures.ts';
import type { RotationPlan } from './rotation-plan.ts';
import type { GateItem, Item, Phase, StepItem } from './sop.ts';
import { parkedAt } from './decide.ts';
import type { MessageName } from './messages.ts';
import type { GateRecord, Outcome, Procedure, Rotation, RunState, Stage, StepRecord } from './state.ts';
import { soakText, viewSoak, type SoakView } from './soak-clock.ts';
import { steps } from './steps.ts';

export type ItemState = 'ahead' | 'running' | 'waiting' | 'parked' | 'done';

/** One line of the checklist. */
export interface ItemStatus {
  readonly kind: Item['kind'];
  readonly id: string;
  readonly phase: Phase;
  readonly title: string;
  readonly state: ItemState;
  readonly attempt?: number;
  readonly did?: StepRecord['did'];
  readonly evidence?: unknown;
  readonly failure?: StepRecord['failure'];
  readonly approvedBy?: string | null;
  /** Milliseconds since 1970. */
  readonly startedAt?: number;
  /** Milliseconds since 1970. */
  readonly finishedAt?: number | null;
}

/** What would move the run on, and the message for it, ready to send. */
export interface WaitingFor {
  readonly what: string;
  /** Name of the message: a signal, and an update. */
  readonly signal: MessageName;
  readonly message: Readonly<Record<string, unknown>>;
  /** The other values that a field of the message may take. */
  readonly choices: readonly string[];
  /** Who may send it; one of them, or as many as `needed` says. */
  readonly from: readonly string[];
  readonly needed: number;
  /** How often it was asked, this time included. */
  readonly round: number;
  /** What differs from the plan that was asked about before. */
  readonly changes: readonly string[];
  /** When the question is asked anew, or answers itself, in milliseconds since 1970. */
  readonly until: number | null;
}

/** The answer of the query `status`. Web UI text, terminal and report are functions of it. */
export interface Status {
  readonly app: string;
  readonly requestedBy: string;
  readonly stage: Stage;
  readonly phase: Phase | null;
  readonly items: readonly ItemStatus[];
  readonly waitingFor: WaitingFor | null;
  readonly plans: Readonly<Record<PlanGate, Plan | null>>;
  readonly procedure: Procedure;
  readonly wayBack: RunState['wayBack'];
  /** What is being rotated, or was in a run that was started for it. */
  readonly rotation: (Rotation & { readonly plan: RotationPlan | null }) | null;
  /** Who may pull the kill switch. */
  readonly mayRollBack: readonly string[];
  /** How the kill switch is pulled, while it can be. */
  readonly killSwitch: { readonly signal: MessageName; readonly message: Readonly<Record<string, string>> } | null;
  readonly watch: RunState['watch'];
  /** The clock of a soak, and how much of it is left. */
  readonly soak: SoakView | null;
  /** What others changed while the run went on, and what that meant for it. */
  readonly drift: RunState['drift'];
  readonly refusedMessages: RunState['refusedMessages'];
  readonly journal: RunState['journal'];
  /** How often the run continued as new. */
  readonly continued: number;
  readonly outcome: Outcome | null;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** The one status object of a run. */
export function view(state: RunState): Status {
  const items = allItems(state).map((item) => (item.kind === 'step' ? viewStep(state, item) : viewGate(state, item)));
  const ofNow = new Set(itemsOf(state).map((item): string => item.id));
  return {
    app: state.input.app,
    requestedBy: state.input.requestedBy,
    stage: state.stage,
    phase: items.find((item) => ofNow.has(item.id) && item.state !== 'done')?.phase ?? null,
    items,
    waitingFor: waitingFor(state),
    plans: {
      go: evidenceOf<Plan>(state, 'survey') ?? null,
      'rm-11': evidenceOf<Plan>(state, 'survey-rm-11') ?? null,
      launch: evidenceOf<Plan>(state, 'survey-launch') ?? null,
      soak: evidenceOf<Plan>(state, 'survey-soak') ?? null,
    },
    procedure: state.procedure,
    wayBack: state.wayBack,
    rotation: state.rotation
      ? { ...state.rotation, plan: evidenceOf<RotationPlan>(state, 'survey-rotation') ?? null }
      : null,
    mayRollBack: state.target ? [...state.target.policy.approvers, ...state.target.policy.onCall] : [],
    killSwitch: killSwitch(state),
    watch: state.watch,
    soak: viewSoak(state.soak, state.target?.soak),
    drift: state.drift,
    refusedMessages: state.refusedMessages,
    journal: state.journal,
    continued: state.continued,
    outcome: state.outcome,
    startedAt: state.startedAt,
  };
}

function viewStep(state: RunState, item: StepItem): ItemStatus {
  const base = { kind: item.kind, id: item.id, phase: item.phase, title: steps[item.id].title } as const;
  const record = state.steps[item.id];
  if (!record) return { ...base, state: 'ahead' };
  const current = state.at !== null && 'step' in state.at && state.at.step === item.id;
  const { attempt, did, evidence, failure, startedAt, finishedAt } = record;
  const isParked = state.stage === 'parked' || state.stage === 'seal-parked';
  const itemState = did ? 'done' : current && isParked ? 'parked' : current ? 'running' : 'ahead';
  return { ...base, state: itemState, attempt, did, evidence, failure, startedAt, finishedAt };
}

function viewGate(state: RunState, item: GateItem): ItemStatus {
  const base = { kind: item.kind, id: item.id, phase: item.phase, title: item.title } as const;
  const gate = state.gates[item.id];
  if (!gate || (!gate.open && gate.passedAt === null)) return { ...base, state: 'ahead' };
  const { openedAt, passedAt, rejection } = gate;
  const itemState = passedAt !== null ? 'done' : rejection && state.stage === 'parked' ? 'parked' : 'waiting';
  const failure = rejection && { type: 'Rejected', message: `${rejection.by}: ${rejection.reason}` };
  return {
    ...base,
    state: itemState,
    approvedBy: approvers(gate),
    failure,
    startedAt: openedAt,
    finishedAt: passedAt,
  };
}

function approvers({ approvals }: GateRecord): string | null {
  return approvals.map((one) => one.by).join(', ') || null;
}

function waitingFor(state: RunState): WaitingFor | null {
  if (state.at === null || state.target === null) return null;
  const { policy } = state.target;
  const people = [...policy.approvers, ...policy.onCall];
  const parked = parkedAt(state);
  if (parked !== undefined) {
    const { id, attempt } = parked;
    return {
      what: `a decision about ${'gate' in state.at ? 'the rejected gate' : 'the step'} ${id}, attempt ${attempt}`,
      signal: 'resolve',
      message: { step: id, attempt, by: '<your name>', action: 'retry', reason: '<why>' },
      choices: choicesOf(state),
      from: [state.input.requestedBy, ...people],
      needed: 1,
      round: attempt,
      changes: [],
      until: null,
    };
  }
  if (state.stage !== 'waiting' || !('gate' in state.at)) return null;
  const { gate } = state.at;
  const record = state.gates[gate];
  if (record === undefined) return null;
  const common = { choices: [], changes: record.changes, round: record.round };
  const message = { gate, by: '<your name>', plan: record.digest };
  if (record.decidedAt !== null) {
    return {
      ...common,
      what: `the cooling-off time of the gate ${gate}, in which the approval can be taken back`,
      signal: 'reject',
      message: { ...message, reason: '<why>' },
      from: [state.input.requestedBy, ...people],
      needed: 0,
      until: record.decidedAt + policy.coolingOffMs,
    };
  }
  if (gate === 'soak') {
    const soak = viewSoak(state.soak, state.target.soak);
    return {
      ...common,
      what: `the soak, which passes by itself and can be stopped before: ${soak === null ? 'no sample yet' : soakText(soak)}`,
      signal: 'reject',
      message: { ...message, reason: '<why>' },
      from: [state.input.requestedBy, ...people],
      needed: 0,
      until: null,
    };
  }
  const confirm = policy.typedConfirmation ? { confirm: "<the app's name>" } : {};
  if (gate === 'launch') {
    return {
      ...common,
      what: 'the launch, the point of no return',
      signal: 'launch',
      message: { by: '<your name>', plan: record.digest, ...confirm, backup: { continuousProtection: true } },
      from: policy.approvers,
      needed: policy.quorum - record.approvals.length,
      until: record.expiresAt,
    };
  }
  return {
    ...common,
    what: record.about === null ? `approval of the gate ${gate}` : `${questions[gate] ?? gate}: ${record.about}`,
    signal: 'approve',
    message: { ...message, ...confirm, ...accepts(state, gate), ...(isSurveyedGate(gate) ? {} : { reason: '<why>' }) },
    from: policy.approvers,
    needed: policy.quorum - record.approvals.length,
    until: record.expiresAt,
  };
}

const questions: Partial<Record<GateId, string>> = {
  window: 'the next change window',
  'uncounted-rows': 'leave for a way back',
};

/** Said by whoever approves a plan whose kill switch will not work. */
function accepts(state: RunState, gate: GateId): Record<string, string> {
  const blocked = gate === 'go' ? evidenceOf<Plan>(state, 'survey')?.facts.killSwitchBlocked : null;
  return blocked == null ? {} : { accepts: 'no-kill-switch' };
}

/** As long as there is something that it could take back, or that it could keep from beginning. */
function killSwitch(state: RunState): Status['killSwitch'] {
  const { stage, procedure, target } = state;
  const isOver = stage === 'sealing' || stage === 'seal-parked' || stage === 'ended';
  const leadsBack = procedure !== 'kill-switch' && procedure !== 'plan' && placeOfRotation(state) !== 'alone';
  if (isOver || !leadsBack || target?.hasRollback !== true) return null;
  return { signal: 'killSwitch', message: { by: '<your name>', reason: '<why>' } };
}

/** What a person may decide about what is parked. */
function choicesOf(state: RunState): string[] {
  const { stage, procedure, target } = state;
  if (stage === 'seal-parked' || procedure === 'kill-switch' || placeOfRotation(state) === 'alone')
    return ['retry', 'abort'];
  const undo = procedure === 'undo-rm-11' ? [] : ['undo-rm-11'];
  return ['retry', ...undo, ...(target?.hasRollback === true ? ['kill-switch'] : []), 'abort'];
}
