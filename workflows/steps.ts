import { z } from 'zod';
import type { Activities } from '../activities/index.ts';
import { plan, pullRequestFacts, type Facts, type PlanGate } from './facts.ts';
import type { Drift } from './state.ts';

/** How a step's work behaves in time; `proxies.ts` turns a class into timeouts and a retry policy. */
export type WorkClass = 'read' | 'write' | 'migration' | 'smoke' | 'poll';

/** The activities that a step can name: those that take a step call. */
type StepActivity = Exclude<keyof Activities, 'readTarget' | 'readWindow' | 'identifySender'>;

interface StepDefinition<E extends z.ZodTypeAny> {
  /** One line for people: what the step does. */
  readonly title: string;
  /** The command of the page that the runbook replaces, for the plan and the documents. */
  readonly insteadOf?: string;
  readonly activity: StepActivity;
  readonly work: WorkClass;
  /** True where the step changes the world. */
  readonly writes: boolean;
  /** What the step saw: redacted, small, and checked before it enters the history. */
  readonly evidence: E;
}

function defineStep<E extends z.ZodTypeAny>(definition: StepDefinition<E>): StepDefinition<E> {
  return definition;
}

const restartEvidence = z.object({
  release: z.number().int(),
  dynos: z.array(z.object({ name: z.string(), state: z.string(), since: z.string() })),
});
const confirmEvidence = z.object({ digest: z.string() });
const smokeEvidence = z.object({
  by: z.string(),
  link: z.string().nullable(),
  commit: z.string().nullable(),
  conclusion: z.string(),
});

/**
 * Every step that any procedure may take. The ids are stable: they stand in histories, approvals and audit records.
 * Their order here is the order for people; the order of a run is `sequence` in sop.ts.
 */
export const steps = {
  'config-check': defineStep({
    title: "Check that the database variable is the attached add-on's PostgreSQL",
    insteadOf: 'heroku config:get DATABASE_URL',
    activity: 'checkConfig',
    work: 'read',
    writes: false,
    evidence: z.object({
      variable: z.string(),
      scheme: z.string(),
      attachment: z.string(),
      addon: z.string(),
      plan: z.string(),
      /** Why the add-on must be promoted first, or null where the variable is its own already. */
      promote: z.string().nullable(),
      serverVersion: z.string(),
      tls: z.object({ version: z.string(), cipher: z.string(), verified: z.boolean(), fingerprint: z.string() }),
    }),
  }),
  'inspect-pull-request': defineStep({
    title: 'Read what the grant-matrix pull request changes',
    activity: 'inspectPullRequest',
    work: 'read',
    writes: false,
    evidence: pullRequestFacts,
  }),
  'await-pull-request': defineStep({
    title: 'Wait until the grant-matrix pull request is merged and deployed',
    insteadOf: 'merge the pull request',
    activity: 'awaitPullRequest',
    work: 'poll',
    writes: false,
    evidence: z.object({
      number: z.number().int(),
      base: z.string(),
      mergeCommit: z.string().nullable(),
      release: z.number().int(),
      proof: z.string(),
    }),
  }),
  survey: defineStep({
    title: 'Survey the target and make the plan',
    activity: 'surveyTarget',
    work: 'read',
    writes: false,
    evidence: plan,
  }),
  confirm: defineStep({
    title: 'Look whether the target still is what was approved',
    activity: 'confirmPlan',
    work: 'read',
    writes: false,
    evidence: confirmEvidence,
  }),
  promote: defineStep({
    title: 'Make the add-on the database of the app',
    insteadOf: 'heroku pg:promote <add-on>',
    activity: 'promoteDatabase',
    work: 'write',
    writes: true,
    evidence: z.object({
      attachment: z.string(),
      addon: z.string(),
      /** The add-on that had the name before and keeps another attachment: promoting it is the way back. */
      previous: z.string().nullable(),
      /** The attachments that it keeps, as a plan names them. */
      kept: z.array(z.string()),
      release: z.number().int(),
    }),
  }),
  upgrade: defineStep({
    title: 'Upgrade the schema to the head of the deployed slug',
    insteadOf: 'heroku run alembic upgrade head',
    activity: 'upgradeSchema',
    work: 'migration',
    writes: true,
    evidence: z.object({
      from: z.string().nullable(),
      to: z.string(),
      applied: z.array(z.string()),
      dyno: z.string().nullable(),
    }),
  }),
  'verify-schema': defineStep({
    title: 'Verify tables, columns, time stamps and cascades',
    insteadOf: 'heroku pg:psql -c "\\dt"',
    activity: 'verifySchema',
    work: 'read',
    writes: false,
    evidence: z.object({
      tables: z.number().int(),
      columnsChecked: z.number().int(),
      cascades: z.number().int(),
      fingerprint: z.string(),
    }),
  }),
  restart: defineStep({
    title: 'Restart the dynos',
    insteadOf: 'heroku restart',
    activity: 'restartDynos',
    work: 'write',
    writes: true,
    evidence: restartEvidence,
  }),
  smoke: defineStep({
    title: 'Run the smoke suite against the target',
    insteadOf: 'run the smoke suite',
    activity: 'runSmoke',
    work: 'smoke',
    writes: true,
    evidence: smokeEvidence,
  }),
  'survey-rm-11': defineStep({
    title: 'Survey again, for the RM-11 plan',
    activity: 'surveyTarget',
    work: 'read',
    writes: false,
    evidence: plan,
  }),
  'confirm-rm-11': defineStep({
    title: 'Look whether the target still is what was approved for RM-11',
    activity: 'confirmPlan',
    work: 'read',
    writes: false,
    evidence: confirmEvidence,
  }),
  credential: defineStep({
    title: 'Create the restricted credential',
    insteadOf: 'heroku pg:credentials:create DATABASE --name <role>',
    activity: 'createCredential',
    work: 'write',
    writes: true,
    evidence: z.object({ credential: z.string(), state: z.string() }),
  }),
  'bind-url': defineStep({
    title: "Bind the credential's URL to its variable",
    insteadOf: 'heroku config:set <VARIABLE>=…',
    activity: 'bindUrl',
    work: 'write',
    writes: true,
    evidence: z.object({ variable: z.string(), by: z.enum(['attachment', 'config-var']), release: z.number().int() }),
  }),
  grants: defineStep({
    title: 'Apply the grant matrix and try the forbidden',
    insteadOf: 'heroku pg:psql (the GRANT/REVOKE block)',
    activity: 'applyGrants',
    work: 'write',
    writes: true,
    evidence: z.object({
      matrix: z.string(),
      privileges: z.number().int(),
      refused: z.array(z.string()),
      allowed: z.array(z.string()),
    }),
  }),
  flag: defineStep({
    title: 'Switch the app to the restricted role',
    insteadOf: 'heroku config:set <FLAG>=1',
    activity: 'setFlag',
    work: 'write',
    writes: true,
    evidence: z.object({ flag: z.string(), release: z.number().int() }),
  }),
  'restart-rm-11': defineStep({
    title: 'Restart the dynos under the role',
    insteadOf: 'heroku restart',
    activity: 'restartDynos',
    work: 'write',
    writes: true,
    evidence: restartEvidence,
  }),
  'smoke-rm-11': defineStep({
    title: 'Run the smoke suite as the role',
    insteadOf: 'run the smoke suite',
    activity: 'runSmoke',
    work: 'smoke',
    writes: true,
    evidence: smokeEvidence,
  }),
  'verify-sessions': defineStep({
    title: 'Verify that the app is connected as the role and not as the owner',
    activity: 'verifySessions',
    work: 'read',
    writes: false,
    evidence: z.object({ role: z.number().int(), owner: z.number().int() }),
  }),
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
  /** `restart` only: whether dynos newer than the newest release are enough, or newer than `since` as well. */
  readonly freshDynos?: boolean;
  /** The smoke suite only: whether the app must answer as the restricted role. */
  readonly asRole?: boolean;
  /** The survey only: the gate for which the plan is made. */
  readonly gate?: PlanGate;
  /** The confirmation only: digest of the plan that was approved. */
  readonly approved?: string;
  /** Writes only: the plan on which the step rests, for the drift guard. */
  readonly baseline?: Baseline;
  /** Writes only: the steps that this run has put in place, whose effect must still be there. */
  readonly inPlace?: readonly StepId[];
  /** The grants only: digest of the matrix in the plan that was approved. */
  readonly matrixDigest?: string;
  /** The survey only: what `inspect-pull-request` saw. */
  readonly pullRequest?: z.infer<typeof pullRequestFacts>;
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
