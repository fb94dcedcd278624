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

/** How many dynos each process type has. */
const formation = z.array(z.object({ type: z.string(), quantity: z.number().int() }));
const countEvidence = z.object({
  /** Tables that were counted; each of them is empty. */
  tables: z.number().int(),
  /** Tables that were not counted: they hold no customer's data. */
  ignored: z.array(z.string()),
  /** The add-ons whose databases were counted. */
  addons: z.array(z.string()),
});
const sessionsEvidence = z.object({ role: z.number().int(), owner: z.number().int() });

/** What people give as the proof that there is a backup, before a launch takes the way back away. */
export const backupClaim = z.union([
  z.object({ id: z.string(), finishedAt: z.string() }).strict(),
  z.object({ continuousProtection: z.literal(true) }).strict(),
]);
const backupEvidence = z.object({
  kind: z.enum(['backup', 'continuous-protection']),
  addon: z.string(),
  plan: z.string(),
  id: z.string().nullable(),
  finishedAt: z.string().nullable(),
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
    evidence: sessionsEvidence,
  }),

  'read-seal': defineStep({
    title: 'See that the database is not sealed: after a launch there is no way back',
    activity: 'readSeal',
    work: 'read',
    writes: false,
    evidence: z.object({
      addon: z.string(),
      /** The add-on of a seal that a fork or a restored backup brought along, which does not count here. */
      copiedFrom: z.string().nullable(),
    }),
  }),
  'survey-way-back': defineStep({
    title: 'Survey what is in place for the way back',
    activity: 'surveyWayBack',
    work: 'read',
    writes: false,
    evidence: z.object({
      addon: z.string(),
      plan: z.string(),
      variable: z.object({ name: z.string(), is: z.enum(['postgresql', 'sqlite', 'empty', 'other']) }),
      /** The app's attachments of the add-on, by name; the namespace is null for the default credential. */
      attachments: z.array(z.object({ name: z.string(), namespace: z.string().nullable() })),
      credential: z.string(),
      flag: z.boolean(),
      maintenance: z.boolean(),
      fenced: z.boolean(),
      /** As it is without a fence: a fence that is up wrote it down. */
      formation,
      release: z.number().int(),
      releaseCommand: z.string().nullable(),
      databaseReachable: z.boolean(),
      /** Null where the database could not be asked. */
      sealed: z.boolean().nullable(),
      revision: z.string().nullable(),
    }),
  }),
  'settle-dynos': defineStep({
    title: 'Stop the one-off dynos that the runbook started',
    insteadOf: 'heroku ps:stop run.…',
    activity: 'settleDynos',
    work: 'write',
    writes: true,
    evidence: z.object({
      stopped: z.array(z.string()),
      /** Other people's one-off dynos, which go on. */
      others: z.array(z.string()),
    }),
  }),
  'count-rows': defineStep({
    title: 'Count customer rows',
    activity: 'countCustomerRows',
    work: 'read',
    writes: false,
    evidence: countEvidence,
  }),
  fence: defineStep({
    title: 'Raise the fence: maintenance on, no process but web',
    insteadOf: 'heroku maintenance:on; heroku ps:scale <type>=0',
    activity: 'raiseFence',
    work: 'write',
    writes: true,
    evidence: z.object({
      kept: formation,
      /** Where the numbers are kept: in the database, or with this run alone where the database is away. */
      keptIn: z.enum(['database', 'run']),
      /** One-off dynos of other people, which the fence does not stop. */
      others: z.array(z.string()),
    }),
  }),
  'count-rows-fenced': defineStep({
    title: 'Count customer rows once more, behind the fence',
    activity: 'countCustomerRows',
    work: 'read',
    writes: false,
    evidence: countEvidence,
  }),
  'to-sqlite': defineStep({
    title: 'Point the database variable to SQLite and take the flag off',
    insteadOf: 'heroku config:set DATABASE_URL=sqlite…',
    activity: 'pointToSqlite',
    work: 'write',
    writes: true,
    evidence: z.object({
      variable: z.string(),
      addon: z.string(),
      /** The attachment under which the app keeps the add-on, so that a new cutover can begin from here. */
      attachment: z.string(),
      release: z.number().int(),
    }),
  }),
  'verify-sqlite': defineStep({
    title: 'Verify reading and writing on SQLite, behind the fence',
    activity: 'verifySqlite',
    work: 'write',
    writes: false,
    evidence: z.object({ command: z.string(), dyno: z.string(), release: z.number().int() }),
  }),
  'lift-fence': defineStep({
    title: 'Lift the fence: the processes as they were, maintenance off',
    insteadOf: 'heroku ps:scale <type>=<n>; heroku maintenance:off',
    activity: 'liftFence',
    work: 'write',
    writes: true,
    evidence: z.object({
      restored: formation,
      /** Where the numbers came from; `nowhere` where no fence had written any down. */
      from: z.enum(['database', 'run', 'nowhere']),
    }),
  }),
  'verify-serving': defineStep({
    title: 'Verify that the app serves',
    activity: 'verifyServing',
    work: 'write',
    writes: false,
    evidence: z.object({
      link: z.string(),
      checks: z.number().int(),
      servingAt: z.string(),
      /** Since the kill switch was pulled; null where nobody said when. */
      secondsSinceKilled: z.number().nullable(),
    }),
  }),
  'flag-off': defineStep({
    title: 'Switch the app back to the owner',
    insteadOf: 'heroku config:unset <FLAG>',
    activity: 'unsetFlag',
    work: 'write',
    writes: true,
    evidence: z.object({ flag: z.string(), release: z.number().int() }),
  }),
  'restart-undo': defineStep({
    title: 'Restart the dynos as the owner',
    insteadOf: 'heroku restart',
    activity: 'restartDynos',
    work: 'write',
    writes: true,
    evidence: restartEvidence,
  }),
  'smoke-undo': defineStep({
    title: 'Run the smoke suite after the undo',
    insteadOf: 'run the smoke suite',
    activity: 'runSmoke',
    work: 'smoke',
    writes: true,
    evidence: smokeEvidence,
  }),
  'verify-owner-sessions': defineStep({
    title: 'Verify that the app is connected as the owner and not as the role',
    activity: 'verifyOwnerSessions',
    work: 'read',
    writes: false,
    evidence: sessionsEvidence,
  }),
  'revoke-grants': defineStep({
    title: 'Revoke every privilege of the role',
    insteadOf: 'heroku pg:psql (REVOKE)',
    activity: 'revokeGrants',
    work: 'write',
    writes: true,
    evidence: z.object({ role: z.string(), exists: z.boolean(), privileges: z.literal(0) }),
  }),
  'unbind-url': defineStep({
    title: "Take the role's URL away from the app",
    insteadOf: 'heroku addons:detach <ATTACHMENT>, or config:unset',
    activity: 'unbindUrl',
    work: 'write',
    writes: true,
    evidence: z.object({ variable: z.string(), release: z.number().int() }),
  }),
  'drop-credential': defineStep({
    title: 'Destroy the restricted credential',
    insteadOf: 'heroku pg:credentials:destroy DATABASE --name <role>',
    activity: 'destroyCredential',
    work: 'write',
    writes: true,
    evidence: z.object({ credential: z.string(), addon: z.string() }),
  }),
  'watch-sample': defineStep({
    title: 'Take a sample of health and drift',
    activity: 'sampleWatch',
    work: 'read',
    writes: false,
    evidence: z.object({
      healthy: z.boolean(),
      problems: z.array(z.string()),
      release: z.number().int(),
      /** Null where the database could not be asked. */
      revision: z.string().nullable(),
      /** Null where the token does not expire, or may not ask. */
      tokenHoursLeft: z.number().nullable(),
      at: z.string(),
    }),
  }),
  'check-backup': defineStep({
    title: 'Check that there is a backup: after the launch there is no way back',
    insteadOf: 'heroku pg:backups',
    activity: 'checkBackup',
    work: 'read',
    writes: false,
    evidence: backupEvidence,
  }),
  seal: defineStep({
    title: 'Seal the database: from here every rollback is refused',
    activity: 'sealDatabase',
    work: 'write',
    writes: true,
    evidence: z.object({ addon: z.string(), by: z.string(), run: z.string(), at: z.string() }),
  }),
  'open-follow-ups': defineStep({
    title: 'Open the follow-ups, and put the evidence on the tracking issue',
    activity: 'openFollowUps',
    work: 'write',
    writes: true,
    evidence: z.object({
      issues: z.array(z.object({ title: z.string(), number: z.number().int(), link: z.string() })),
      /** The comment on the tracking issue, where the target names one. */
      comment: z.string().nullable(),
    }),
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
  /** The fence, raised and lifted: what `survey-way-back` saw, for where the database cannot keep or tell it. */
  readonly formation?: z.infer<typeof formation>;
  /** `verify-serving` only: when the kill switch was pulled, in milliseconds since 1970. */
  readonly killedAt?: number;
  /** The watch only: the newest release when it began; another one is drift. */
  readonly baselineRelease?: number;
  /** The watch only: the revision of the database when it began. */
  readonly baselineRevision?: string | null;
  /** `check-backup` only: what people gave as the proof. */
  readonly backup?: z.infer<typeof backupClaim>;
  /** `check-backup` only: milliseconds since 1970; a backup that began before holds less than what is to be protected. */
  readonly backupNotBefore?: number;
  /** The seal only: who launches, on which plan, and what `check-backup` saw. */
  readonly seal?: {
    readonly by: string;
    readonly planDigest: string | null;
    readonly backup: z.infer<typeof backupEvidence> | null;
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
