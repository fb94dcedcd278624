import { ApplicationFailure } from '@temporalio/workflow';
import type { GateId } from './facts.ts';
import type { KnownSender } from './messages.ts';
import type {
  Approval,
  Drift,
  Failure,
  Outcome,
  RunState,
  Stage,
  StepRecord,
  TargetSummary,
  Watch,
  WayBack,
} from './state.ts';
import type { Soak } from './soak-clock.ts';
import type { RotatedCredential } from './rotation-plan.ts';
import { rotationStepIds } from './rotation-sequence.ts';
import type { StepId } from './steps.ts';
import { wayBackSteps } from './way-back.ts';

/** Where a gate has something of its own to say. */
export interface GateOpening {
  readonly gate: GateId;
  readonly digest: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number | null;
  readonly about: string | null;
  readonly changes: readonly string[];
}

export type RunEvent =
  | { type: 'targetRead'; target: TargetSummary }
  | { type: 'stepStarted'; step: StepId; attempt: number }
  | { type: 'stepDone'; step: StepId; did: NonNullable<StepRecord['did']>; evidence: unknown }
  | { type: 'stepFailed'; step: StepId; failure: Failure }
  | { type: 'stepGivenUp'; step: StepId; failure: Failure }
  | ({ type: 'gateOpened' } & GateOpening)
  | ({ type: 'approved'; gate: GateId; needed: number; alone: boolean } & Omit<Approval, 'at'>)
  | { type: 'approvedBeforehand'; gate: GateId; field: string }
  | { type: 'decided'; gate: GateId }
  | { type: 'rejected'; gate: GateId; by: string; reason: string }
  | { type: 'gatePassed'; gate: GateId }
  | { type: 'voided'; gate: GateId; why: string; surveys: readonly StepId[] }
  | { type: 'resolved'; step: StepId | GateId; by: string; reason: string; surveys: readonly StepId[] }
  | ({ type: 'killed' } & Pick<WayBack, 'kind' | 'by' | 'reason'>)
  | { type: 'rollbackRefused'; failure: Failure }
  | {
      type: 'rotationAsked';
      credential: RotatedCredential;
      by: string;
      reason: string;
      gate: GateId;
      surveys: readonly StepId[];
    }
  | { type: 'rotated'; credential: RotatedCredential; by: string }
  | { type: 'rotationDropped'; by: string; reason: string }
  | { type: 'resumed' }
  | { type: 'sampled'; watch: Watch }
  | { type: 'soaked'; soak: Soak; news: string | null }
  | { type: 'sealing'; by: string }
  | { type: 'drifted'; step: StepId; drift: readonly Drift[] }
  | ({ type: 'identified'; message: string; by: string } & KnownSender)
  | { type: 'reminded'; of: string }
  | { type: 'messageRefused'; message: string; by: string | null; why: string }
  | { type: 'messageHandled'; id: string }
  | { type: 'continued' }
  | { type: 'ended'; outcome: Outcome };

export type EventType = RunEvent['type'];

/** Where an event leads from a stage, and why there is such an edge. */
type Edges = Partial<Record<EventType, readonly [Stage, string]>>;

/** What is only taken down, whatever the run is doing. */
const notes = (stage: Stage): Edges => ({
  messageRefused: [stage, 'a message that cannot count is recorded, and changes nothing'],
  messageHandled: [stage, 'a message that names itself is remembered, so that it counts once'],
  identified: [stage, 'the history is asked who sent a message while the run goes on'],
});

/**
 * The only way from one stage to another. An edge that is not here does not exist: an approval, say, moves a run only
 * while it waits at a gate, so that one which comes late or early can be recorded but cannot open anything.
 */
export const edges: Record<Stage, Edges> = {
  starting: {
    ...notes('starting'),
    targetRead: ['working', 'everything that follows needs the target file'],
    ended: ['ended', 'a mistake found here ends the run before any request was made'],
  },
  working: {
    ...notes('working'),
    stepStarted: ['working', 'the next item is a step'],
    stepDone: ['working', 'its effect was seen'],
    drifted: ['working', 'somebody else changed the target, and it does not matter to what was approved'],
    stepFailed: ['parked', 'no retry mends it, and a cutover that stops half way must not simply end'],
    stepGivenUp: ['working', 'the way back goes on without it; it is decided about in the end, or reported'],
    killed: ['working', 'a person wants the way back, in the middle of a step'],
    rollbackRefused: ['working', 'the way back may not go on; what it has fenced is let go first'],
    rotated: ['working', 'the rotation is done, and the watch that it was asked of goes on'],
    resumed: ['working', 'the way back was refused and the world is as it was: the cutover stands where it stood'],
    sealing: ['sealing', 'the launch is approved and confirmed: rollbacks are refused before the seal is written'],
    gateOpened: ['waiting', 'the next item is a gate'],
    voided: ['working', 'the target is no longer what was approved, or the approval has expired: it is surveyed again'],
    ended: ['ended', 'the last item is done, a person has ended the run, or preflight refused it'],
  },
  // At a gate no step runs, which is what makes it a quiet point for continue-as-new.
  waiting: {
    ...notes('waiting'),
    approved: ['waiting', 'one more person has approved; the quorum is counted separately'],
    approvedBeforehand: ['waiting', 'the target file answers for it, and the cooling-off time begins'],
    decided: ['waiting', 'enough have approved, and the cooling-off time begins'],
    gatePassed: ['working', 'enough have approved, and the cooling-off time is over'],
    rejected: ['parked', 'a person has said no: the run is planned anew or ended by a decision'],
    voided: ['working', 'nobody decided in time: the plan is old and is made again'],
    killed: ['working', 'a person wants the way back instead of what the gate would allow'],
    rotationAsked: ['working', 'a person wants a credential rotated in the watch'],
    rotationDropped: ['working', 'a person has said no to a rotation, and the watch goes on'],
    rollbackRefused: ['working', 'a person has said no to a way back whose cost nobody knows'],
    sampled: ['waiting', 'a sample was taken beside the gate of the launch'],
    soaked: ['waiting', 'a sample was taken beside the clock of a soak'],
    reminded: ['waiting', 'nobody has answered for a while'],
    continued: ['waiting', 'the history is long, and nothing is running'],
    ended: ['ended', 'a person has ended the run'],
  },
  // Only a person's decision leaves this stage: the retries are used up, or would not help.
  parked: {
    ...notes('parked'),
    resolved: ['working', 'a person has decided to go on'],
    killed: ['working', 'a person has decided for the way back'],
    rotationDropped: ['working', 'a person has decided to go on with the watch without the rotation'],
    reminded: ['parked', 'nobody has answered for a while'],
    continued: ['parked', 'the history is long, and nothing is running'],
    ended: ['ended', 'a person has ended the run'],
  },
  // From here on `killed` has no edge: what customers write from now on is nowhere else.
  sealing: {
    ...notes('sealing'),
    stepStarted: ['sealing', 'the seal, and then the follow-ups'],
    stepDone: ['sealing', 'its effect was seen'],
    stepGivenUp: ['sealing', 'a follow-up that fails is reported and holds nothing up'],
    drifted: ['sealing', 'somebody else changed the target, and it does not matter to the launch'],
    stepFailed: ['seal-parked', 'the seal could not be written, and may have been: people look'],
    ended: ['ended', 'it is launched'],
  },
  'seal-parked': {
    ...notes('seal-parked'),
    resolved: ['sealing', 'a person has decided to try the seal again'],
    reminded: ['seal-parked', 'nobody has answered for a while'],
    continued: ['seal-parked', 'the history is long, and nothing is running'],
    ended: ['ended', 'a person has ended the run'],
  },
  ended: {},
};

/** How many refused messages are kept; the history has them all. */
const refusedMessagesKept = 20;
/** How many message ids are remembered for deduplication. */
const messageIdsKept = 500;
/** How many changes by others are kept; the journal has them all. */
const driftKept = 50;

/**
 * The next state. Pure; the only place that assigns `stage`.
 *
 * @param now milliseconds since 1970
 * @throws ApplicationFailure `InvalidTransition` for an edge that is not in the table
 */
export function transition(state: RunState, event: RunEvent, now: number): RunState {
  const edge = edges[state.stage][event.type];
  if (edge === undefined) {
    throw ApplicationFailure.nonRetryable(
      `The event ${event.type} came while the run was ${state.stage}: a mistake in the runbook, not in the target. ` +
        'Nothing was done for it; please report it with the exported history.',
      'InvalidTransition',
    );
  }
  return { ...state, ...change(state, event, now), stage: edge[0] };
}

/** True where the table has an edge for the event in the state's stage. */
export function allows(state: RunState, type: EventType): boolean {
  return edges[state.stage][type] !== undefined;
}

function change(state: RunState, event: RunEvent, now: number): Partial<RunState> {
  switch (event.type) {
    case 'targetRead':
      return { target: event.target };
    case 'stepStarted': {
      const { attempt } = event;
      const record = {
        attempt,
        startedAt: now,
        finishedAt: null,
        did: null,
        evidence: null,
        failure: null,
        givenUp: false,
      };
      return { at: { step: event.step }, steps: { ...state.steps, [event.step]: record } };
    }
    case 'stepDone':
      return {
        at: null,
        ...withStep(state, event.step, { finishedAt: now, did: event.did, evidence: event.evidence }),
      };
    case 'stepFailed':
      return {
        at: { step: event.step },
        remindedAt: now,
        ...withStep(state, event.step, { failure: event.failure, givenUp: false }),
      };
    case 'stepGivenUp':
      return { at: null, ...withStep(state, event.step, { failure: event.failure, givenUp: true }) };
    case 'gateOpened':
      return { at: { gate: event.gate }, remindedAt: now, ...openGate(state, event, now) };
    case 'approved': {
      const { by, reason, backup } = event;
      const approvals = [...(state.gates[event.gate]?.approvals ?? []), { by, at: now, reason, backup }];
      return withGate(state, event.gate, { approvals });
    }
    case 'approvedBeforehand': {
      const approvals = [{ by: 'the target file', at: now, reason: event.field, backup: null }];
      return withGate(state, event.gate, { approvals, decidedAt: now });
    }
    case 'decided':
      return withGate(state, event.gate, { decidedAt: now });
    case 'gatePassed':
      return { at: null, ...withGate(state, event.gate, { open: false, passedAt: now }) };
    case 'rejected':
      return {
        remindedAt: now,
        ...withGate(state, event.gate, { rejection: { by: event.by, at: now, reason: event.reason } }),
      };
    case 'voided':
      return askAnew(state, event.gate, event.surveys);
    case 'resolved':
      return event.step in state.gates ? askAnew(state, event.step as GateId, event.surveys) : { at: null };
    case 'killed': {
      const { kind, by, reason } = event;
      const from = state.wayBack === null ? forwardOf(state) : state.wayBack.from;
      // Whatever an earlier way back has seen is looked at again.
      const steps = omit(state.steps, wayBackSteps);
      return {
        at: null,
        procedure: kind,
        steps,
        gates: closed(state.gates),
        wayBack: { kind, by, reason, at: now, from, refused: null },
      };
    }
    case 'rollbackRefused':
      return { at: null, wayBack: state.wayBack && { ...state.wayBack, refused: event.failure } };
    case 'rotationAsked': {
      const { credential, by, reason, gate, surveys } = event;
      // Whatever an earlier rotation has seen and was allowed is asked anew, as is the gate that the watch stands at.
      const asked = askAnew({ ...state, steps: omit(state.steps, rotationStepIds) }, gate, surveys);
      const gates = { ...state.gates, ...asked.gates };
      return {
        ...asked,
        gates: { ...gates, ...(gates.rotate ? { rotate: { ...gates.rotate, passedAt: null } } : {}) },
        procedure: 'rotation',
        rotation: { credential, by, reason, at: now, from: 'cutover' },
      };
    }
    case 'rotated':
    case 'rotationDropped':
      return { at: null, procedure: 'cutover', rotation: null, gates: closed(state.gates) };
    case 'resumed':
      return {
        at: null,
        procedure: state.wayBack?.from ?? 'cutover',
        steps: omit(state.steps, wayBackSteps),
        wayBack: null,
      };
    case 'sampled':
      return { watch: event.watch };
    case 'soaked':
      return { soak: event.soak };
    case 'sealing':
      return {};
    case 'drifted':
      return { drift: [...state.drift, ...event.drift].slice(-driftKept) };
    case 'messageRefused': {
      const { message, by, why } = event;
      return { refusedMessages: [...state.refusedMessages, { at: now, message, by, why }].slice(-refusedMessagesKept) };
    }
    case 'messageHandled':
      return { handledMessages: [...state.handledMessages, event.id].slice(-messageIdsKept) };
    case 'identified':
      return {};
    case 'reminded':
      return { remindedAt: now };
    case 'continued':
      return { continued: state.continued + 1 };
    case 'ended':
      return { at: null, outcome: event.outcome };
  }
}

/** What a run goes on with where its way back is refused. */
function forwardOf({ procedure }: RunState): NonNullable<WayBack['from']> {
  return procedure === 'staging-soak' || procedure === 'rotation' ? procedure : 'cutover';
}

function openGate(state: RunState, opening: GateOpening, now: number): Partial<RunState> {
  const { gate, digest, expiresAt, about, changes } = opening;
  const before = state.gates[gate];
  const record = {
    round: (before?.round ?? 0) + 1,
    open: true,
    digest,
    about,
    changes: [...changes],
    openedAt: now,
    expiresAt,
    approvals: [],
    rejection: null,
    decidedAt: null,
    passedAt: null,
    replaced: before?.replaced ?? null,
  };
  // A soak is of what its plan says: on another plan its clock begins from nothing.
  return { gates: { ...state.gates, [gate]: record }, ...(gate === 'soak' ? { soak: null } : {}) };
}

/** Closes a gate whose plan no longer holds, and forgets the surveys behind it, so that both are made again. */
function askAnew(state: RunState, gate: GateId, surveys: readonly StepId[]): Partial<RunState> {
  const [survey] = surveys;
  const plan = survey === undefined ? undefined : (state.steps[survey]?.evidence as { facts?: unknown } | null);
  return {
    at: null,
    steps: omit(state.steps, surveys),
    ...withGate(state, gate, { open: false, approvals: [], decidedAt: null, passedAt: null, replaced: plan?.facts }),
  };
}

/** Whoever comes back to a gate that was left open asks anew, so that nobody answers a question of before. */
function closed(gates: RunState['gates']): RunState['gates'] {
  return Object.fromEntries(Object.entries(gates).map(([id, gate]) => [id, { ...gate, open: false }]));
}

function omit(steps: RunState['steps'], ids: readonly StepId[]): RunState['steps'] {
  return Object.fromEntries(Object.entries(steps).filter(([id]) => !ids.includes(id as StepId)));
}

function withStep(state: RunState, step: StepId, part: Partial<StepRecord>): Partial<RunState> {
  const record = state.steps[step];
  return record ? { steps: { ...state.steps, [step]: { ...record, ...part } } } : {};
}

function withGate(state: RunState, gate: GateId, part: Partial<RunState['gates'][GateId]>): Partial<RunState> {
  const record = state.gates[gate];
  return record ? { gates: { ...state.gates, [gate]: { ...record, ...part } } } : {};
}
