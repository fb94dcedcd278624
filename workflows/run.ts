import { setCurrentDetails, upsertMemo, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { decide, type Wish } from './decide.ts';
import { renderDetails } from './details.ts';
import { nextEntry } from './journal.ts';
import { measure } from './metrics.ts';
import type { Message, Sender } from './messages.ts';
import { noticeOf } from './notice.ts';
import { createNotices, type Notices } from './notices.ts';
import { searchNames, searchValues } from './search.ts';
import { createSenders, type Senders } from './senders.ts';
import { soakText } from './soak-clock.ts';
import type { RunState } from './state.ts';
import { transition, type RunEvent } from './transition.ts';
import { view, type Status } from './view.ts';

/** A decision that counted, and how it came. */
export interface Counted {
  readonly message: string;
  readonly by: string;
  readonly sender: Sender;
}

/** A run: its state, which only `apply` replaces, and the messages that wait to be taken out. */
export interface Run {
  readonly state: RunState;
  readonly inbox: Message[];
  readonly senders: Senders;
  readonly notices: Notices;
  apply(event: RunEvent): void;
  /** Takes every waiting message out and acts on it; a wish for the run as a whole is returned, not acted on. */
  takeMessages(): Wish | undefined;
}

/** @param initial the state of a new run, or the one that continue-as-new carried */
export function createRun(initial: RunState): Run {
  let state = initial;
  const inbox: Message[] = [];
  const senders = createSenders();
  const notices = createNotices();
  // Memo and details do not outlive a run: what continues another one says anew where it stands.
  const last = initial.journal.at(-1);
  if (last !== undefined) publish(state, view(state), last);

  const apply = (event: RunEvent): void => {
    const now = Date.now();
    const next = transition(state, event, now);
    const entry = nextEntry(state, event, now);
    const before = state;
    state = entry ? { ...next, journal: [...next.journal, entry] } : next;
    const status = view(state);
    measure(before, event, state, status.phase, now);
    // The memo tells of the clock where no worker is up to answer a query.
    if (event.type === 'soaked' && status.soak !== null) upsertMemo({ soak: soakText(status.soak) });
    // Samples have no entry, and are on the page all the same.
    if (entry === null) return setCurrentDetails(renderDetails(status));
    publish(state, status, entry);
    // Only where the worker has said that it can: whether there is a webhook is not the workflow's to know.
    if (state.target?.tellsPeople !== true) return;
    const notice = noticeOf(workflowInfo().firstExecutionRunId, event, entry, status);
    if (notice !== null) notices.tell(notice);
  };

  const run: Run = {
    get state() {
      return state;
    },
    inbox,
    senders,
    notices,
    apply,
    takeMessages() {
      let wish: Wish | undefined;
      for (let message = inbox.shift(); message !== undefined; message = inbox.shift()) {
        const decision = decide(state, message, Date.now());
        decision.events.forEach(apply);
        wish ??= decision.wish;
        if (decision.by !== undefined && 'sender' in message) {
          senders.note(run, { message: message.name, by: decision.by, sender: message.sender });
        }
      }
      return wish;
    },
  };
  return run;
}

/**
 * The memo shows where a run stands even when no worker is up to answer a query, and each entry that passes through it
 * stays in the history after a Terminate.
 */
function publish(state: RunState, status: Status, entry: RunState['journal'][number]): void {
  upsertMemo({
    stage: status.stage,
    phase: status.phase ?? 'end',
    waitingFor: status.waitingFor?.what ?? 'nothing',
    journal: entry,
  });
  setCurrentDetails(renderDetails(status));
  if (state.target?.isSearchable === true) publishSearch(status);
}

const keyword = 'KEYWORD' as const;

/** Only what has changed: most entries of the journal change nothing that runs are found by. */
function publishSearch(status: Status): void {
  const values = searchValues(status);
  const known = workflowInfo().typedSearchAttributes;
  const changed = searchNames
    .map((name) => ({ key: { name, type: keyword }, value: values[name] }))
    .filter(({ key, value }) => known.get(key) !== value);
  if (changed.length > 0) upsertSearchAttributes(changed);
}
