import { z } from 'zod';
import { plan } from './facts.ts';
import { backupEvidence, confirmEvidence, defineStep } from './step-definition.ts';

/** The steps of the watch and of the launch. */
export const launchSteps = {
  'survey-launch': defineStep({
    title: 'Survey once more, for the plan of the launch',
    activity: 'surveyTarget',
    work: 'read',
    writes: false,
    evidence: plan,
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
  'confirm-launch': defineStep({
    title: 'Look whether the target still is what was approved for the launch',
    activity: 'confirmPlan',
    work: 'read',
    writes: false,
    evidence: confirmEvidence,
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
