import { describe, expect, test } from '@jest/globals';
import { changeWindow, freeze, windowAt, type ChangeWindow, type Freeze } from '../../../activities/change-window.ts';

const everyDay = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const inOslo: ChangeWindow = { days: ['tue', 'thu'], from: '10:00', to: '12:00', timeZone: 'Europe/Oslo' };
const overnight: ChangeWindow = { days: ['fri'], from: '22:00', to: '04:00', timeZone: 'UTC' };
const at = (text: string): number => Date.parse(text);

/** `open`, or the moment at which it opens. */
function state(windows: readonly ChangeWindow[], now: string, freezes: readonly Freeze[] = []): string {
  const seen = windowAt(windows, freezes, at(now));
  return seen.open ? 'open' : new Date(seen.opensAt).toISOString();
}

describe('a window', () => {
  test.each([
    // 2026-05-14 is a Thursday, and Oslo is two hours ahead of UTC then.
    ['just before it opens', '2026-05-14T07:59:59.999Z', '2026-05-14T08:00:00.000Z'],
    ['as it opens', '2026-05-14T08:00:00Z', 'open'],
    ['in it', '2026-05-14T09:30:00Z', 'open'],
    ['as it closes', '2026-05-14T10:00:00Z', '2026-05-19T08:00:00.000Z'],
    ['on another day', '2026-05-15T09:00:00Z', '2026-05-19T08:00:00.000Z'],
    // In winter Oslo is one hour ahead.
    ['in winter', '2026-01-15T08:59:00Z', '2026-01-15T09:00:00.000Z'],
  ])('%s', (_, now, expected) => {
    expect(state([inOslo], now)).toBe(expected);
  });

  test('over midnight belongs to the day on which it begins', () => {
    expect(state([overnight], '2026-05-15T21:59:00Z')).toBe('2026-05-15T22:00:00.000Z');
    expect(state([overnight], '2026-05-15T23:00:00Z')).toBe('open');
    expect(state([overnight], '2026-05-16T03:59:59Z')).toBe('open');
    expect(state([overnight], '2026-05-16T04:00:00Z')).toBe('2026-05-22T22:00:00.000Z');
    // Friday morning is not Friday night.
    expect(state([overnight], '2026-05-15T03:00:00Z')).toBe('2026-05-15T22:00:00.000Z');
  });

  test('of several, the next one counts', () => {
    expect(state([overnight, inOslo], '2026-05-14T10:00:00Z')).toBe('2026-05-15T22:00:00.000Z');
    expect(state([overnight, inOslo], '2026-05-14T09:00:00Z')).toBe('open');
  });

  test('where none is named, it is always open', () => {
    expect(state([], '2026-05-14T10:00:00Z')).toBe('open');
  });
});

describe('when the clocks change', () => {
  const night = (from: string, to: string): ChangeWindow => ({ days: ['sun'], from, to, timeZone: 'Europe/Oslo' });

  // 2026-03-29: 02:00 becomes 03:00, at 01:00 UTC.
  test('a window over the hour that is skipped is an hour shorter', () => {
    expect(state([night('01:30', '03:30')], '2026-03-29T00:29:00Z')).toBe('2026-03-29T00:30:00.000Z');
    expect(state([night('01:30', '03:30')], '2026-03-29T01:15:00Z')).toBe('open');
    expect(state([night('01:30', '03:30')], '2026-03-29T01:30:00Z')).toBe('2026-04-04T23:30:00.000Z');
  });

  // 2026-10-25: 03:00 becomes 02:00, at 01:00 UTC.
  test('one over the hour that comes twice is an hour longer', () => {
    expect(state([night('01:30', '03:30')], '2026-10-24T23:30:00Z')).toBe('open');
    expect(state([night('01:30', '03:30')], '2026-10-25T02:29:00Z')).toBe('open');
    expect(state([night('01:30', '03:30')], '2026-10-25T02:30:00Z')).toBe('2026-11-01T00:30:00.000Z');
  });

  test('a window on a later day keeps its time of day', () => {
    const daily: ChangeWindow = { days: [...everyDay], from: '09:00', to: '10:00', timeZone: 'America/New_York' };
    // 2026-03-08 is the change in New York: 14:00 UTC the day before, 13:00 UTC on the day.
    expect(state([daily], '2026-03-07T15:30:00Z')).toBe('2026-03-08T13:00:00.000Z');
  });
});

describe('a freeze', () => {
  const holidays: Freeze = { from: '2026-05-14T00:00:00Z', to: '2026-05-20T00:00:00Z', reason: 'the fair' };

  test('closes what is open, with its reason, until the first window behind it', () => {
    const seen = windowAt([inOslo], [holidays], at('2026-05-14T09:00:00Z'));
    expect(seen).toEqual({
      open: false,
      opensAt: at('2026-05-21T08:00:00Z'),
      why: 'a freeze until 2026-05-20T00:00:00Z: the fair; writes may begin at 2026-05-21T08:00:00.000Z',
    });
  });

  test('without windows, ends when it ends', () => {
    expect(state([], '2026-05-14T09:00:00Z', [holidays])).toBe('2026-05-20T00:00:00.000Z');
    expect(state([], '2026-05-20T00:00:00Z', [holidays])).toBe('open');
  });

  test('that ends inside another one goes on until the end of that', () => {
    const more: Freeze = { from: '2026-05-19T12:00:00+02:00', to: '2026-05-22T12:00:00+02:00', reason: 'an audit' };
    expect(state([], '2026-05-14T09:00:00Z', [holidays, more])).toBe('2026-05-22T10:00:00.000Z');
  });

  test('that ends in a window lets the rest of it be used', () => {
    const short: Freeze = { from: '2026-05-14T07:00:00Z', to: '2026-05-14T09:00:00Z', reason: 'a demo' };
    expect(state([inOslo], '2026-05-14T08:30:00Z', [short])).toBe('2026-05-14T09:00:00.000Z');
  });

  test('for ever is searched no further than a year and a bit', () => {
    const ever: Freeze = { from: '2026-01-01T00:00:00Z', to: '9999-01-01T00:00:00Z', reason: 'sold' };
    const seen = windowAt([inOslo], [ever], at('2026-05-14T09:00:00Z'));
    expect(seen).toMatchObject({ open: false, opensAt: at('2026-05-14T09:00:00Z') + 400 * 86_400_000 });
  });
});

describe('what a target file may say', () => {
  const good = { days: ['mon'], from: '22:00', to: '02:00', timeZone: 'Europe/Oslo' };
  test.each<[string, unknown]>([
    ['a time zone that is none', { ...good, timeZone: 'Mars/Olympus' }],
    ['no time zone', { ...good, timeZone: undefined }],
    ['a day that is none', { ...good, days: ['someday'] }],
    ['no day', { ...good, days: [] }],
    ['a time that is none', { ...good, from: '24:00' }],
    ['a window without length', { ...good, to: '22:00' }],
  ])('not %s', (_, window) => {
    expect(changeWindow.safeParse(good).success).toBe(true);
    expect(changeWindow.safeParse(window).success).toBe(false);
  });

  const still = { from: '2026-12-20T00:00:00Z', to: '2027-01-04T00:00:00+01:00', reason: 'holidays' };
  test.each<[string, unknown]>([
    ['a freeze that ends before it begins', { ...still, to: '2026-12-19T00:00:00Z' }],
    ['a moment without its offset', { ...still, to: '2027-01-04T00:00:00' }],
    ['no reason', { ...still, reason: '' }],
  ])('not %s', (_, one) => {
    expect(freeze.safeParse(still).success).toBe(true);
    expect(freeze.safeParse(one).success).toBe(false);
  });
});
