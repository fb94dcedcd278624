import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { figuresPath, figuresSection, pagePath, pageWith } from '../../../bench/page.ts';
import { meets, merged, ratiosFirst, readResults, type Figure, type Results } from '../../../bench/results.ts';
import { median, percentile, straightLine } from '../../../bench/statistics.ts';
import { columns, missed, shown, tableLines } from '../../../bench/table.ts';

describe('statistics', () => {
  test('a median is the middle one, or lies between the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(() => median([])).toThrow(RangeError);
  });

  test('a percentile is a value that was measured', () => {
    const values = Array.from({ length: 200 }, (_, index) => index + 1);
    expect(percentile(values, 0.99)).toBe(198);
    expect(percentile(values, 1)).toBe(200);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([2, 1], 0)).toBe(1);
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });

  test('a straight line tells what one more costs, and whether each costs the same', () => {
    const even = straightLine([
      [1, 113],
      [2, 126],
      [4, 152],
    ]);
    expect(even.slope).toBeCloseTo(13);
    expect(even.intercept).toBeCloseTo(100);
    expect(even.off).toBeCloseTo(0);
    const uneven = straightLine([
      [0, 0],
      [1, 10],
      [2, 0],
    ]);
    expect(uneven.off).toBeGreaterThan(6);
    expect(() =>
      straightLine([
        [1, 1],
        [1, 2],
      ]),
    ).toThrow(RangeError);
  });
});

const ratio: Figure = { what: 'one ÷ other', value: 1.384, unit: '×', atMost: 1.25, grows: 'not' };
const time: Figure = {
  what: 'a worker is ready',
  value: 1234.5,
  unit: 'ms',
  of: 3,
  range: [1000, 1500],
  atMost: 1500,
  grows: 'with the code',
};
const plain: Figure = { what: 'events | of a run', value: 256, unit: 'events', grows: 'with the steps' };
const circumstances = { on: '2026-01-02T03:04:05.000Z', quick: false, load: 0.25, seconds: 61.4 };
const results: Results = {
  format: 1,
  version: '1.2.3',
  machine: { cpu: 'A Processor', cores: 2, memoryMiB: 4096, system: 'Linux 6', node: '20.3.0' },
  measurements: [
    {
      id: 'start',
      title: 'Start',
      figures: [plain, time],
      comparisons: [{ title: 'Phases', columns: ['phase', 'seconds'], rows: [['all of it', '3.0']] }],
      notes: ['Seen from `outside`.'],
      ...circumstances,
    },
    {
      id: 'cutover',
      title: 'A whole cutover',
      figures: [ratio],
      comparisons: [],
      notes: [],
      ...circumstances,
    },
    { id: 'many', title: 'Many', figures: [], comparisons: [], notes: [], ...circumstances, failed: 'no server' },
  ],
};

test('a figure meets its target, misses it, or has none', () => {
  expect([time, ratio, plain].map(meets)).toEqual([true, false, undefined]);
  expect(meets({ ...ratio, value: 1.25 })).toBe(true);
  expect(missed(results)).toEqual(['one ÷ other: 1.38 ×, and should be 1.25 × at most']);
});

test.each([
  [1.384, '×', '1.38 ×'],
  [256, 'events', '256 events'],
  [13.04, 'events', '13 events'],
  [0.25, 'events', '0.3 events'],
  [1234.5, 'ms', '1,235 ms'],
  [66.54, 'ms', '66.5 ms'],
  [12.345, 's', '12.35 s'],
  [40, '/s', '40/s'],
] as const)('%d %s is shown as %s', (value, unit, text) => expect(shown(value, unit)).toBe(text));

test('the table has ratios first, and says what is missed and what failed', () => {
  expect(ratiosFirst(results).ratios).toEqual([ratio]);
  const lines = tableLines(results);
  expect(lines[0]).toBe('Ratios');
  expect(lines[2]).toMatch(/one ÷ other +1\.38 × +≤ 1\.25 ×: missed +not$/);
  expect(lines.indexOf('Start')).toBeGreaterThan(2);
  expect(lines.find((line) => line.includes('a worker is ready'))).toMatch(
    /1,235 ms \(1,000 ms to 1,500 ms, 3\) +≤ 1,500 ms: met +with the code$/,
  );
  expect(lines).toContain('  failed: no server');
  expect(lines).toContain('  Seen from outside.');
  // A ratio stands once.
  expect(lines.filter((line) => line.includes('one ÷ other'))).toHaveLength(1);
});

test('columns stand under each other', () => {
  expect(
    columns([
      ['a', 'b'],
      ['longer', 'c'],
    ]),
  ).toEqual(['  a       b', '  longer  c']);
});

describe('the page', () => {
  const marks = ['<!-- figures: written by `npm run bench -- --write` -->', '<!-- end of figures -->'];

  test('has the figures between its marks, and keeps what people wrote around them', async () => {
    const page = `# Title\n\nBefore.\n\n${marks[0]}\n\nold figures\n\n${marks[1]}\n\nAfter.\n`;
    const written = await pageWith(page, results);
    expect(written).toMatch(/^# Title\n\nBefore\.\n\n<!-- figures/);
    expect(written).toMatch(/<!-- end of figures -->\n\nAfter\.\n$/);
    expect(written).not.toContain('old figures');
    expect(written).toContain('### Ratios');
    expect(written).toMatch(/\| events \\\| of a run +\| 256 events/);
    // Once more changes nothing.
    expect(await pageWith(written, results)).toBe(written);
  });

  test('without its marks it is refused, and so are marks in the wrong order', async () => {
    await expect(pageWith('# Title\n', results)).rejects.toThrow(/has lost its marks/);
    await expect(pageWith(`${marks[1]}\n${marks[0]}\n`, results)).rejects.toThrow(/has lost its marks/);
  });

  test('says what was missed, what could not be measured, and that a run was a quick one', () => {
    const [first, ...others] = results.measurements;
    const text = figuresSection({ ...results, measurements: [{ ...first!, quick: true }, ...others] });
    expect(text).toContain('- one ÷ other: 1.38 ×, and should be 1.25 × at most');
    expect(text).toContain('Not measured: no server');
    expect(text).toContain('Measured on 2026-01-02 in 61 s, with a load average of 0.3 as it began.');
    expect(text.match(/A quick run/g)).toHaveLength(1);
    expect(figuresSection({ ...results, measurements: [] })).toContain('Every target that was measured is met.');
  });

  test('is what the figures beside it say: else run `npm run bench -- --from docs/performance.json --write`', async () => {
    const page = await readFile(pagePath, 'utf8');
    expect(page).toBe(await pageWith(page, readResults(await readFile(figuresPath, 'utf8'))));
  });
});

describe('figures that are measured anew', () => {
  const [start, cutover] = results.measurements;
  const anew = { ...start!, seconds: 5 };
  const order = ['cutover', 'start', 'many'];

  test('take the place of the earlier ones, and the others stay', () => {
    const both = merged(results, { ...results, measurements: [anew] }, order);
    expect(both.measurements).toEqual([cutover, anew, results.measurements[2]]);
  });

  test('do not stand beside those of another machine or version', () => {
    expect(() => merged({ ...results, version: '1.2.2' }, results, order)).toThrow(/of another machine or version/);
    const other = { ...results, machine: { ...results.machine, cores: 8 } };
    expect(() => merged(results, other, order)).toThrow(/measure everything/);
  });
});

const { grows: _, ...untold } = ratio;

test.each([
  ['{', 'it is not JSON'],
  ['[]', /Expected object/],
  [JSON.stringify({ ...results, format: 2 }), /^format: /],
  [JSON.stringify({ ...results, measurements: [{ id: 'start' }] }), /^measurements\.0\./],
  [
    JSON.stringify({ ...results, measurements: [{ ...results.measurements[1], figures: [untold] }] }),
    'measurements.0.figures.0.grows: Required',
  ],
])('a file that the benchmark has not written is refused: %s', (text, why) => {
  expect(() => readResults(text)).toThrow(why);
});
