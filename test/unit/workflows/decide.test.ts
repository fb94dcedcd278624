import { describe, expect, test } from '@jest/globals';
import { decide, refusalOf } from '../../../workflows/decide.ts';
import { messageNames } from '../../../workflows/messages.ts';
import type { RunState, Stage } from '../../../workflows/state.ts';
import { after, readingPolicy, signalled, updated, whyRefused } from './deciding.ts';
import { events } from './events.ts';
import { approved, digestOf, failed, opened, passed, read, started, walk } from './walk.ts';

const digest = digestOf('go');
const good = { gate: 'go', by: 'Ada', plan: digest };
const retry = { step: 'smoke', attempt: 2, by: 'Ada', action: 'retry', reason: 'mended' };

const parkedAtSmoke = [read, started('smoke', 2), failed('smoke')];
const atGo = walk(read, opened('go'));
const parked = walk(...parkedAtSmoke);
const inStage: Record<Stage, RunState> = {
  starting: walk(),
  working: walk(read, ...passed('go')),
  waiting: atGo,
  parked,
  sealing: walk(read, events.sealing),
  'seal-parked': walk(read, events.sealing, started('seal'), failed('seal')),
  ended: walk(read, events.ended),
};
const open = (Object.keys(inStage) as Stage[]).filter((stage) => stage !== 'ended');

describe('messages that name themselves', () => {
  test('the second one is ignored', () => {
    const once = after(atGo, signalled('approve', { ...good, gate: 'rm-11', id: 'm-1' }));
    expect(once.refusedMessages).toHaveLength(1);
    expect(after(once, signalled('approve', { ...good, id: 'm-1' }))).toEqual(once);
    expect(after(once, signalled('approve', { ...good, id: 'm-2' })).gates.go?.decidedAt).toBe(2_000);
  });

  test('an abort is remembered too', () => {
    const message = signalled('resolve', { ...retry, action: 'abort', id: 'm-1' });
    expect(decide(parked, message, 5)).toMatchObject({
      wish: { kind: 'abort', by: 'Ada' },
      events: [{ type: 'messageHandled', id: 'm-1' }],
    });
    expect(decide(after(parked, message), message, 5)).toEqual({ events: [] });
  });

  test('an update is known by its own id, and counts once whichever run it reaches', () => {
    const once = after(atGo, updated('approve', good, 'u-1'));
    expect(once.gates.go?.decidedAt).toBe(2_000);
    expect(after(once, updated('approve', good, 'u-1'))).toEqual(once);
    expect(after(once, updated('approve', good, 'u-2')).refusedMessages).toMatchObject([
      { why: 'it is decided: approved by Ada' },
    ]);
  });

  test('the id that a sender gives goes before that of the update', () => {
    const once = after(atGo, updated('approve', { ...good, id: 'm-1' }, 'u-1'));
    expect(after(once, signalled('approve', { ...good, id: 'm-1' }))).toEqual(once);
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

describe.each(messageNames)('junk as the payload of %s', (name) => {
  test.each(Object.entries(junk))('%s is told as refused in few words', (_, payload) => {
    for (const stage of open) {
      const state = inStage[stage];
      const message = signalled(name, payload);
      const why = whyRefused(state, message);
      expect(why).not.toBe('');
      expect(refusalOf(state, message, 2_000)).toBe(why);
      // It stands in the state, in the memo and in what continue-as-new carries.
      expect(JSON.stringify(after(state, message).refusedMessages).length).toBeLessThan(2_000);
    }
  });
});

/** Names that every object answers to, whoever looks them up in a table. */
const inherited = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

test.each(inherited)('%s is no gate and no step, in whatever stage', (name) => {
  for (const stage of open) {
    expect(whyRefused(inStage[stage], signalled('approve', { ...good, gate: name }))).toBeTruthy();
    expect(whyRefused(inStage[stage], signalled('reject', { ...good, gate: name, reason: 'no' }))).toBeTruthy();
    expect(whyRefused(inStage[stage], signalled('resolve', { ...retry, step: name }))).toBeTruthy();
  }
});

describe('a message that holds something like a credential is refused, which is told with how to rotate it', () => {
  const token = `HRKU-${'a1'.repeat(8)}`;
  test.each([
    ['its name', { ...good, by: token }, null],
    ['its reason', { ...good, reason: `it is ${token}` }, 'Ada'],
  ])('in %s', (where, payload, by) => {
    const { events: seen } = decide(atGo, signalled('approve', payload), 5);
    expect(seen).toEqual([{ type: 'messageRefused', message: 'approve', by, why: expect.stringContaining(where) }]);
    expect(JSON.stringify(seen)).toMatch(/heroku authorizations:rotate.*send the message again without it/);
    expect(JSON.stringify(seen)).not.toContain(token);
  });

  test('one that cannot be read repeats no such name either', () => {
    const { events: seen } = decide(atGo, { name: 'unknown', signal: 'aprove', payload: { by: token } }, 5);
    expect(seen).toMatchObject([{ type: 'messageRefused', by: null }]);
  });
});

test('a signal of an unknown name is refused, and those that there are named', () => {
  const { events: seen } = decide(atGo, { name: 'unknown', signal: 'aprove', payload: good }, 5);
  expect(seen).toMatchObject([
    { type: 'messageRefused', message: 'aprove', by: 'Ada', why: expect.stringContaining(messageNames.join(', ')) },
  ]);
});

test('cancelling asks to end the run, in whatever stage', () => {
  for (const state of Object.values(inStage)) {
    const { events: seen, wish } = decide(state, { name: 'cancel' }, 5);
    expect(seen).toEqual([]);
    expect(wish).toMatchObject({ kind: 'abort', reason: expect.stringMatching(/cancelled/) });
  }
});

describe('before the target file is read nobody can decide anything', () => {
  test.each([
    ['approve', good],
    ['reject', { ...good, reason: 'no' }],
    ['resolve', retry],
    ['killSwitch', { by: 'Ada', reason: 'now' }],
    ['launch', { by: 'Ada', plan: digest, backup: { continuousProtection: true } }],
  ] as const)('%s', (name, payload) => {
    expect(whyRefused(inStage.starting, signalled(name, payload))).toMatch(/has not read its target file yet/);
  });
});

describe('where only verified senders may decide', () => {
  const strict = walk(readingPolicy({ requireVerifiedIdentity: true }), opened('go'));

  test('a message of which the server does not say who sent it is refused', () => {
    const message = signalled('approve', good, { identity: 'Ada <ada@example.com>', principal: null });
    expect(whyRefused(strict, message)).toMatch(/the server does not say who sent it, .* a verified identity/);
  });

  test('one of which it does counts', () => {
    const message = signalled('approve', good, { identity: 'x', principal: 'ada@example.com' });
    expect(after(strict, message).gates.go?.decidedAt).toBe(2_000);
  });

  test('an update is not told that before the history has been asked', () => {
    expect(refusalOf(strict, updated('approve', good, 'u-1'), 5)).toBeUndefined();
    expect(refusalOf(strict, updated('approve', { ...good, by: 'Mallory' }, 'u-1'), 5)).toMatch(
      /not among the approvers/,
    );
  });
});

test('a second decision at once is told that the first one won', () => {
  const decided = walk(read, opened('go'), approved('go'), events.decided);
  expect(whyRefused(decided, signalled('approve', { ...good, by: 'Bo' }))).toBe('it is decided: approved by Ada');
  expect(whyRefused(decided, signalled('reject', { ...good, by: 'Bo', reason: 'no' }))).toBe(
    'it is decided: approved by Ada',
  );
});
