import { defineQuery } from '@temporalio/workflow';
import { z } from 'zod';
import { rotatedCredential } from './rotation-plan.ts';
import type { Status } from './view.ts';

/** A message that was pasted as it was printed says nothing of who sends it, or why. */
const filledIn = (text: string): boolean => !/^<.*>$/.test(text);
const person = z
  .string()
  .trim()
  .min(1, "a person's name")
  .max(100)
  .refine(filledIn, "a person's name in the place of <…>");
const reason = z.string().trim().min(1, 'a reason').max(2000).refine(filledIn, 'a reason in the place of <…>');
const digest = z.string().regex(/^[0-9a-f]{12,64}$/, 'the digest of the plan: 12 to 64 hex digits');
/** Given by a sender that may send twice (a script, a retrying client): the second one is then ignored. */
const id = z.string().min(1).max(200).optional();
/** The app's name, typed out by a person who approves alone. */
const confirm = z.string().max(100).optional();

/** What a person says of the state to which the database could be brought back after the launch. */
export const backupClaim = z.union([
  z
    .object({
      id: z.string().min(1).max(100).refine(filledIn, 'the id of a backup'),
      finishedAt: z.string().datetime(),
    })
    .strict(),
  z.object({ continuousProtection: z.literal(true) }).strict(),
]);
export type BackupClaim = z.infer<typeof backupClaim>;

/** The messages that a run takes, each as a signal and as an update of the same name. */
export const messages = {
  approve: {
    payload: z
      .object({
        gate: z.string(),
        by: person,
        plan: digest,
        confirm,
        /** Said where the plan shows that the kill switch will not work. */
        accepts: z.literal('no-kill-switch').optional(),
        reason: reason.optional(),
        id,
      })
      .strict(),
    description: 'Approve a gate: {"gate":"go","by":"<your name>","plan":"<digest of the plan>"}',
  },
  reject: {
    payload: z.object({ gate: z.string(), by: person, plan: digest, reason, id }).strict(),
    description:
      'Reject a gate: {"gate":"go","by":"<your name>","plan":"<digest of the plan>","reason":"<why>"}; the run is parked',
  },
  resolve: {
    payload: z
      .object({
        step: z.string(),
        attempt: z.number().int().positive(),
        by: person,
        action: z.enum(['retry', 'undo-rm-11', 'kill-switch', 'abort']),
        reason,
        id,
      })
      .strict(),
    description:
      'Decide about what is parked: {"step":"<step>","attempt":1,"by":"<your name>","action":"retry|undo-rm-11|kill-switch|abort","reason":"<why>"}',
  },
  killSwitch: {
    payload: z.object({ by: person, reason, id }).strict(),
    description:
      'Kill switch, at any moment before launch: back to SQLite. {"by":"<your name>","reason":"<why>"}; refused once customers have written rows',
  },
  launch: {
    payload: z.object({ by: person, plan: digest, backup: backupClaim, confirm, id }).strict(),
    description:
      'Approve the launch, the point of no return: {"by":"<your name>","plan":"<digest of the plan>","backup":{"id":"<backup>","finishedAt":"<time>"}}, or "backup":{"continuousProtection":true}',
  },
  rotate: {
    payload: z.object({ by: person, credential: rotatedCredential, reason, id }).strict(),
    description:
      'During the watch: rotate a credential, and then watch on. {"by":"<your name>","credential":"owner|role","reason":"<why>"}',
  },
} as const;

export type MessageName = keyof typeof messages;
export const messageNames = Object.keys(messages) as MessageName[];

/** By which door a message came, so that the history can be asked who sent it. */
export type Sender =
  /** Whoever started the run. */
  | { readonly door: 'start'; readonly name: string }
  | {
      readonly door: 'signal';
      readonly name: string;
      /** Among the signals of that name in this run, from 1. */ readonly ordinal: number;
    }
  | { readonly door: 'update'; readonly name: string; readonly updateId: string };

/** Who sent a message, as the server has it. */
export interface KnownSender {
  /** What the client said of itself: a claim, not a proof. */
  readonly identity: string;
  /** Whom the server took the sender for, where it verifies tokens; else null. */
  readonly principal: string | null;
}

/** One message as the inbox holds it: not yet checked against the state, which only the loop that takes it out does. */
export type Message =
  | {
      readonly name: MessageName;
      readonly payload: unknown;
      readonly sender: Sender;
      /** Read from the history first, where the policy lets only verified senders decide. */
      readonly known?: KnownSender;
    }
  | { readonly name: 'cancel' }
  /** A signal of a name that the run does not know: misspelt, most likely. */
  | { readonly name: 'unknown'; readonly signal: string; readonly payload: unknown };

/** What an update answers at once. Whether the message counts shows in `status`, once the run has taken it out. */
export interface Receipt {
  readonly received: MessageName;
  readonly note: string;
}

export const statusQuery = defineQuery<Status>('status');
export const statusDescription = 'Where the run stands, what it waits for and the message that would move it.';
