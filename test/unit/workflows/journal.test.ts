import { expect, test } from '@jest/globals';
import { journalText, nextEntry } from '../../../workflows/journal.ts';
import { initialState, type RunEvent, type RunState } from '../../../workflows/state.ts';

const target = { digest: 'c3'.repeat(32), hasPullRequest: false, pullRequest: null, historyEventLimit: 100 };

/** What each event is told as; a new event does not type-check without a line, or without saying that it has none. */
const told: { readonly [T in RunEvent['type']]: { event: Extract<RunEvent, { type: T }>; text: string | null } } = {
  targetRead: { event: { type: 'targetRead', target }, text: 'target file c3c3c3c3c3c3' },
  stepStarted: { event: { type: 'stepStarted', step: 'grants', attempt: 2 }, text: 'grants: attempt 2 began' },
  stepDone: { event: { type: 'stepDone', step: 'grants', did: 'settled', evidence: {} }, text: 'grants: settled' },
  stepFailed: {
    event: { type: 'stepFailed', step: 'grants', failure: { type: 'GrantsDiffer', message: 'long' } },
    text: 'grants: parked on GrantsDiffer',
  },
  gateOpened: {
    event: { type: 'gateOpened', gate: 'go', digest: 'd4'.repeat(32) },
    text: 'gate go: open for plan d4d4d4d4d4d4',
  },
  approved: { event: { type: 'approved', gate: 'go', by: 'Ada' }, text: 'gate go: approved by Ada' },
  resolved: {
    event: { type: 'resolved', step: 'grants', by: 'Ada', reason: 'mended' },
    text: 'grants: to be tried again, says Ada: mended',
  },
  messageRefused: {
    event: { type: 'messageRefused', message: 'approve', by: null, why: 'no gate is open' },
    text: 'approve from nobody refused: no gate is open',
  },
  messageHandled: { event: { type: 'messageHandled', id: 'm-1' }, text: null },
  continued: { event: { type: 'continued' }, text: 'continued as new' },
  ended: {
    event: { type: 'ended', outcome: { result: 'aborted', reason: 'not tonight', by: 'Ada' } },
    text: 'aborted: not tonight',
  },
};

test.each(Object.values(told))('$event.type is told as $text', ({ event, text }) => {
  expect(journalText(event)).toBe(text);
});

test('entries are numbered without gaps, and go on from what was carried', () => {
  let state: RunState = initialState({ app: 'an-app', requestedBy: 'Rita' }, 1);
  const append = (event: RunEvent, now: number): void => {
    const entry = nextEntry(state, event, now);
    if (entry !== null) state = { ...state, journal: [...state.journal, entry] };
  };
  append(told.targetRead.event, 10);
  append(told.messageHandled.event, 11);
  append(told.continued.event, 12);
  state = JSON.parse(JSON.stringify(state)) as RunState;
  append(told.ended.event, 13);
  expect(state.journal).toEqual([
    { seq: 1, at: 10, event: 'targetRead', text: told.targetRead.text, data: { target } },
    { seq: 2, at: 12, event: 'continued', text: told.continued.text, data: {} },
    {
      seq: 3,
      at: 13,
      event: 'ended',
      text: told.ended.text,
      data: { outcome: { result: 'aborted', reason: 'not tonight', by: 'Ada' } },
    },
  ]);
});

test('an entry has what its event carried, but for evidence: that stands in the history already', () => {
  expect(nextEntry(initialState({ app: 'an-app', requestedBy: 'Rita' }, 1), told.stepDone.event, 2)?.data).toEqual({
    step: 'grants',
    did: 'settled',
  });
});
