import type { JournalEntry } from './state.ts';
import type { RunEvent } from './transition.ts';
import type { Status, WaitingFor } from './view.ts';

/** What people are told of; names that receivers branch on, and which stay. */
export type NoticeEvent =
  'gate-opened' | 'reminder' | 'parked' | 'kill-switch' | 'undo-rm-11' | 'way-back-refused' | 'soak' | 'ended';

/** One thing that people are told, as the run says it. Names and reasons in it are people's text. */
export interface Notice {
  /** The same in every attempt to send it, and in no other notice of any run. */
  readonly id: string;
  readonly event: NoticeEvent;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly app: string;
  readonly happened: string;
  /** What is asked, of whom, and the message that answers it; null where nothing is. */
  readonly asked: Pick<
    WaitingFor,
    'what' | 'signal' | 'message' | 'choices' | 'from' | 'needed' | 'changes' | 'until'
  > | null;
}

/**
 * What people are told about an event, or null where it is nobody's business.
 *
 * @param run stays the same across continue-as-new, as the numbers of journal entries do
 * @param status behind the event
 */
export function noticeOf(run: string, event: RunEvent, entry: JournalEntry, status: Status): Notice | null {
  const told = whatHappened(event, status);
  if (told === null) return null;
  const [name, happened] = told;
  return { id: `${run}/${entry.seq}`, event: name, at: entry.at, app: status.app, happened, asked: asked(status) };
}

function whatHappened(event: RunEvent, { wayBack, waitingFor }: Status): [NoticeEvent, string] | null {
  switch (event.type) {
    // A run that is started for a way back is asked for it by its start.
    case 'targetRead':
      return wayBack === null ? null : [wayBack.kind, pulled(wayBack)];
    case 'killed':
      return [event.kind, pulled(event)];
    case 'rollbackRefused':
      // Where there is nothing to go back to, the run ends with it, and says so.
      if (wayBack?.from == null) return null;
      return ['way-back-refused', `The way back is refused: ${failureText(event.failure)}`];
    case 'gateOpened': {
      const again = (waitingFor?.round ?? 1) > 1 ? ', and asks anew' : '';
      if (event.gate === 'soak') return ['soak', `The soak has begun${again === '' ? '' : ' anew'}; it asks nobody.`];
      return ['gate-opened', `The gate ${event.gate} is open${again}.`];
    }
    case 'soaked':
      return event.news === null ? null : ['soak', event.news];
    case 'reminded':
      return ['reminder', 'Nobody has answered yet.'];
    case 'stepFailed':
      return ['parked', `The step ${event.step} is parked: ${failureText(event.failure)}`];
    case 'rejected':
      return ['parked', `The gate ${event.gate} was rejected by ${event.by}: ${event.reason}`];
    case 'ended':
      return ['ended', `The run has ended, ${event.outcome.result}: ${event.outcome.reason}`];
    default:
      return null;
  }
}

function pulled({ kind, by, reason }: { kind: 'kill-switch' | 'undo-rm-11'; by: string; reason: string }): string {
  const what = kind === 'kill-switch' ? 'The kill switch was pulled' : 'The undo of RM-11 was asked for';
  return `${what} by ${by}: ${reason}`;
}

function failureText({ type, message }: { type: string; message: string }): string {
  return `${type}: ${message}`;
}

function asked({ waitingFor }: Status): Notice['asked'] {
  if (waitingFor === null) return null;
  const { what, signal, message, choices, from, needed, changes, until } = waitingFor;
  return { what, signal, message, choices, from, needed, changes, until };
}
