import { expect, test } from '@jest/globals';
import { nextEntry } from '../../../workflows/journal.ts';
import { noticeOf, type Notice } from '../../../workflows/notice.ts';
import type { RunState } from '../../../workflows/state.ts';
import { transition, type EventType, type RunEvent } from '../../../workflows/transition.ts';
import { view } from '../../../workflows/view.ts';
import { events, eventTypes } from './events.ts';
import { failed, opened, preflight, read, started, walk, walkFor } from './walk.ts';

/** What is told when an event comes to a run in this state. */
function toldOf(state: RunState, event: RunEvent): Notice | null {
  const entry = nextEntry(state, event, 5_000);
  if (entry === null) return null;
  return noticeOf('run-1', event, entry, view(transition(state, event, 5_000)));
}

const states: Partial<Record<EventType, RunState>> = {
  targetRead: walk(),
  gateOpened: walk(...preflight),
  reminded: walk(...preflight, opened('go')),
  rejected: walk(...preflight, opened('go')),
  stepFailed: walk(read, started('survey')),
  killed: walk(read, started('smoke')),
  rollbackRefused: walk(read, started('smoke'), events.killed),
  ended: walk(read),
  soaked: walk(read, opened('soak')),
};

test('people are told of what they must know, and of nothing else', () => {
  const told = eventTypes.filter((type) => noticeOf('run-1', events[type], entry, view(states[type] ?? walk(read))));
  expect(told).toEqual([
    'stepFailed',
    'gateOpened',
    'rejected',
    'killed',
    'rollbackRefused',
    'soaked',
    'reminded',
    'ended',
  ]);
});
const entry = { seq: 7, at: 1, event: 'any', text: '', data: {} };

test('each says in a sentence what happened', () => {
  const sentence = (type: EventType): string | undefined => toldOf(states[type] ?? walk(read), events[type])?.happened;
  expect(Object.keys(states).map((type) => sentence(type as EventType))).toEqual([
    undefined,
    'The gate go is open.',
    'Nobody has answered yet.',
    'The gate go was rejected by Bo: not tonight',
    'The step survey is parked: PlatformRefused: no',
    'The kill switch was pulled by Kim: customers wait',
    'The way back is refused: CustomerRowsExist: orders has 1 row',
    'The run has ended, completed: done',
    'soak: green again',
  ]);
  expect(toldOf(walk(read), opened('soak'))).toMatchObject({
    event: 'soak',
    happened: 'The soak has begun; it asks nobody.',
  });
});

test('a run that is started for a way back is told as one', () => {
  const input = { app: 'an-app', requestedBy: 'Kim', mode: 'undo-rm-11', reason: 'it is slow' } as const;
  expect(toldOf(walkFor(input), read)).toMatchObject({
    event: 'undo-rm-11',
    happened: 'The undo of RM-11 was asked for by Kim: it is slow',
  });
});

test('the message that answers is the one of the status, with who may send it and until when', () => {
  const state = walk(...preflight);
  const event = opened('go', { expiresAt: 9_000, changes: ['release.version: 7, now 8'] });
  const notice = toldOf(state, event);
  const { waitingFor } = view(transition(state, event, 5_000));
  expect(notice?.asked).toEqual({
    what: 'approval of the gate go',
    signal: 'approve',
    message: waitingFor?.message,
    choices: [],
    from: ['Ada', 'Bo', 'Cy', 'Rita'],
    needed: 1,
    changes: ['release.version: 7, now 8'],
    until: 9_000,
  });
});

test('the id is of the run and of its journal, and so of no other notice', () => {
  const state = walk(...preflight);
  const numbered = { ...state, journal: [{ seq: 41, at: 1, event: 'x', text: 'x', data: {} }] };
  expect(toldOf(numbered, opened('go'))).toMatchObject({ id: 'run-1/42', at: 5_000, app: 'an-app' });
  expect(toldOf(walk(read, started('smoke')), failed('smoke'))?.id).toBe('run-1/1');
});
