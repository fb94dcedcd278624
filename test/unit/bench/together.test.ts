import { expect, test } from '@jest/globals';
import { figuresOf } from '../../../bench/together/index.ts';
import { allowanceFor, checkReached, leastSeconds, limitFor, type Round } from '../../../bench/together/limit.ts';

const unlimited: Round = { runs: 50, seconds: 10, requests: 600, refused: 0, fewestLeft: 999_999_400 };
const limited: Round = { runs: 50, seconds: 16, requests: 604, refused: 4, fewestLeft: 12 };

test.each([
  [600, 10],
  [11_800, 200],
])('a limit made of %d requests in %d s cannot but hold up the same requests', (requests, seconds) => {
  const limit = limitFor({ requests, seconds });
  const again = { ...unlimited, requests };
  // The client holds back before the bucket is empty.
  expect(limit.atOnce).toBeGreaterThan(100);
  expect(limit.atOnce).toBeLessThan(requests / 2);
  expect(leastSeconds(limit, again)).toBeGreaterThan(1.4 * seconds);
});

test('the client is told how fast requests come back, and keeps the reserve of production', () => {
  expect(allowanceFor({ atOnce: 160, perMinute: 1_800 })).toEqual({ reserve: 100, refillMs: 60_000 / 1_800 });
});

test('what is refused is no part of the least time; a bucket that holds everything wants none', () => {
  const limit = { atOnce: 160, perMinute: 1_800 };
  expect(leastSeconds(limit, limited)).toBeCloseTo((600 - 160) / 30);
  expect(leastSeconds({ ...limit, atOnce: 4_500 }, limited)).toBe(0);
});

test('a round that the limit did not touch is refused: its figures would prove nothing', () => {
  expect(() => checkReached({ fewestLeft: 99 })).not.toThrow();
  expect(() => checkReached({ fewestLeft: 100 })).toThrow(/^the limit was not reached: 100 requests were left/);
});

test('the figures say what the limit costs, how far it was reached, and what was refused', () => {
  const figures = figuresOf(unlimited, limited, limitFor(unlimited));
  expect(figures.map(({ value, unit }) => [Number(value.toFixed(2)), unit])).toEqual([
    [1.09, '×'],
    [10, 's'],
    [16, 's'],
    [12, 'requests'],
    [4, 'requests'],
  ]);
});
