import { ApplicationFailure } from '@temporalio/workflow';
import { z } from 'zod';
import { runInput } from './input.ts';
import { stepIds, type StepId } from './steps.ts';

const stepId = z.enum(stepIds as [StepId, ...StepId[]]);
const gateId = z.enum(['go', 'rm-11']);
/** Milliseconds since 1970, as the workflow's own clock has them. */
const instant = z.number().int();

/** What the workflow keeps of the worker's target file: names for people, never policy that a starter could bend. */
export const targetSummary = z.object({
  digest: z.string(),
  hasPullRequest: z.boolean(),
  pullRequest: z.string().nullable(),
  /** Events after which the run continues as new at the next quiet point. */
  historyEventLimit: z.number().int(),
});
export type TargetSummary = z.infer<typeof targetSummary>;

const failure = z.object({ type: z.string(), message: z.string() });
const stepRecord = z.object({
  attempt: z.number().int(),
  startedAt: instant,
  finishedAt: instant.nullable(),
  did: z.enum(['acted', 'already', 'settled', 'observed']).nullable(),
  evidence: z.unknown(),
  failure: failure.nullable(),
});
const gateRecord = z.object({
  digest: z.string(),
  openedAt: instant,
  approvedBy: z.string().nullable(),
  approvedAt: instant.nullable(),
});
const refusedMessage = z.object({ at: instant, message: z.string(), by: z.string().nullable(), why: z.string() });
const journalEntry = z.object({
  seq: z.number().int(),
  at: instant,
  event: z.string(),
  text: z.string(),
  /** What the event carried, but for evidence, which stands in the result of its activity already. */
  data: z.record(z.unknown()),
});
export type JournalEntry = z.infer<typeof journalEntry>;

const outcome = z.object({
  result: z.enum(['completed', 'aborted', 'refused']),
  reason: z.string(),
  by: z.string().nullable(),
});
export type Outcome = z.infer<typeof outcome>;

/**
 * The whole state of a run. It is what continue-as-new carries, so a change of its shape is a new `version` and an
 * upgrade of the old one in `carried.ts`.
 */
export const runState = z.object({
  version: z.literal(1),
  input: runInput,
  stage: z.enum(['starting', 'working', 'waiting', 'parked', 'ended']),
  startedAt: instant,
  target: targetSummary.nullable(),
  steps: z.record(stepId, stepRecord),
  gates: z.record(gateId, gateRecord),
  at: z.union([z.object({ step: stepId }), z.object({ gate: gateId })]).nullable(),
  refusedMessages: z.array(refusedMessage),
  handledMessages: z.array(z.string()),
  journal: z.array(journalEntry),
  continued: z.number().int(),
  outcome: outcome.nullable(),
});
export type RunState = z.infer<typeof runState>;
export type Stage = RunState['stage'];
export type StepRecord = z.infer<typeof stepRecord>;
type GateName = z.infer<typeof gateId>;

export type RunEvent =
  | { type: 'targetRead'; target: TargetSummary }
  | { type: 'stepStarted'; step: StepId; attempt: number }
  | { type: 'stepDone'; step: StepId; did: NonNullable<StepRecord['did']>; evidence: unknown }
  | { type: 'stepFailed'; step: StepId; failure: z.infer<typeof failure> }
  | { type: 'gateOpened'; gate: GateName; digest: string }
  | { type: 'approved'; gate: GateName; by: string }
  | { type: 'resolved'; step: StepId; by: string; reason: string }
  | { type: 'messageRefused'; message: string; by: string | null; why: string }
  | { type: 'messageHandled'; id: string }
  | { type: 'continued' }
  | { type: 'ended'; outcome: Outcome };

/**
 * The only way from one stage to another. An edge that is not here does not exist: an approval, say, moves a run only
 * while it waits at a gate, so that one which comes late or early can be recorded but cannot open anything.
 */
const edges: Record<Stage, Partial<Record<RunEvent['type'], Stage>>> = {
  // Nothing is known of the target yet; a mistake found here ends the run before any request was made.
  starting: { targetRead: 'working', ended: 'ended', messageRefused: 'starting', messageHandled: 'starting' },
  working: {
    stepStarted: 'working',
    stepDone: 'working',
    stepFailed: 'parked',
    gateOpened: 'waiting',
    messageRefused: 'working',
    messageHandled: 'working',
    ended: 'ended',
  },
  // At a gate no step runs, which is what makes it a quiet point for continue-as-new.
  waiting: {
    approved: 'working',
    messageRefused: 'waiting',
    messageHandled: 'waiting',
    continued: 'waiting',
    ended: 'ended',
  },
  // Only a person's decision leaves this stage: the retries are used up, or would not help.
  parked: {
    resolved: 'working',
    messageRefused: 'parked',
    messageHandled: 'parked',
    continued: 'parked',
    ended: 'ended',
  },
  ended: {},
};

/** How many refused messages are kept; the history has them all. */
const refusedMessagesKept = 20;
/** How many message ids are remembered for deduplication. */
const messageIdsKept = 500;

export function initialState(input: RunState['input'], now: number): RunState {
  return {
    version: 1,
    input,
    stage: 'starting',
    startedAt: now,
    target: null,
    steps: {},
    gates: {},
    at: null,
    refusedMessages: [],
    handledMessages: [],
    journal: [],
    continued: 0,
    outcome: null,
  };
}

/**
 * The next state. Pure; the only place that assigns `stage`.
 *
 * @param now milliseconds since 1970
 * @throws ApplicationFailure `InvalidTransition` for an edge that is not in the table
 */
export function transition(state: RunState, event: RunEvent, now: number): RunState {
  const stage = edges[state.stage][event.type];
  if (stage === undefined) {
    throw ApplicationFailure.nonRetryable(
      `The event ${event.type} came while the run was ${state.stage}: a mistake in the runbook, not in the target. ` +
        'Nothing was done for it; please report it with the exported history.',
      'InvalidTransition',
    );
  }
  return { ...state, ...change(state, event, now), stage };
}

/** True where the table has an edge for the event in the state's stage. */
export function allows(state: RunState, type: RunEvent['type']): boolean {
  return edges[state.stage][type] !== undefined;
}

function change(state: RunState, event: RunEvent, now: number): Partial<RunState> {
  switch (event.type) {
    case 'targetRead':
      return { target: event.target };
    case 'stepStarted':
      return {
        at: { step: event.step },
        steps: {
          ...state.steps,
          [event.step]: {
            attempt: event.attempt,
            startedAt: now,
            finishedAt: null,
            did: null,
            evidence: null,
            failure: null,
          },
        },
      };
    case 'stepDone':
      return {
        at: null,
        ...withStep(state, event.step, { finishedAt: now, did: event.did, evidence: event.evidence }),
      };
    case 'stepFailed':
      return withStep(state, event.step, { failure: event.failure });
    case 'gateOpened':
      return {
        at: { gate: event.gate },
        gates: {
          ...state.gates,
          [event.gate]: { digest: event.digest, openedAt: now, approvedBy: null, approvedAt: null },
        },
      };
    case 'approved': {
      const gate = state.gates[event.gate];
      return gate
        ? { at: null, gates: { ...state.gates, [event.gate]: { ...gate, approvedBy: event.by, approvedAt: now } } }
        : {};
    }
    case 'resolved':
      return { at: null };
    case 'messageRefused': {
      const { message, by, why } = event;
      return { refusedMessages: [...state.refusedMessages, { at: now, message, by, why }].slice(-refusedMessagesKept) };
    }
    case 'messageHandled':
      return { handledMessages: [...state.handledMessages, event.id].slice(-messageIdsKept) };
    case 'continued':
      return { continued: state.continued + 1 };
    case 'ended':
      return { at: null, outcome: event.outcome };
  }
}

function withStep(state: RunState, step: StepId, part: Partial<StepRecord>): Partial<RunState> {
  const record = state.steps[step];
  return record ? { steps: { ...state.steps, [step]: { ...record, ...part } } } : {};
}
