import { z } from 'zod';
import { rotationPlan } from './rotation-plan.ts';
import { confirmEvidence, defineStep, restartEvidence, smokeEvidence } from './step-definition.ts';

/** The steps of a rotation. */
export const rotationSteps = {
  'survey-rotation': defineStep({
    title: 'Survey who holds the credential, and make the plan of its rotation',
    insteadOf: 'heroku pg:credentials; heroku pg:ps',
    activity: 'surveyRotation',
    work: 'read',
    writes: false,
    evidence: rotationPlan,
  }),
  'confirm-rotation': defineStep({
    title: 'Look whether the credential and its holders still are what was approved',
    activity: 'confirmRotation',
    work: 'read',
    writes: false,
    evidence: confirmEvidence,
  }),
  'rotate-credential': defineStep({
    title: 'Rotate the credential, and wait until every variable has the new URL',
    insteadOf: 'heroku pg:credentials:rotate DATABASE [--name <role>]',
    activity: 'rotateCredential',
    // The platform may take half an hour and more over a named credential [source].
    work: 'poll',
    writes: true,
    evidence: z.object({
      credential: z.string(),
      addon: z.string(),
      /** As in the plan, and another one. */
      fingerprint: z.string(),
      /** The variables that hold the new URL, as `NAME of app`. */
      changed: z.array(z.string()),
      /**
       * `refused`: the old password was tried, and the server refused it. `replaced`: nobody has it any more (a worker died
       * with it), and what is proven is that the credential has another one.
       */
      oldPassword: z.enum(['refused', 'replaced']),
      /** Sessions from before are of the old password; milliseconds since 1970. */
      rotatedAt: z.number().int(),
      release: z.number().int(),
    }),
  }),
  'restart-rotated': defineStep({
    title: 'Wait for the dynos that start with the new URL',
    insteadOf: 'heroku restart',
    activity: 'restartDynos',
    work: 'write',
    writes: true,
    leaves: false,
    evidence: restartEvidence,
  }),
  'smoke-rotated': defineStep({
    title: 'Run the smoke suite with the new password',
    insteadOf: 'run the smoke suite',
    activity: 'runSmoke',
    work: 'smoke',
    writes: true,
    leaves: false,
    evidence: smokeEvidence,
  }),
  'verify-rotated': defineStep({
    title: 'Verify that the app is connected and no session of the old password is left',
    activity: 'verifyRotated',
    work: 'read',
    writes: false,
    evidence: z.object({
      /** As whom the app is connected. */
      as: z.enum(['owner', 'role']),
      /** Its sessions. */
      connected: z.number().int(),
      /** Sessions of the rotated credential from before the rotation. */
      old: z.literal(0),
    }),
  }),
} as const;
