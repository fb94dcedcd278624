import { defineQuery, defineSignal } from '@temporalio/workflow';
import { z } from 'zod';
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
/** Given by a sender that may send twice (a script, a retrying client): the second one is then ignored. */
const id = z.string().min(1).max(200).optional();

/** The payload of the signal `approve`. `plan` is the gate's digest, or at least its first 12 hex digits. */
export const approveMessage = z
  .object({
    gate: z.string(),
    by: person,
    plan: z.string().regex(/^[0-9a-f]{12,64}$/, 'the digest of the plan: 12 to 64 hex digits'),
    id,
  })
  .strict();

/** The payload of the signal `resolve`: what to do about a parked step. */
export const resolveMessage = z
  .object({
    step: z.string(),
    attempt: z.number().int().positive(),
    by: person,
    action: z.enum(['retry', 'abort']),
    reason,
    id,
  })
  .strict();

/** One message as the inbox holds it: not yet checked against the state, which only the loop that takes it out does. */
export type Message =
  | { readonly name: 'approve'; readonly payload: unknown }
  | { readonly name: 'resolve'; readonly payload: unknown }
  | { readonly name: 'cancel'; readonly payload: null }
  /** A signal of a name that the run does not know: misspelt, most likely. */
  | { readonly name: 'unknown'; readonly signal: string; readonly payload: unknown };

export const approveSignal = defineSignal<[unknown]>('approve');
export const resolveSignal = defineSignal<[unknown]>('resolve');
export const statusQuery = defineQuery<Status>('status');

/** What the Web UI and `temporal workflow metadata` say of each message. */
export const descriptions = {
  approve: 'Approve a gate: {"gate":"go","by":"<your name>","plan":"<digest of the plan>"}',
  resolve:
    'Decide about a parked step: {"step":"<step>","attempt":1,"by":"<your name>","action":"retry|abort","reason":"<why>"}',
  status: 'What the run has done, what it waits for and the message that would move it',
} as const;
