import { isSurveyedGate, type Facts, type GateId, type PullRequestFacts, type SurveyedGate } from './facts.ts';
import type { FailureType } from './failures.ts';
import type { StepId } from './steps.ts';

export const phases = [
  'preflight',
  'rm-10',
  'rm-11',
  'watch',
  'seal',
  'way-back',
  'rehearsal',
  'soak',
  'rotation',
] as const;
export type Phase = (typeof phases)[number];

/** What an activity is told beyond its step; see step-calls.ts. */
export type Need =
  | 'formation'
  | 'killedAt'
  | 'rehearsedFormation'
  | 'rehearsedKillAt'
  | 'baselineOfWatch'
  | 'baselineOfSoak'
  | 'backup'
  | 'seal'
  | 'report'
  | 'certificate'
  | 'rotation'
  | 'sinceRotated';

/** A step of a procedure. */
export interface StepItem {
  readonly kind: 'step';
  readonly id: StepId;
  readonly phase: Phase;
  /** The gate for which a survey makes the plan. */
  readonly planFor?: SurveyedGate;
  /** Looks once more, after the approval, whether the target still is what was approved. */
  readonly confirms?: SurveyedGate;
  /** A restart that must leave no dyno from before the step, not merely none from before the release. */
  readonly freshDynos?: boolean;
  /** A smoke suite that must find the app connected as the restricted role. */
  readonly asRole?: boolean;
  /** The survey whose plan has the grant matrix that was approved, where the step applies it. */
  readonly matrixOf?: StepId;
  readonly needs?: readonly Need[];
  /** A failure of this step that nothing mends refuses the whole way back, and not only the step. */
  readonly refuses?: true;
  /** Failures after which the procedure goes on without the step. */
  readonly tolerates?: readonly FailureType[];
  /** Steps whose effect this one waits for: it is done anew where one of them came to its end only behind it. */
  readonly follows?: readonly StepId[];
  /** `later`: the other steps go on, and a person decides about this one in the end. `report`: it is only reported. */
  readonly onFailure?: 'later' | 'report';
  /** From here on there is no way back. */
  readonly seals?: true;
}

/** A point that waits for people. */
export interface GateItem {
  readonly kind: 'gate' | 'watch' | 'soak';
  readonly id: GateId;
  readonly phase: Phase;
  readonly title: string;
  /** What a gate asks about that opens on no plan. */
  readonly about?: string;
  /** The field of the target file by which its policy has answered already. */
  readonly approvedBeforehand?: string;
}

/** One line of a procedure. A `watch` is a gate beside which samples are taken; a `soak` is one that these open. */
export type Item = StepItem | GateItem;

/** The steps behind a gate: the survey that makes its plan, and the look that confirms it once it is approved. */
export const stepsOfGate: Readonly<Record<SurveyedGate, { readonly survey: StepId; readonly confirm: StepId }>> = {
  go: { survey: 'survey', confirm: 'confirm' },
  'rm-11': { survey: 'survey-rm-11', confirm: 'confirm-rm-11' },
  launch: { survey: 'survey-launch', confirm: 'confirm-launch' },
  soak: { survey: 'survey-soak', confirm: 'confirm-soak' },
  rotate: { survey: 'survey-rotation', confirm: 'confirm-rotation' },
};

/** The steps behind a gate, or undefined where it opens on no plan. */
export function planGateOf(gate: string): (typeof stepsOfGate)[SurveyedGate] | undefined {
  return isSurveyedGate(gate) ? stepsOfGate[gate] : undefined;
}

/** What a run has learnt so far; the sequence unfolds as it learns. */
export interface Known {
  readonly hasFollowUps: boolean;
  readonly hasPullRequest: boolean;
  readonly pullRequest?: PullRequestFacts | undefined;
  readonly go?: Facts | undefined;
  /** Whether this run has begun to promote the add-on: a plan that is made again behind it shows nothing to promote. */
  readonly promoting?: boolean | undefined;
  /** Whether this run's upgrade applied a revision: a plan that is made again behind it shows none pending. */
  readonly migrated?: boolean | undefined;
  readonly rm11?: Facts | undefined;
}

/**
 * The production cutover (RM-10, then RM-11), as the people who wrote it would read it. Pure: plan, docs and audit
 * use it too. Nothing up to the item that brings a fact ever moves when that fact arrives, so the next item of a run is
 * always the first one that is not yet done.
 */
export function sequence(known: Known): Item[] {
  const { pullRequest, go, rm11 } = known;
  const preflight: Item[] = [
    { kind: 'step', id: 'config-check', phase: 'preflight' },
    ...when(known.hasPullRequest, { kind: 'step', id: 'inspect-pull-request', phase: 'preflight' }),
  ];
  if (known.hasPullRequest && pullRequest === undefined) return preflight;

  // A pull request that adds a revision is merged first, so that one upgrade applies it too and the plan that people
  // approve is made from the slug that will run. Without a revision only RM-11 has to wait for it.
  const awaitPullRequest: StepItem = { kind: 'step', id: 'await-pull-request', phase: 'preflight' };
  const addsRevision = (pullRequest?.revisionFiles.length ?? 0) > 0;

  // A pending revision that names the role fails without it, or is stamped as done without granting anything.
  const credentialFirst = (go?.migrations.namingRole.length ?? 0) > 0;
  const credential: Item = { kind: 'step', id: 'credential', phase: credentialFirst ? 'rm-10' : 'rm-11' };
  // The dynos must start on the new schema; where no revision was applied they already run on it.
  const freshDynos = known.migrated ?? (go?.migrations.pending.length ?? 0) > 0;

  return [
    ...preflight,
    ...when(pullRequest !== undefined && addsRevision, awaitPullRequest),
    { kind: 'step', id: 'survey', phase: 'preflight', planFor: 'go' },
    { kind: 'gate', id: 'go', phase: 'preflight', title: 'Approve the plan of the cutover' },
    { kind: 'step', id: 'confirm', phase: 'preflight', confirms: 'go' },

    ...when(credentialFirst, credential),
    ...when(known.promoting === true || typeof go?.database.promote === 'string', {
      kind: 'step',
      id: 'promote',
      phase: 'rm-10',
    }),
    { kind: 'step', id: 'upgrade', phase: 'rm-10' },
    { kind: 'step', id: 'verify-schema', phase: 'rm-10' },
    { kind: 'step', id: 'restart', phase: 'rm-10', freshDynos },
    { kind: 'step', id: 'smoke', phase: 'rm-10' },

    ...when(pullRequest !== undefined && !addsRevision, { ...awaitPullRequest, phase: 'rm-10' }),
    { kind: 'step', id: 'survey-rm-11', phase: 'rm-11', planFor: 'rm-11' },
    { kind: 'gate', id: 'rm-11', phase: 'rm-11', title: 'Approve RM-11 with the evidence of RM-10' },
    { kind: 'step', id: 'confirm-rm-11', phase: 'rm-11', confirms: 'rm-11' },

    ...when(!credentialFirst, credential),
    { kind: 'step', id: 'bind-url', phase: 'rm-11' },
    { kind: 'step', id: 'grants', phase: 'rm-11', matrixOf: 'survey-rm-11' },
    { kind: 'step', id: 'flag', phase: 'rm-11' },
    { kind: 'step', id: 'restart-rm-11', phase: 'rm-11', freshDynos: rm11 ? !rm11.role.flag : false },
    { kind: 'step', id: 'smoke-rm-11', phase: 'rm-11', asRole: true },
    { kind: 'step', id: 'verify-sessions', phase: 'rm-11' },

    { kind: 'step', id: 'survey-launch', phase: 'watch', planFor: 'launch' },
    { kind: 'watch', id: 'launch', phase: 'watch', title: 'Watch, until the launch is approved' },
    { kind: 'step', id: 'confirm-launch', phase: 'watch', confirms: 'launch' },
    { kind: 'step', id: 'check-backup', phase: 'watch', needs: ['backup'] },
    { kind: 'step', id: 'seal', phase: 'seal', seals: true, needs: ['seal'] },
    ...when(known.hasFollowUps, {
      kind: 'step',
      id: 'open-follow-ups',
      phase: 'seal',
      onFailure: 'report',
      needs: ['report'],
    }),
  ];
}

/** The steps among the items, in their order. */
export function stepIdsOf(items: readonly Item[]): StepId[] {
  return items.flatMap((item) => (item.kind === 'step' ? [item.id] : []));
}

export function when(condition: boolean, ...items: Item[]): Item[] {
  return condition ? items : [];
}

/** The gate on whose plan an item rests: the last one before it. */
export function gateBefore(items: readonly Item[], id: Item['id']): SurveyedGate | undefined {
  const index = items.findIndex((item) => item.id === id);
  const gates = items.slice(0, index).flatMap((item) => (isSurveyedGate(item.id) ? [item.id] : []));
  return gates.at(-1);
}
