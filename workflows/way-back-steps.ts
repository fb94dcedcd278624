import { z } from 'zod';
import {
  countEvidence,
  defineStep,
  formation,
  restartEvidence,
  sessionsEvidence,
  smokeEvidence,
} from './step-definition.ts';

/** The steps of the ways back: kill switch, and undo of RM-11. */
export const wayBackSteps = {
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
    leaves: false,
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
    undoes: ['promote', 'flag'],
    leaves: true,
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
    undoes: ['fence'],
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
    undoes: ['flag'],
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
    leaves: false,
    evidence: restartEvidence,
  }),
  'restart-unbound': defineStep({
    title: "Wait for the dynos that start without the role's URL",
    activity: 'restartDynos',
    work: 'write',
    writes: true,
    leaves: false,
    evidence: restartEvidence,
  }),
  'smoke-undo': defineStep({
    title: 'Run the smoke suite after the undo',
    insteadOf: 'run the smoke suite',
    activity: 'runSmoke',
    work: 'smoke',
    writes: true,
    leaves: false,
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
    undoes: ['grants'],
    work: 'write',
    writes: true,
    evidence: z.object({ role: z.string(), exists: z.boolean(), privileges: z.literal(0) }),
  }),
  'unbind-url': defineStep({
    title: "Take the role's URL away from the app",
    insteadOf: 'heroku addons:detach <ATTACHMENT>, or config:unset',
    activity: 'unbindUrl',
    undoes: ['bind-url'],
    work: 'write',
    writes: true,
    evidence: z.object({ variable: z.string(), release: z.number().int() }),
  }),
  'drop-credential': defineStep({
    title: 'Destroy the restricted credential',
    insteadOf: 'heroku pg:credentials:destroy DATABASE --name <role>',
    activity: 'destroyCredential',
    undoes: ['credential'],
    work: 'write',
    writes: true,
    evidence: z.object({ credential: z.string(), addon: z.string() }),
  }),
} as const;
