import type { JournalEntry, RunEvent, RunState } from './state.ts';

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
    case 'gateOpened':
      return `gate ${event.gate}: open for plan ${event.digest.slice(0, 12)}`;
    case 'approved':
      return `gate ${event.gate}: approved by ${event.by}`;
    case 'resolved':
      return `${event.step}: to be tried again, says ${event.by}: ${event.reason}`;
    case 'messageRefused':
      return `${event.message} from ${event.by ?? 'nobody'} refused: ${event.why}`;
    case 'continued':
      return 'continued as new';
    case 'ended':
      return `${event.outcome.result}: ${event.outcome.reason}`;
    case 'messageHandled':
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
