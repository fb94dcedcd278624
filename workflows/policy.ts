import { z } from 'zod';

const millisecondsIn = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A length of time as people write it, `30s`, `15m`, `8h` or `3d`; milliseconds once it is read. */
export const duration = z
  .string()
  .regex(/^[1-9]\d{0,4}[smhd]$/, 'a length of time: a whole number and s, m, h or d, as in 30m or 8h')
  .transform((text) => Number(text.slice(0, -1)) * millisecondsIn[text.slice(-1) as keyof typeof millisecondsIn]);

/** Who decides about a run, as the worker's target file says. A run keeps it: it is part of what is approved. */
export const policy = z.object({
  preset: z.enum(['four-eyes', 'solo']).nullable(),
  approvers: z.array(z.string()),
  /** May pull the kill switch and ask for the undo besides the approvers. */
  onCall: z.array(z.string()),
  /** How many different people must approve a gate. */
  quorum: z.number().int(),
  allowSelfApproval: z.boolean(),
  /** Milliseconds for which a plan, and what was approved of it, holds. */
  expiresAfterMs: z.number().int(),
  /** Milliseconds between two reminders while a run waits for people. */
  remindEveryMs: z.number().int(),
  /** Milliseconds between the deciding approval and the first thing that it allows: time to take it back. */
  coolingOffMs: z.number().int(),
  /** An approval must repeat the app's name. */
  typedConfirmation: z.boolean(),
  /** Decisions count only where the server itself knows who sent them. */
  requireVerifiedIdentity: z.boolean(),
});
export type Policy = z.infer<typeof policy>;

/** What a preset stands for; a field that the target file gives itself wins. */
const presets = {
  'four-eyes': { quorum: 1, allowSelfApproval: false, coolingOff: 0, typedConfirmation: false },
  solo: { quorum: 1, allowSelfApproval: true, coolingOff: 5 * millisecondsIn.m, typedConfirmation: true },
} as const;

const person = z.string().trim().min(1).max(100);

/** The block `approvals` of a target file. */
export const approvalsBlock = z
  .object({
    /** `four-eyes`: the requester may not approve. `solo`: a company of one, see docs/approver.md. */
    preset: z.enum(['four-eyes', 'solo']).default('four-eyes'),
    approvers: z.array(person).min(1).max(50),
    onCall: z.array(person).max(50).default([]),
    quorum: z.number().int().min(1).max(10).optional(),
    allowSelfApproval: z.boolean().optional(),
    expiresAfter: duration.default('12h'),
    remindEvery: duration.default('30m'),
    coolingOff: duration.optional(),
    requireVerifiedIdentity: z.boolean().default(false),
  })
  .strict()
  .superRefine((block, context) => {
    const { approvers, quorum, allowSelfApproval, preset } = block;
    const different = new Set(approvers.map(nameKey)).size;
    const mistake = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (different < approvers.length) mistake('approvers', 'names somebody twice');
    if (quorum !== undefined && quorum > different)
      mistake('quorum', `asks for ${quorum} people, and only ${different} may approve`);
    if (preset === 'four-eyes' && allowSelfApproval === true) {
      mistake('allowSelfApproval', 'is what four-eyes rules out: leave it out, or take the preset solo');
    }
    if (preset === 'solo' && (quorum ?? 1) !== 1) mistake('quorum', 'is 1 with the preset solo');
  })
  .transform((block): Policy => {
    const preset = presets[block.preset];
    return {
      preset: block.preset,
      approvers: block.approvers,
      onCall: block.onCall,
      quorum: block.quorum ?? preset.quorum,
      allowSelfApproval: block.allowSelfApproval ?? preset.allowSelfApproval,
      expiresAfterMs: block.expiresAfter,
      remindEveryMs: block.remindEvery,
      coolingOffMs: block.coolingOff ?? preset.coolingOff,
      typedConfirmation: preset.typedConfirmation,
      requireVerifiedIdentity: block.requireVerifiedIdentity,
    };
  });

/** Names are compared without regard to case and outer white space: people type them. */
export function nameKey(name: string): string {
  return name.trim().toLowerCase();
}

export function isOneOf(names: readonly string[], name: string): boolean {
  return names.some((one) => nameKey(one) === nameKey(name));
}

/** Why a person may not approve, or undefined. */
export function approvalProblem(policy: Policy, requestedBy: string, by: string): string | undefined {
  if (!isOneOf(policy.approvers, by)) {
    return `${by} is not among the approvers of the target file: ${policy.approvers.join(', ')}`;
  }
  if (!policy.allowSelfApproval && nameKey(by) === nameKey(requestedBy)) {
    return `${by} asked for this run, and the policy wants another person to approve it`;
  }
  return undefined;
}

/** Why a person may not take the run back, or undefined. One person is enough: it must not wait for a second one. */
export function rollbackProblem(policy: Policy, by: string): string | undefined {
  const authorised = [...policy.approvers, ...policy.onCall];
  return isOneOf(authorised, by)
    ? undefined
    : `${by} is neither an approver nor on call in the target file: ${authorised.join(', ')}`;
}

/** Why a person may not decide about a stuck step, or undefined: the requester may too, who is there at night. */
export function resolutionProblem(policy: Policy, requestedBy: string, by: string): string | undefined {
  return nameKey(by) === nameKey(requestedBy) ? undefined : rollbackProblem(policy, by);
}
