import type { Policy } from '../../workflows/policy.ts';
import type { TargetSummary } from '../../workflows/state.ts';

/** Four eyes, in which Rita asks and one of the others approves; nothing of it passes by itself while a test runs. */
export const samplePolicy: Policy = {
  preset: 'four-eyes',
  approvers: ['Ada', 'Bo', 'Cy', 'Rita'],
  onCall: ['Kim'],
  quorum: 1,
  allowSelfApproval: false,
  expiresAfterMs: 12 * 3_600_000,
  remindEveryMs: 30 * 60_000,
  coolingOffMs: 0,
  typedConfirmation: false,
  requireVerifiedIdentity: false,
};

/** A company of one: Rita asks and approves, types the app's name, and has a while to take it back. */
export const soloPolicy: Policy = {
  ...samplePolicy,
  preset: 'solo',
  approvers: ['Rita'],
  onCall: [],
  allowSelfApproval: true,
  typedConfirmation: true,
};

/** What a run keeps of a target file in which everything is said that can be. */
export const sampleSummary: TargetSummary = {
  digest: 'c3'.repeat(32),
  policy: samplePolicy,
  hasFollowUps: true,
  hasRollback: true,
  sampleEveryMs: 15 * 60_000,
  hasWindows: false,
  hasPullRequest: true,
  pullRequest: 'owner/name#12',
  historyEventLimit: 10_000,
  soak: { forMs: 50, everyMs: 60_000, onRed: 'restart', onGap: 'pause', rehearses: true, whyNot: null },
};
