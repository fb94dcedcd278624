import { describe, expect, test } from '@jest/globals';
import { readHistory } from '../../../activities/alembic.ts';

// What Alembic 1 printed for such chains, to the letter.
const outputs = {
  linear: ['0001_base -> 0002_orders (head), orders -> legs (head)', '<base> -> 0001_base, base, with a comma'],
  single: ['<base> -> a1 (head), '],
  merged: [
    'd4 -> e5 (head), top',
    'b2, c3 -> d4 (mergepoint), merge',
    'second line',
    'a1 -> b2, left',
    'a1 -> c3, right',
    '<base> -> a1 (branchpoint), root',
  ],
  labelled: ['<base> -> a1 (billing_v2, X1) (head), root'],
  twoHeads: ['a1 -> b2 (head), left', 'a1 -> c3 (head), right', '<base> -> a1 (branchpoint), root'],
  dependent: [
    'b2 -> c3 (audit) (head), t',
    '<base> (a1) -> b2 (audit), other',
    '<base> -> a1 (billing_v2, X1) (effective head), root',
  ],
};
const read = (lines: readonly string[]) => readHistory(lines.join('\n'));

describe('a chain', () => {
  test('linear: head, and what is pending from each revision', () => {
    const chain = read(outputs.linear);
    expect(chain.head).toBe('0002_orders');
    expect(chain.pending(null)).toEqual(['0001_base', '0002_orders']);
    expect(chain.pending('0001_base')).toEqual(['0002_orders']);
    expect(chain.pending('0002_orders')).toEqual([]);
    expect([...chain.revisions].sort()).toEqual(['0001_base', '0002_orders']);
  });

  test('of one revision, with an empty message', () => {
    expect(read(outputs.single)).toMatchObject({ head: 'a1' });
    expect(read(outputs.single).pending(null)).toEqual(['a1']);
  });

  test('with a branch and a merge: each revision once, parents before children', () => {
    const chain = read(outputs.merged);
    expect(chain.head).toBe('e5');
    expect(chain.pending(null)).toEqual(['a1', 'b2', 'c3', 'd4', 'e5']);
    expect(chain.pending('b2')).toEqual(['c3', 'd4', 'e5']);
    expect(chain.pending('d4')).toEqual(['e5']);
  });

  test('with branch labels', () => {
    expect(read(outputs.labelled)).toMatchObject({ head: 'a1', revisions: ['a1'] });
  });

  test('with windows line ends and log lines around it', () => {
    const noise = [
      'INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.',
      '',
      'DeprecationWarning: a -> b is old',
      '/app/env.py:3: warning',
    ];
    const chain = readHistory([...noise, ...outputs.linear, ...noise].join('\r\n'));
    expect(chain.pending(null)).toEqual(['0001_base', '0002_orders']);
  });

  test('with so many merges that its ways could not be walked one by one', () => {
    const lines = Array.from({ length: 60 }, (_, n) => [
      `m${n} -> l${n}, left`,
      `m${n} -> r${n}, right`,
      `l${n}, r${n} -> m${n + 1}${n === 59 ? ' (head)' : ''}, merge`,
    ]).flat();
    const chain = read(['<base> -> m0, root', ...lines]);
    expect(chain.pending(null)).toHaveLength(1 + 60 * 3);
    expect(chain.pending('m59')).toEqual(['l59', 'r59', 'm60']);
  });
});

describe('unclear', () => {
  test.each<[string, readonly string[], RegExp]>([
    ['several heads', outputs.twoHeads, /has 2 heads \(b2, c3\)/],
    [
      'heads of which one depends on the other: Alembic refuses `upgrade head` too',
      outputs.dependent,
      /has 2 heads \(c3, a1\)/,
    ],
    ['nothing', [], /shows no head/],
    ['something else', ['Traceback (most recent call last):', 'FAILED: No config file'], /shows no head/],
    ['a chain whose head was cut off', ['<base> -> a1, root'], /shows no head/],
  ])('%s', (_, lines, message) => {
    expect(() => read(lines)).toThrow(
      expect.objectContaining({ type: 'MigrationHeadsUnclear', message: expect.stringMatching(message) }),
    );
  });

  test('a database at a revision that the slug does not know', () => {
    const unknown = () => read(outputs.linear).pending('9999_elsewhere');
    expect(unknown).toThrow(expect.objectContaining({ type: 'MigrationHeadsUnclear', nonRetryable: true }));
    expect(unknown).toThrow(/9999_elsewhere.*expected one of .*0001_base.*Deploy/);
  });
});
