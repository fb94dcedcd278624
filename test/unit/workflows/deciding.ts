import { expect } from '@jest/globals';
import { decide } from '../../../workflows/decide.ts';
import type { KnownSender, Message, MessageName } from '../../../workflows/messages.ts';
import type { Policy } from '../../../workflows/policy.ts';
import type { RunState } from '../../../workflows/state.ts';
import { transition, type RunEvent } from '../../../workflows/transition.ts';
import { samplePolicy } from '../../workflow/sample-target.ts';
import { reading } from './walk.ts';

/** A message as it comes by a signal. */
export const signalled = (name: MessageName, payload: unknown, known?: KnownSender): Message => ({
  name,
  payload,
  sender: { door: 'signal', name, ordinal: 1 },
  ...(known === undefined ? {} : { known }),
});

/** A message as it comes by an update. */
export const updated = (name: MessageName, payload: unknown, updateId: string): Message => ({
  name,
  payload,
  sender: { door: 'update', name, updateId },
});

/** The target as a run reads it, where the policy differs so from the sample. */
export const readingPolicy = (policy: Partial<Policy>): RunEvent => reading({ policy: { ...samplePolicy, ...policy } });

/** What happens to the state when a message is acted on: only its events may change it. */
export function after(state: RunState, message: Message, now = 2_000): RunState {
  return decide(state, message, now).events.reduce((next, event) => transition(next, event, now), state);
}

/** Why a message counts for nothing; expects that nothing but a note of it is left. */
export function whyRefused(state: RunState, message: Message, now = 2_000): string | undefined {
  const { events, wish, by } = decide(state, message, now);
  expect({ wish, by }).toEqual({ wish: undefined, by: undefined });
  expect(events.every((event) => event.type === 'messageRefused' || event.type === 'messageHandled')).toBe(true);
  const next = after(state, message, now);
  expect({ ...next, refusedMessages: [], handledMessages: [] }).toEqual({
    ...state,
    refusedMessages: [],
    handledMessages: [],
  });
  return next.refusedMessages.at(-1)?.why;
}
