import { z } from 'zod';
import { gateIds } from './facts.ts';
import { runInput, type RunInput, type WorkflowType } from './input.ts';
import { backupClaim } from './messages.ts';
import { policy } from './policy.ts';
import { rotatedCredential } from './rotation-plan.ts';
import { soak, soakRules } from './soak-clock.ts';
import { stepIds, type StepId } from './steps.ts';

const stepId = z.enum(stepIds as [StepId, ...StepId[]]);
const gateId = z.enum(gateIds);
/** Milliseconds since 1970, as the workflow's own clock has them. */
const instant = z.number().int();

/** What the workflow keeps of the worker's target file: who decides, and names for people. */
export const targetSummary = z.object({
  digest: z.string(),
  policy,
  /** True where the target names what is to be followed up after the launch. */
  hasFollowUps: z.boolean(),
  /** True where the target says how to go back to SQLite. */
  hasRollback: z.boolean(),
  /** Milliseconds between two samples of the watch. */
  sampleEveryMs: z.number().int(),
  /** True where the target names change windows or freezes: then writes ask before they begin. */
  hasWindows: z.boolean(),
  hasPullRequest: z.boolean(),
  pullRequest: z.string().nullable(),
  /** Events after which the run continues as new at the next quiet point. */
  historyEventLimit: z.number().int(),
  /** True where the worker knows a webhook. Missing in runs of before there were any, and told nobody. */
  tellsPeople: z.boolean().optional(),
  /** True where the namespace has the search attributes of `search.ts`. Missing in runs of before there were any. */
  isSearchable: z.boolean().optional(),
  /** How a soak of the app goes. Missing in runs of before there were any. */
  soak: soakRules.optional(),
  /** True where the target answers for rotations beforehand. */
  rotatesUnasked: z.boolean().optional(),
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
  /** The procedure goes on without it, for now or for good. */
  givenUp: z.boolean(),
});
export type StepRecord = z.infer<typeof stepRecord>;

const approval = z.object({
  by: z.string(),
  at: instant,
  reason: z.string().nullable(),
  backup: backupClaim.nullable(),
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
  /** Null where the question stays as it is until somebody answers it. */
  expiresAt: instant.nullable(),
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

const wayBack = z.object({
  kind: z.enum(['kill-switch', 'undo-rm-11']),
  by: z.string(),
  reason: z.string(),
  at: instant,
  /** The procedure that it was asked of, or null where the run was started for it. */
  from: z.enum(['cutover', 'rotation', 'staging-soak']).nullable(),
  /** Why it may not go on. */
  refused: failure.nullable(),
});
export type WayBack = z.infer<typeof wayBack>;

const rotation = z.object({
  credential: rotatedCredential,
  by: z.string(),
  reason: z.string(),
  at: instant,
  /** The procedure that it was asked of, and that goes on behind it; null where the run was started for it. */
  from: z.literal('cutover').nullable(),
});
export type Rotation = z.infer<typeof rotation>;

const watch = z.object({
  since: instant,
  samples: z.number().int(),
  red: z.number().int(),
  lastAt: instant,
  healthy: z.boolean(),
  problems: z.array(z.string()),
  /** Milliseconds in which no sample was taken although one was due: nobody knows how the app was then. */
  gapMs: z.number().int(),
});
export type Watch = z.infer<typeof watch>;

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
  result: z.enum(['completed', 'planned', 'aborted', 'refused', 'rolled-back', 'undone', 'rotated']),
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
  stage: z.enum(['starting', 'working', 'waiting', 'parked', 'sealing', 'seal-parked', 'ended']),
  procedure: z.enum(['cutover', 'plan', 'kill-switch', 'undo-rm-11', 'staging-soak', 'rotation']),
  startedAt: instant,
  target: targetSummary.nullable(),
  steps: z.record(stepId, stepRecord),
  gates: z.record(gateId, gateRecord),
  at: z.union([z.object({ step: stepId }), z.object({ gate: gateId })]).nullable(),
  /** When people were last told that the run waits for them. */
  remindedAt: instant.nullable(),
  wayBack: wayBack.nullable(),
  /** Missing in runs of before there were any. */
  rotation: rotation.nullish(),
  watch: watch.nullable(),
  soak: soak.nullable().default(null),
  drift: z.array(drift),
  refusedMessages: z.array(refusedMessage),
  handledMessages: z.array(z.string()),
  journal: z.array(journalEntry),
  continued: z.number().int(),
  outcome: outcome.nullable(),
});
export type RunState = z.infer<typeof runState>;
export type Stage = RunState['stage'];
export type Procedure = RunState['procedure'];

/** @param type of the workflow: inputs alone do not tell a soak from a cutover */
export function initialState(
  input: RunState['input'],
  now: number,
  type: WorkflowType = 'productionCutover',
): RunState {
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
    wayBack: null,
    rotation: null,
    watch: null,
    soak: null,
    drift: [],
    refusedMessages: [],
    handledMessages: [],
    journal: [],
    continued: 0,
    outcome: null,
    ...beginningOf(input, now, type),
  };
}

/** What a run is started for. It is asked for it by its requester. */
function beginningOf(
  input: RunInput,
  now: number,
  type: WorkflowType,
): Pick<RunState, 'procedure'> & Partial<RunState> {
  const asked = { by: input.requestedBy, reason: input.reason ?? '', at: now, from: null };
  if (type === 'stagingSoak') return { procedure: 'staging-soak' };
  if ('credential' in input) return { procedure: 'rotation', rotation: { credential: input.credential, ...asked } };
  const { mode = 'cutover' } = input;
  const isWayBack = mode === 'kill-switch' || mode === 'undo-rm-11';
  return { procedure: mode, ...(isWayBack ? { wayBack: { kind: mode, ...asked, refused: null } } : {}) };
}
