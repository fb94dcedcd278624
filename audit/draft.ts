import type { HistoryEvent } from './history.ts';
import { decodePayload, fieldsOf, textOf } from './payloads.ts';
import type { Actor, EntryKind } from './record-schema.ts';

/** An entry before it has its number and its place in the chain. */
export interface Draft {
  readonly kind: EntryKind;
  readonly name: string;
  readonly text: string;
  readonly who: Actor | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly run: string;
  /** What it was made of, in the order of the history. */
  readonly events: readonly HistoryEvent[];
  /** Which of them says when it was: its place among the others follows from it. */
  readonly at: HistoryEvent;
}

/**
 * Who is behind an event.
 *
 * @param claimed the name in what they sent
 * @param identity what their client said of itself
 */
export function actorOf(event: HistoryEvent, claimed: unknown, identity: unknown): Actor {
  return { claimed: textOf(claimed), identity: textOf(identity), principal: principalText(event['principal']) };
}

/** A principal in one text: servers say `{type, name}`, and a journal may have noted it as a text already. */
export function principalText(principal: unknown): string | null {
  const { type, name } = fieldsOf(principal);
  const parts = [textOf(type), textOf(name)].filter((part) => part !== null);
  return parts.length > 0 ? parts.join(':') : textOf(principal);
}

/** A failure of an activity or a run, with the innermost cause that has a type of its own. */
export function failureOf(failure: unknown): { type: string; message: string } {
  const { message, cause, encodedAttributes, ...info } = fieldsOf(failure);
  const type = textOf(fieldsOf(info['applicationFailureInfo'])['type']);
  if (type === null && cause !== undefined && cause !== null) return failureOf(cause);
  const kind = Object.keys(info).find((key) => key.endsWith('FailureInfo'));
  return {
    type: type ?? kind?.replace(/FailureInfo$/, '') ?? 'Unknown',
    message: messageOf(message, encodedAttributes),
  };
}

/** Where payloads are encrypted, what a failure says is in one, and its message says no more than that. */
function messageOf(message: unknown, encodedAttributes: unknown): string {
  const said = fieldsOf(decodePayload(encodedAttributes));
  const unread = textOf(said['unreadable']);
  return unread === null ? (textOf(said['message']) ?? textOf(message) ?? '') : `not readable: ${unread}`;
}
