import { expect, test } from '@jest/globals';
import { journalText, nextEntry } from '../../../workflows/journal.ts';
import { initialState, type RunState } from '../../../workflows/state.ts';
import type { EventType, RunEvent } from '../../../workflows/transition.ts';
import { events, eventTypes } from './events.ts';
import { sampleInput } from './walk.ts';

/** What each event is told as; a new event does not type-check without a line, or without saying that it has none. */
const told: { readonly [T in EventType]: string | null } = {
  targetRead: 'target file c3c3c3c3c3c3',
  stepStarted: 'survey: attempt 1 began',
  stepDone: 'survey: observed',
  stepFailed: 'survey: parked on PlatformRefused',
  stepGivenUp: 'survey: failed with PlatformRefused, and the rest goes on',
  gateOpened: 'gate go: open for plan a1a1a1a1a1a1',
  approved: 'gate go: approved by Ada',
  approvedBeforehand: 'gate rotate: approved beforehand by the policy of the target file, rotation.approvedBeforehand',
  decided: null,
  rejected: 'gate go: rejected by Bo: not tonight',
  gatePassed: 'gate go: passed',
  voided: 'gate go: asked again, because the approval has expired',
  resolved: 'survey: to be tried again, says Ada: mended',
  killed: 'kill-switch asked for by Kim: customers wait',
  rollbackRefused: 'the way back is refused, CustomerRowsExist: orders has 1 row',
  rotationAsked: 'rotation of the owner asked for by Ada: it is May',
  rotated: 'the owner is rotated, and the watch goes on',
  rotationDropped: 'the rotation is left, says Bo: not tonight; the watch goes on',
  resumed: 'the cutover stands where it stood',
  sampled: null,
  soaked: 'soak: green again',
  sealing: 'launch by Ada: from here every rollback is refused',
  drifted: 'survey: changed by others: Set SETTING config vars (harmless)',
  identified: 'approve from Ada: sent as cli@laptop, not verified by the server',
  reminded: 'still waiting: approval of the gate go',
  messageRefused: 'approve from nobody refused: no gate is open',
  messageHandled: null,
  continued: 'continued as new',
  ended: 'completed: done',
};

test.each(eventTypes)('%s', (type) => {
  expect(journalText(events[type])).toBe(told[type]);
});

test.each<[RunEvent, string]>([
  [{ ...events.approved, needed: 1 }, 'gate go: approved by Ada, 1 more needed'],
  // A record that hid that one person did it all would not be worth much.
  [{ ...events.approved, by: 'Rita', alone: true }, 'gate go: single-person approval by Rita'],
  [{ ...events.approved, gate: 'window', reason: 'it burns' }, 'gate window: approved by Ada: it burns'],
  [{ ...events.identified, principal: 'ada@example.com' }, 'approve from Ada: sent as cli@laptop, ada@example.com'],
])('%j', (event, text) => {
  expect(journalText(event)).toBe(text);
});

test('entries are numbered without gaps, and go on from what was carried', () => {
  let state: RunState = initialState(sampleInput, 1);
  const append = (event: RunEvent, now: number): void => {
    const entry = nextEntry(state, event, now);
    if (entry !== null) state = { ...state, journal: [...state.journal, entry] };
  };
  append(events.targetRead, 10);
  append(events.messageHandled, 11);
  append(events.continued, 12);
  state = JSON.parse(JSON.stringify(state)) as RunState;
  append(events.ended, 13);
  expect(state.journal).toEqual([
    { seq: 1, at: 10, event: 'targetRead', text: told.targetRead, data: { target: events.targetRead.target } },
    { seq: 2, at: 12, event: 'continued', text: told.continued, data: {} },
    { seq: 3, at: 13, event: 'ended', text: told.ended, data: { outcome: events.ended.outcome } },
  ]);
});

test('an entry has what its event carried, but for evidence: that stands in the history already', () => {
  expect(nextEntry(initialState(sampleInput, 1), events.stepDone, 2)?.data).toEqual({
    step: 'survey',
    did: 'observed',
  });
});
