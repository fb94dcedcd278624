import type { Plan } from './facts.ts';
import { sequence, type Item, type Known, type Phase } from './sop.ts';
import type { Outcome, RunState, Stage, StepRecord } from './state.ts';
import { steps, type StepId } from './steps.ts';

export type ItemState = 'ahead' | 'running' | 'waiting' | 'parked' | 'done';

/** One line of the checklist. */
export interface ItemStatus {
  readonly kind: 'step' | 'gate';
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
  readonly signal: 'approve' | 'resolve';
  readonly message: Readonly<Record<string, unknown>>;
  /** The other values that a field of the message may take. */
  readonly choices: readonly string[];
}

/** The answer of the query `status`. Web UI text, terminal and report are functions of it. */
export interface Status {
  readonly app: string;
  readonly requestedBy: string;
  readonly stage: Stage;
  readonly phase: Phase | null;
  readonly items: readonly ItemStatus[];
  readonly waitingFor: WaitingFor | null;
  readonly plans: { readonly go: Plan | null; readonly 'rm-11': Plan | null };
  readonly refusedMessages: RunState['refusedMessages'];
  readonly journal: RunState['journal'];
  /** How often the run continued as new. */
  readonly continued: number;
  readonly outcome: Outcome | null;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** The evidence that a step left, once it is done. The state holds it as it came out of its activity's own schema. */
export function evidenceOf<E>(state: RunState, step: StepId): E | undefined {
  const record = state.steps[step];
  return record?.did ? (record.evidence as E) : undefined;
}

/** What the sequence unfolds from. */
export function known(state: RunState): Known {
  return {
    hasPullRequest: state.target?.hasPullRequest ?? false,
    pullRequest: evidenceOf(state, 'inspect-pull-request'),
    go: evidenceOf<Plan>(state, 'survey')?.facts,
    rm11: evidenceOf<Plan>(state, 'survey-rm-11')?.facts,
  };
}

/** The first item that is not yet done, or undefined at the end of the sequence. */
export function nextItem(state: RunState): Item | undefined {
  return sequence(known(state)).find((item) =>
    item.kind === 'step' ? !state.steps[item.id]?.did : !state.gates[item.id]?.approvedBy,
  );
}

/** The one status object of a run. */
export function view(state: RunState): Status {
  const items = sequence(known(state)).map((item) =>
    item.kind === 'step' ? viewStep(state, item) : viewGate(state, item),
  );
  return {
    app: state.input.app,
    requestedBy: state.input.requestedBy,
    stage: state.stage,
    phase: items.find((item) => item.state !== 'done')?.phase ?? null,
    items,
    waitingFor: waitingFor(state),
    plans: { go: evidenceOf<Plan>(state, 'survey') ?? null, 'rm-11': evidenceOf<Plan>(state, 'survey-rm-11') ?? null },
    refusedMessages: state.refusedMessages,
    journal: state.journal,
    continued: state.continued,
    outcome: state.outcome,
    startedAt: state.startedAt,
  };
}

function viewStep(state: RunState, item: Extract<Item, { kind: 'step' }>): ItemStatus {
  const base = { kind: item.kind, id: item.id, phase: item.phase, title: steps[item.id].title } as const;
  const record = state.steps[item.id];
  if (!record) return { ...base, state: 'ahead' };
  const current = state.at !== null && 'step' in state.at && state.at.step === item.id;
  const { attempt, did, evidence, failure, startedAt, finishedAt } = record;
  const itemState = did ? 'done' : current && state.stage === 'parked' ? 'parked' : current ? 'running' : 'ahead';
  return { ...base, state: itemState, attempt, did, evidence, failure, startedAt, finishedAt };
}

function viewGate(state: RunState, item: Extract<Item, { kind: 'gate' }>): ItemStatus {
  const base = { kind: item.kind, id: item.id, phase: item.phase, title: item.title } as const;
  const gate = state.gates[item.id];
  if (!gate) return { ...base, state: 'ahead' };
  const { approvedBy, approvedAt, openedAt } = gate;
  return { ...base, state: approvedBy ? 'done' : 'waiting', approvedBy, startedAt: openedAt, finishedAt: approvedAt };
}

function waitingFor(state: RunState): WaitingFor | null {
  if (state.at === null) return null;
  if ('gate' in state.at && state.stage === 'waiting') {
    const gate = state.at.gate;
    return {
      what: `approval of the gate ${gate}`,
      signal: 'approve',
      message: { gate, by: '<your name>', plan: state.gates[gate]?.digest ?? '' },
      choices: [],
    };
  }
  if ('step' in state.at && state.stage === 'parked') {
    const step = state.at.step;
    const attempt = state.steps[step]?.attempt ?? 1;
    return {
      what: `a decision about the step ${step}, attempt ${attempt}`,
      signal: 'resolve',
      message: { step, attempt, by: '<your name>', action: 'retry', reason: '<why>' },
      choices: ['retry', 'abort'],
    };
  }
  return null;
}
