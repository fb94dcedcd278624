import { z } from 'zod';
import { rotatedCredential } from './rotation-plan.ts';
import { findSecretLike, howToRotate } from './secret-like.ts';

/** Heroku's own rule for app names. */
export const appName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,28}[a-z0-9]$/, 'an app name: 3 to 30 lower-case letters, digits and dashes');

const person = z.string().trim().min(1, 'the name of the person who asks').max(100);

/**
 * All that a cutover is told. Policy, approvers, repository, commands and URLs come from the worker's own target file, so
 * that whoever starts a run cannot choose who approves it or what it does: hence `strict`.
 */
export const cutoverInput = z
  .object({
    app: appName,
    requestedBy: person,
    mode: z.enum(['cutover', 'plan', 'kill-switch', 'undo-rm-11']).optional(),
    /** Why: the record of a way back must say it. */
    reason: z.string().trim().min(1).max(2000).optional(),
  })
  .strict()
  .refine(({ mode, reason }) => !(mode === 'kill-switch' || mode === 'undo-rm-11') || reason !== undefined, {
    message: 'is missing: a way back needs one',
    path: ['reason'],
  });

export type CutoverInput = z.infer<typeof cutoverInput>;

/** A staging soak is told as little; what it does stands in the target file. */
const soakInput = z.object({ app: appName, requestedBy: person }).strict();
/** All that a rotation is told. */
export const rotationInput = z
  .object({
    app: appName,
    requestedBy: person,
    credential: rotatedCredential,
    /** Why, for the record. */
    reason: z.string().trim().min(1).max(2000).optional(),
  })
  .strict();
export type RotationInput = z.infer<typeof rotationInput>;

/** What the runs of each workflow type are told, and how a start of it is written. */
export const inputs = {
  productionCutover: {
    schema: cutoverInput,
    fields: Object.keys(cutoverInput.innerType().shape),
    example: '{"app":"<heroku app>","requestedBy":"<your name>"}',
  },
  stagingSoak: {
    schema: soakInput,
    fields: Object.keys(soakInput.shape),
    example: '{"app":"<heroku app>","requestedBy":"<your name>"}',
  },
  rotateCredential: {
    schema: rotationInput,
    fields: Object.keys(rotationInput.shape),
    example: '{"app":"<heroku app>","requestedBy":"<your name>","credential":"owner"} or "role"',
  },
} as const;
export type WorkflowType = keyof typeof inputs;
/** Of any workflow type: a state that is carried on holds one of them. */
export const runInput = z.union([inputs.productionCutover.schema, inputs.rotateCredential.schema]);
export type RunInput = z.infer<typeof runInput>;

/** The facts of a start that decide whether it is accepted; `workflowInfo()` has them all. */
export interface StartFacts {
  readonly workflowType: WorkflowType;
  readonly workflowId: string;
  readonly executionTimeoutMs?: number | undefined;
  readonly runTimeoutMs?: number | undefined;
  readonly retryPolicy?: unknown;
  readonly cronSchedule?: string | undefined;
}

export type StartProblem = {
  type: 'InputHoldsSecret' | 'InputInvalid' | 'WorkflowIdMismatch' | 'WorkflowOptionsRefused';
  message: string;
};

/** What is wrong with a start, or the checked input. Pure, so that the same rule serves run, plan and docs. */
export function checkStart(input: unknown, start: StartFacts): { input: RunInput } | { problem: StartProblem } {
  const { schema, fields, example } = inputs[start.workflowType];
  // First, for the other problems repeat what they have seen.
  const secret = findSecretLike(input, fields) ?? inWorkflowId(start.workflowId);
  if (secret !== undefined) {
    return {
      problem: {
        type: 'InputHoldsSecret',
        message:
          `The start was refused: there is ${secret.kind} in ${secret.field}; expected the name of an app and of a person. ` +
          'What a run is started with stands in its history for as long as the server keeps it, so if it is a real ' +
          `credential it is no secret any more: ${howToRotate}. ` +
          'Nothing was changed; start again without it.',
      },
    };
  }
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    const seen = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`).join('; ');
    return {
      problem: {
        type: 'InputInvalid',
        message:
          `The input was refused: ${seen}. Expected ${example} and nothing else: ` +
          "policy, commands and URLs are read from the worker's target file. Nothing was changed; start again.",
      },
    };
  }
  const expected = `cutover-${parsed.data.app}`;
  if (start.workflowId !== expected) {
    return {
      problem: {
        type: 'WorkflowIdMismatch',
        message:
          `The workflow id is ${start.workflowId}; expected ${expected}, so that one target has one open procedure. ` +
          `Nothing was changed; start again with --workflow-id ${expected}.`,
      },
    };
  }
  const options = [
    start.executionTimeoutMs ? '--execution-timeout' : undefined,
    start.runTimeoutMs ? '--run-timeout' : undefined,
    start.retryPolicy ? 'a workflow retry policy' : undefined,
    start.cronSchedule ? '--cron' : undefined,
  ].filter((option) => option !== undefined);
  if (options.length > 0) {
    return {
      problem: {
        type: 'WorkflowOptionsRefused',
        message:
          `The run was started with ${options.join(' and ')}. A cutover waits for people as long as it takes, and a timeout ` +
          'or a retry from outside would end it half done. Nothing was changed; start again without.',
      },
    };
  }
  return { input: parsed.data };
}

function inWorkflowId(workflowId: string) {
  return findSecretLike({ workflowId }, []) && { kind: 'something like a credential', field: 'the workflow id' };
}
