import { z } from 'zod';
import { certificate, certificateSignature } from './certificate.ts';
import { plan } from './facts.ts';
import { launchSteps } from './launch-steps.ts';
import { confirmEvidence, defineStep } from './step-definition.ts';

/** The steps of a soak that a cutover does not have. */
export const soakSteps = {
  'survey-soak': defineStep({
    title: 'Survey what is soaked',
    activity: 'surveyTarget',
    work: 'read',
    writes: false,
    evidence: plan,
  }),
  'soak-sample': defineStep({
    title: 'Take a sample of the soak',
    activity: 'sampleSoak',
    work: 'read',
    writes: false,
    evidence: launchSteps['watch-sample'].evidence.extend({
      /** Requests to the health endpoint, and those that failed; both 0 where the target names none. */
      requests: z.number().int(),
      errors: z.number().int(),
    }),
  }),
  'confirm-soak': defineStep({
    title: 'Look whether the target still is what was soaked',
    activity: 'confirmPlan',
    work: 'read',
    writes: false,
    evidence: confirmEvidence,
  }),
  certify: defineStep({
    title: 'Write the certificate of the soak',
    activity: 'certifySoak',
    work: 'read',
    writes: false,
    evidence: z.object({
      /** In the worker's folder of certificates, or null where it has none. */
      file: z.string().nullable(),
      certificate,
      signature: certificateSignature.nullable(),
    }),
  }),
} as const;
