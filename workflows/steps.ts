import type { z } from 'zod';
import type { FailureType } from './failures.ts';
import type { Facts, PlanGate, PullRequestFacts } from './facts.ts';
import type { BackupClaim } from './messages.ts';
import type { Drift } from './state.ts';
import { cutoverSteps } from './cutover-steps.ts';
import type { backupEvidence, formation } from './step-definition.ts';
import { launchSteps } from './launch-steps.ts';
import type { CertificateClaim } from './certificate.ts';
import { rehearsalSteps } from './rehearsal-steps.ts';
import { rotationSteps } from './rotation-steps.ts';
import type { RotatedCredential, RotationFacts } from './rotation-plan.ts';
import { soakSteps } from './soak-steps.ts';
import { wayBackSteps } from './way-back-steps.ts';

export type { WorkClass } from './step-definition.ts';

/**
 * Every step that any procedure may take. The ids are stable: they stand in histories, approvals and audit records.
 * Their order here is the order for people; the order of a run is a procedure's, see procedures.ts.
 */
export const steps = {
  ...cutoverSteps,
  ...launchSteps,
  ...wayBackSteps,
  ...soakSteps,
  ...rehearsalSteps,
  ...rotationSteps,
} as const;

export type StepId = keyof typeof steps;
export const stepIds = Object.keys(steps) as StepId[];
export type Evidence<S extends StepId> = z.infer<(typeof steps)[S]['evidence']>;

/** What a plan says of the things that others may change while the run goes on. */
export type Baseline = Pick<Facts, 'release' | 'config' | 'migrations' | 'matrixDigest'>;

/** What the workflow tells an activity about the step that it performs. Nothing of it is policy. */
export interface StepCall {
  readonly app: string;
  readonly step: StepId;
  /** 1 for the first try of the step in this run, then one more after each decision to try again. */
  readonly attempt: number;
  /** Stays the same across retries and continue-as-new: marks what the run leaves in other systems. */
  readonly run: string;
  /** When this attempt of the step began, in milliseconds since 1970. */
  readonly since: number;
  /** The worker's target file must still be the one the plan was made with. */
  readonly targetDigest: string;
  /** Failure types without whose end the procedure goes on, so that a few attempts are enough. */
  readonly tolerates?: readonly FailureType[];
  /** `restart` only: whether dynos newer than the newest release are enough, or newer than `since` as well. */
  readonly freshDynos?: boolean;
  /** The smoke suite only: whether the app must answer as the restricted role. */
  readonly asRole?: boolean;
  /** The survey only: the gate for which the plan is made. */
  readonly gate?: PlanGate;
  /** The survey only: whether it also works out what a cutover would do, for people who ask for no more than that. */
  readonly preview?: boolean;
  /** The confirmation only: digest of the plan that was approved. */
  readonly approved?: string;
  /** Writes only: the plan on which the step rests, for the drift guard. */
  readonly baseline?: Baseline;
  /** Writes only: the steps that this run has put in place, whose effect must still be there. */
  readonly inPlace?: readonly StepId[];
  /** For the record: the steps whose effect this one takes away, and whether something stands of what it did. */
  readonly undoes?: readonly string[];
  readonly leaves?: boolean;
  /** The grants only: digest of the matrix in the plan that was approved. */
  readonly matrixDigest?: string;
  /** The survey only: what `inspect-pull-request` saw. */
  readonly pullRequest?: PullRequestFacts;
  /** The fence, raised and lifted: what `survey-way-back` saw, for where the database cannot keep or tell it. */
  readonly formation?: z.infer<typeof formation>;
  /** `verify-serving` only: when the kill switch was pulled, in milliseconds since 1970. */
  readonly killedAt?: number;
  /** Watch and soak only: the newest release when it began; another one is drift. */
  readonly baselineRelease?: number;
  /** Watch and soak only: the revision of the database when it began. */
  readonly baselineRevision?: string | null;
  /** `check-backup` only: what people gave as the proof. */
  readonly backup?: BackupClaim;
  /** `check-backup` only: milliseconds since 1970; a backup that began before holds less than what is to be protected. */
  readonly backupNotBefore?: number;
  /** The seal only: who launches, on which plan, and what `check-backup` saw. */
  readonly seal?: {
    readonly by: string;
    readonly planDigest: string | null;
    readonly backup: z.infer<typeof backupEvidence> | null;
  };
  /** `certify` only: what the run says of the soak. */
  readonly certificate?: CertificateClaim;
  /** The steps of a rotation: which credential, the facts that were approved, and when it was rotated, as far as it is known. */
  readonly rotation?: {
    readonly credential: RotatedCredential;
    readonly facts?: RotationFacts;
    readonly planDigest?: string;
    readonly rotatedAt?: number;
  };
  /** The follow-ups only: Markdown for the tracking issue, where people's text is escaped already. */
  readonly report?: string;
}

/** What an activity answers. */
export interface StepResult<E> {
  /**
   * `acted`: this attempt changed the world. `already`: it was in place before the run touched it.
   * `settled`: an earlier attempt was interrupted and its effect was found in place. `observed`: the step only looks.
   */
  readonly did: 'acted' | 'already' | 'settled' | 'observed';
  readonly evidence: E;
  /** What others have changed since the plan was made, where it does not matter to the step. */
  readonly drift?: readonly Drift[];
}
