import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../workflows/decide.ts';
import type { Message } from '../../../workflows/messages.ts';
import { initialState, transition, type RunEvent, type RunState } from '../../../workflows/state.ts';

const digest = 'a1b2c3d4e5f6'.padEnd(64, '0');
const target = { digest: 'd1'.repeat(32), hasPullRequest: false, pullRequest: null, historyEventLimit: 10_000 };

function walk(...path: RunEvent[]): RunState {
  return path.reduce(
    (state, event) => transition(state, event, 1),
    initialState({ app: 'an-app', requestedBy: 'Rita' }, 1),
  );
}
const read: RunEvent = { type: 'targetRead', target };
const open: RunEvent = { type: 'gateOpened', gate: 'go', digest };
const failed: RunEvent = { type: 'stepFailed', step: 'smoke', failure: { type: 'SmokeFailed', message: 'red' } };
const starting = walk();
const working = walk(read);
const atGo = walk(read, open);
const parked = walk(read, { type: 'stepStarted', step: 'smoke', attempt: 2 }, failed);
const ended = walk(read, { type: 'ended', outcome: { result: 'completed', reason: 'done', by: null } });

const approve = (payload: unknown): Message => ({ name: 'approve', payload });
const resolve = (payload: unknown): Message => ({ name: 'resolve', payload });
const good = { gate: 'go', by: 'Ada', plan: digest };
const retry = { step: 'smoke', attempt: 2, by: 'Ada', action: 'retry', reason: 'mended' };

/** What happens to the state when a message is acted on: only its events may change it. */
function after(state: RunState, message: Message): RunState {
  return decide(state, message).events.reduce((next, event) => transition(next, event, 2), state);
}

function whyRefused(state: RunState, message: Message): string | undefined {
  const { events, abort } = decide(state, message);
  expect(abort).toBeUndefined();
  expect(events.every((event) => event.type === 'messageRefused' || event.type === 'messageHandled')).toBe(true);
  const next = after(state, message);
  expect({ ...next, refusedMessages: [], handledMessages: [] }).toEqual({
    ...state,
    refusedMessages: [],
    handledMessages: [],
  });
  return next.refusedMessages.at(-1)?.why;
}

describe('approve', () => {
  test.each([64, 40, 12])('the open gate with the first %i digits of its digest opens it', (length) => {
    const next = after(atGo, approve({ ...good, plan: digest.slice(0, length) }));
    expect(next).toMatchObject({ stage: 'working', gates: { go: { approvedBy: 'Ada', approvedAt: 2 } } });
  });

  test('names are trimmed, and otherwise kept as they were given', () => {
    expect(after(atGo, approve({ ...good, by: '  Ada ' })).gates.go?.approvedBy).toBe('Ada');
    const hostile = '**[Ada](javascript:alert(1))** <b>\u001b[31m`;DROP\n\n```';
    expect(after(atGo, approve({ ...good, by: hostile })).gates.go?.approvedBy).toBe(hostile);
  });

  const refused: [string, unknown, RegExp][] = [
    ['no name', { gate: 'go', plan: digest }, /by: Required/],
    ['the name as it was printed', { ...good, by: '<your name>' }, /by: a person's name in the place of/],
    ['an empty name', { ...good, by: '' }, /by: a person's name/],
    ['a name of blanks', { ...good, by: ' \t' }, /by: a person's name/],
    ['a name that is an object', { ...good, by: { name: 'Ada' } }, /by: /],
    ['a very long name', { ...good, by: 'A'.repeat(101) }, /by: /],
    ['another gate', { ...good, gate: 'rm-11' }, /it is for the gate rm-11, and the open gate is go/],
    ['an unknown gate', { ...good, gate: '__proto__' }, /the open gate is go/],
    [
      'another digest',
      { ...good, plan: 'f'.repeat(64) },
      /it names the plan ffffffffffff, and the open plan is a1b2c3d4e5f6/,
    ],
    ['a digest with another end', { ...good, plan: `${digest.slice(0, 63)}1` }, /it names the plan/],
    ['too few digits', { ...good, plan: digest.slice(0, 11) }, /12 to 64 hex digits/],
    ['more digits than there are', { ...good, plan: `${digest}0` }, /12 to 64 hex digits/],
    ['capital digits', { ...good, plan: digest.toUpperCase() }, /12 to 64 hex digits/],
    ['no digest', { gate: 'go', by: 'Ada' }, /plan: Required/],
    ['an empty digest', { ...good, plan: '' }, /12 to 64 hex digits/],
    ['a field that nobody knows', { ...good, quorum: 0 }, /quorum/],
  ];
  test.each(refused)('%s is refused', (_, payload, why) => {
    expect(whyRefused(atGo, approve(payload))).toMatch(why);
  });

  test.each([
    ['starting', starting],
    ['working', working],
    ['parked', parked],
    ['working', after(atGo, approve(good))],
  ])('while the run is %s there is no gate to approve', (stage, state) => {
    expect(whyRefused(state, approve(good))).toBe(`no gate is open: the run is ${stage}`);
  });

  test('a gate whose plan has no digest cannot be approved', () => {
    const empty = walk(read, { ...open, digest: '' });
    expect(whyRefused(empty, approve(good))).toMatch(/the open plan is $/);
  });
});

describe('resolve', () => {
  test('retry lets the parked step go on', () => {
    const next = after(parked, resolve(retry));
    expect(next).toMatchObject({ stage: 'working', at: null });
  });

  test('abort is handed to whoever ends the run', () => {
    expect(decide(parked, resolve({ ...retry, action: 'abort' }))).toEqual({
      events: [],
      abort: { by: 'Ada', reason: 'mended' },
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
  ];
  test.each(refused)('%s is refused', (_, payload, why) => {
    expect(whyRefused(parked, resolve(payload))).toMatch(why);
  });

  test.each([
    ['starting', starting],
    ['working', working],
    ['waiting', atGo],
  ])('while the run is %s no step is parked', (stage, state) => {
    expect(whyRefused(state, resolve(retry))).toBe(`no step is parked: the run is ${stage}`);
  });
});

describe('messages that name themselves', () => {
  test('the second one is ignored', () => {
    const once = after(atGo, approve({ ...good, gate: 'rm-11', id: 'm-1' }));
    expect(once.refusedMessages).toHaveLength(1);
    expect(after(once, approve({ ...good, id: 'm-1' }))).toEqual(once);
    expect(after(once, approve({ ...good, id: 'm-2' })).stage).toBe('working');
  });

  test('an abort is remembered too', () => {
    const message = resolve({ ...retry, action: 'abort', id: 'm-1' });
    expect(decide(parked, message)).toMatchObject({
      abort: { by: 'Ada' },
      events: [{ type: 'messageHandled', id: 'm-1' }],
    });
    expect(decide(after(parked, message), message)).toEqual({ events: [] });
  });
});

const junk: Record<string, unknown> = {
  undefined: undefined,
  null: null,
  'a number': 42,
  'no number': NaN,
  'a boolean': true,
  'a word': 'go',
  'an array': [good],
  'an empty object': {},
  'a huge string': 'x'.repeat(1_000_000),
  'huge fields': {
    gate: 'g'.repeat(1_000_000),
    step: 's'.repeat(1_000_000),
    by: 'Ada',
    plan: digest,
    action: 'a'.repeat(1_000_000),
  },
  'a huge unknown field': { [`k${'k'.repeat(1_000_000)}`]: 1 },
  'a huge name': { by: 'A'.repeat(1_000_000) },
  'a deep object': JSON.parse(`${'{"a":'.repeat(500)}1${'}'.repeat(500)}`) as unknown,
  'a prototype': JSON.parse('{"__proto__":{"gate":"go"},"constructor":1}') as unknown,
};

describe.each(['approve', 'resolve'] as const)('junk as the payload of %s', (name) => {
  test.each(Object.entries(junk))('%s is told as refused in few words', (_, payload) => {
    for (const state of [starting, working, atGo, parked]) {
      const why = whyRefused(state, { name, payload });
      expect(why).not.toBe('');
      // It stands in the state, in the memo and in what continue-as-new carries.
      expect(JSON.stringify(after(state, { name, payload }).refusedMessages).length).toBeLessThan(2_000);
    }
  });
});

test('cancelling asks to end the run, in whatever stage', () => {
  for (const state of [starting, working, atGo, parked, ended]) {
    const { events, abort } = decide(state, { name: 'cancel', payload: null });
    expect(events).toEqual([]);
    expect(abort?.reason).toMatch(/cancelled/);
  }
});
