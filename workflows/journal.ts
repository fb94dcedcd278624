import type { JournalEntry, RunState } from './state.ts';
import type { RunEvent } from './transition.ts';

/**
 * One line about an event, for the memo and the audit record, or null where the event is not worth one.
 * Names and reasons are people's text: whoever renders an entry escapes it.
 */
export function journalText(event: RunEvent): string | null {
  switch (event.type) {
    case 'targetRead':
      return `target file ${event.target.digest.slice(0, 12)}`;
    case 'stepStarted':
      return `${event.step}: attempt ${event.attempt} began`;
    case 'stepDone':
      return `${event.step}: ${event.did}`;
    case 'stepFailed':
      return `${event.step}: parked on ${event.failure.type}`;
    case 'stepGivenUp':
      return `${event.step}: failed with ${event.failure.type}, and the rest goes on`;
    case 'killed':
      return `${event.kind} asked for by ${event.by}: ${event.reason}`;
    case 'rollbackRefused':
      return `the way back is refused, ${event.failure.type}: ${event.failure.message}`;
    case 'resumed':
      return 'the cutover stands where it stood';
    case 'rotationAsked':
      return `rotation of the ${event.credential} asked for by ${event.by}: ${event.reason}`;
    case 'rotated':
      return `the ${event.credential} is rotated, and the watch goes on`;
    case 'rotationDropped':
      return `the rotation is left, says ${event.by}: ${event.reason}; the watch goes on`;
    case 'sealing':
      return `launch by ${event.by}: from here every rollback is refused`;
    case 'gateOpened':
      return `gate ${event.gate}: open for plan ${event.digest.slice(0, 12)}`;
    case 'approved': {
      const reason = event.reason === null ? '' : `: ${event.reason}`;
      const kind = event.alone ? 'single-person approval by' : 'approved by';
      const more = event.needed === 0 ? '' : `, ${event.needed} more needed`;
      return `gate ${event.gate}: ${kind} ${event.by}${more}${reason}`;
    }
    case 'approvedBeforehand':
      return `gate ${event.gate}: approved beforehand by the policy of the target file, ${event.field}`;
    case 'gatePassed':
      return `gate ${event.gate}: passed`;
    case 'rejected':
      return `gate ${event.gate}: rejected by ${event.by}: ${event.reason}`;
    case 'voided':
      return `gate ${event.gate}: asked again, because ${event.why}`;
    case 'drifted':
      return `${event.step}: changed by others: ${event.drift.map((one) => `${one.what} (${one.class})`).join('; ')}`;
    case 'identified':
      return `${event.message} from ${event.by}: sent as ${event.identity}, ${event.principal ?? 'not verified by the server'}`;
    case 'reminded':
      return `still waiting: ${event.of}`;
    case 'resolved':
      return `${event.step}: to be tried again, says ${event.by}: ${event.reason}`;
    case 'messageRefused':
      return `${event.message} from ${event.by ?? 'nobody'} refused: ${event.why}`;
    case 'continued':
      return 'continued as new';
    case 'ended':
      return `${event.outcome.result}: ${event.outcome.reason}`;
    case 'soaked':
      return event.news;
    // Samples come for days: the state counts them, and their evidence is in the history.
    case 'sampled':
    case 'messageHandled':
    case 'decided':
      return null;
  }
}

/** The next entry for an event, or null. Entries are numbered without gaps across continue-as-new. */
export function nextEntry(state: RunState, event: RunEvent, now: number): JournalEntry | null {
  const text = journalText(event);
  if (text === null) return null;
  const data = Object.fromEntries(Object.entries(event).filter(([key]) => key !== 'type' && key !== 'evidence'));
  return { seq: (state.journal.at(-1)?.seq ?? 0) + 1, at: now, event: event.type, text, data };
}
