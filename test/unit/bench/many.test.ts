import { expect, test } from '@jest/globals';
import { comparisonOf, figuresOf } from '../../../bench/many/index.ts';
import type { Waiting } from '../../../bench/many/waiting.ts';

const mib = 2 ** 20;
const waiting: readonly Waiting[] = [
  { runs: 10, inMemory: 10, rss: 300 * mib, wake: [20, 30, 40], perSecond: 9 },
  { runs: 100, inMemory: 100, rss: 400 * mib, wake: [25, 35, 45], perSecond: 9 },
  { runs: 1_000, inMemory: 100, rss: 440 * mib, wake: [90, 110, 100], perSecond: 9 },
];

test('times of runs in memory stand apart from those of runs that are replayed', () => {
  expect(
    comparisonOf(waiting).rows.map(([runs, inMemory, , wakes, replayed]) => [runs, inMemory, wakes, replayed]),
  ).toEqual([
    ['10', '10', '30', 'no'],
    ['100', '100', '35', 'no'],
    ['1000', '100', '100', 'yes'],
  ]);
  const wakes = figuresOf(waiting).filter(({ unit }) => unit === 'ms');
  expect(wakes.map(({ what, value }) => [what, value])).toEqual([
    ['one of 100 wakes, in memory', 35],
    ['one of 1000 wakes, replayed', 100],
  ]);
});

test('memory is compared with that of as many runs as the worker keeps there', () => {
  const [ratio] = figuresOf(waiting);
  expect(ratio).toMatchObject({
    unit: '×',
    value: 1.1,
    what: expect.stringContaining('1000 runs that wait ÷ with 100'),
  });
  expect(() => figuresOf(waiting.slice(0, 1))).toThrow('nothing was measured');
});
