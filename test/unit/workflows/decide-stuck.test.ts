import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../workflows/decide.ts';
import type { RunState } from '../../../workflows/state.ts';
import { after, readingPolicy, signalled, whyRefused } from './deciding.ts';
import { events } from './events.ts';
import { failed, opened, passed, read, reading, started, walk } from './walk.ts';

const smoke = [started('smoke', 2), failed('smoke')];
const parked = walk(read, ...smoke);
const resolve = (payload: unknown) => signalled('resolve', payload);
const kill = (payload: unknown = { by: 'Kim', reason: 'customers wait' }) => signalled('killSwitch', payload);
const retry = { step: 'smoke', attempt: 2, by: 'Ada', action: 'retry', reason: 'mended' };

describe('resolve', () => {
  test.each(['Ada', 'Kim', 'Rita'])('retry, says %s: the parked step goes on', (by) => {
    expect(after(parked, resolve({ ...retry, by }))).toMatchObject({ stage: 'working', at: null });
  });

  test.each(['abort', 'undo-rm-11', 'kill-switch'] as const)('%s is handed to whoever carries it out', (action) => {
    expect(decide(parked, resolve({ ...retry, action }), 5)).toEqual({
      by: 'Ada',
      events: [],
      wish: { kind: action, by: 'Ada', reason: 'mended' },
    });
  });

  const refused: [string, unknown, RegExp][] = [
    ['another step', { ...retry, step: 'upgrade' }, /it is for upgrade, attempt 2, and smoke, attempt 2 is parked/],
    ['an earlier attempt', { ...retry, attempt: 1 }, /it is for smoke, attempt 1/],
    ['a later attempt', { ...retry, attempt: 3 }, /it is for smoke, attempt 3/],
    ['an attempt that is none', { ...retry, attempt: 1.5 }, /attempt: /],
    ['an attempt in words', { ...retry, attempt: '2' }, /attempt: /],
    ['an unknown action', { ...retry, action: 'skip' }, /action: /],
    ['no reason', { ...retry, reason: ' ' }, /reason: a reason/],
    ['a reason without end', { ...retry, reason: 'x'.repeat(2001) }, /reason: /],
    ['no name', { ...retry, by: '' }, /by: a person's name/],
    ['the reason as it was printed', { ...retry, reason: '<why>' }, /reason: a reason in the place of/],
    ['somebody else', { ...retry, by: 'Mallory' }, /neither an approver nor on call/],
  ];
  test.each(refused)('%s is refused', (_, payload, why) => {
    expect(whyRefused(parked, resolve(payload))).toMatch(why);
  });

  test.each([
    ['working', walk(read)],
    ['waiting', walk(read, opened('go'))],
    ['sealing', walk(read, events.sealing)],
  ])('while the run is %s nothing is parked', (stage, state) => {
    expect(whyRefused(state, resolve(retry))).toBe(`nothing is parked: the run is ${stage}`);
  });

  test('who asked for the run may try again, and not take it back unless that is said', () => {
    const state = walk(readingPolicy({ approvers: ['Ada'] }), ...smoke);
    expect(after(state, resolve({ ...retry, by: 'Rita' })).stage).toBe('working');
    for (const action of ['kill-switch', 'undo-rm-11']) {
      expect(whyRefused(state, resolve({ ...retry, by: 'Rita', action }))).toMatch(/neither an approver nor on call/);
    }
  });

  test('a gate that was rejected is decided about by its round, and planned anew', () => {
    const rejected = walk(read, opened('go'), events.voided, opened('go'), events.rejected);
    expect(whyRefused(rejected, resolve({ ...retry, step: 'go', attempt: 1 }))).toMatch(/go, attempt 2 is parked/);
    expect(decide(rejected, resolve({ ...retry, step: 'go' }), 5).events).toEqual([
      { type: 'resolved', step: 'go', by: 'Ada', reason: 'mended', surveys: ['survey', 'confirm'] },
    ]);
  });

  test('a seal that is parked can be tried again or left, and not taken back', () => {
    const sealParked = walk(read, events.sealing, started('seal'), failed('seal'));
    const about = { ...retry, step: 'seal', attempt: 1 };
    expect(after(sealParked, resolve(about)).stage).toBe('sealing');
    for (const action of ['kill-switch', 'undo-rm-11']) {
      expect(whyRefused(sealParked, resolve({ ...about, action }))).toMatch(/the launch has begun/);
    }
    expect(decide(sealParked, resolve({ ...about, action: 'abort' }), 5).wish?.kind).toBe('abort');
  });
});

describe('kill switch', () => {
  const wherever: Record<string, RunState> = {
    working: walk(read, started('upgrade')),
    waiting: walk(read, opened('go')),
    'waiting for a window': walk(read, opened('window')),
    parked,
    'on the way of the undo': walk(read, { ...events.killed, kind: 'undo-rm-11' }),
  };
  test.each(Object.entries(wherever))('%s: one authorised person is enough', (_, state) => {
    for (const by of ['Ada', 'Kim']) {
      expect(decide(state, kill({ by, reason: 'now' }), 5)).toEqual({
        by,
        events: [],
        wish: { kind: 'kill-switch', by, reason: 'now' },
      });
    }
  });

  const refused: [string, RunState, unknown, RegExp][] = [
    ['no reason', parked, { by: 'Kim' }, /reason: Required/],
    ['no name', parked, { reason: 'now' }, /by: Required/],
    [
      'somebody else',
      parked,
      { by: 'Mallory', reason: 'now' },
      /neither an approver nor on call .*: Ada, Bo, Cy, Rita, Kim/,
    ],
    ['a second one', walk(read, events.killed), { by: 'Ada', reason: 'now' }, /was pulled already, by Kim/],
    ['once the launch has begun', walk(read, events.sealing), { by: 'Ada', reason: 'now' }, /there is no way back/],
    [
      'where the target file does not say how',
      walk(reading({ hasRollback: false })),
      { by: 'Ada', reason: 'now' },
      /does not say how to go back to SQLite/,
    ],
  ];
  test.each(refused)('%s is refused', (_, state, payload, why) => {
    expect(whyRefused(state, kill(payload))).toMatch(why);
  });

  test('the undo of RM-11 needs no SQLite to go back to, and is asked for once', () => {
    const without = walk(reading({ hasRollback: false }), ...smoke);
    const undo = resolve({ ...retry, action: 'undo-rm-11' });
    expect(decide(without, undo, 5).wish?.kind).toBe('undo-rm-11');
    const undoing = walk(read, { ...events.killed, kind: 'undo-rm-11' }, ...smoke);
    expect(whyRefused(undoing, undo)).toBe('that is what the run is doing');
  });

  test('a gate that is decided about already does not keep it', () => {
    expect(decide(walk(read, ...passed('go')), kill(), 5).wish?.kind).toBe('kill-switch');
  });
});
