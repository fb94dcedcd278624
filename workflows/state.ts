import { z } from 'zod';
import { gateIds } from './facts.ts';
import { runInput } from './input.ts';
import { backupEvidence } from './messages.ts';
import { policy } from './policy.ts';
import { stepIds, type StepId } from './steps.ts';

const stepId = z.enum(stepIds as [StepId, ...StepId[]]);
const gateId = z.enum(gateIds);
/** Milliseconds since 1970, as the workflow's own clock has them. */
const instant = z.number().int();

/** What the workflow keeps of the worker's target file: who decides, and names for people. */
export const targetSummary = z.object({
  digest: z.string(),
  policy,
  /** True where the target names change windows or freezes: then writes ask before they begin. */
  hasWindows: z.boolean(),
  hasPullRequest: z.boolean(),
  pullRequest: z.string().nullable(),
  /** Events after which the run continues as new at the next quiet point. */
  historyEventLimit: z.number().int(),
});
export type TargetSummary = z.infer<typeof targetSummary>;

export const failure = z.object({ type: z.string(), message: z.string() });
export type Failure = z.infer<typeof failure>;

const stepRecord = z.object({
  attempt: z.number().int(),
  startedAt: instant,
  finishedAt: instant.nullable(),
  did: z.enum(['acted', 'already', 'settled', 'observed']).nullable(),
  evidence: z.unknown(),
  failure: failure.nullable(),
});
export type StepRecord = z.infer<typeof stepRecord>;

const approval = z.object({
  by: z.string(),
  at: instant,
  reason: z.string().nullable(),
  backup: backupEvidence.nullable(),
});
export type Approval = z.infer<typeof approval>;

const gateRecord = z.object({
  /** 1 when it is asked for the first time, then one more each time that it is asked anew. */
  round: z.number().int(),
  open: z.boolean(),
  digest: z.string(),
  /** What the gate asks about beyond its plan. */
  about: z.string().nullable(),
  /** What differs from the plan that was asked about before. */
  changes: z.array(z.string()),
  openedAt: instant,
  expiresAt: instant,
  approvals: z.array(approval),
  rejection: z.object({ by: z.string(), at: instant, reason: z.string() }).nullable(),
  /** When enough had approved; what follows may still have to wait for the cooling-off time. */
  decidedAt: instant.nullable(),
  passedAt: instant.nullable(),
  /** The facts of the plan before this one, where it was voided. */
  replaced: z.unknown(),
});
export type GateRecord = z.infer<typeof gateRecord>;

const drift = z.object({
  what: z.string(),
  class: z.enum(['own', 'platform', 'harmless', 'relevant']),
  release: z.number().int().nullable(),
  by: z.string().nullable(),
  at: z.string().nullable(),
});
/** A change of the target that no step of this run declared. */
export type Drift = z.infer<typeof drift>;

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
  /** When people were last told that the run waits for them. */
  remindedAt: instant.nullable(),
  drift: z.array(drift),
  refusedMessages: z.array(refusedMessage),
  handledMessages: z.array(z.string()),
  journal: z.array(journalEntry),
  continued: z.number().int(),
  outcome: outcome.nullable(),
});
export type RunState = z.infer<typeof runState>;
export type Stage = RunState['stage'];

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
    remindedAt: null,
    drift: [],
    refusedMessages: [],
    handledMessages: [],
    journal: [],
    continued: 0,
    outcome: null,
  };
}
