import { expect, test } from '@jest/globals';
import type { Case, Disturbance } from '../../../drill/case.ts';
import { recoveriesOf } from '../../../drill/recovery.ts';
import { survived, tableLines, type Result } from '../../../drill/results.ts';

test('recovery is from a death to the next progress of another worker', () => {
  const line = (at: number, pid: number, progress: string) => ({ at, pid, step: 'flag', progress });
  const diary = [
    line(0, 1, 'begun'),
    { ...line(10, 1, 'acting'), dies: 'SIGKILL' as const },
    line(9_010, 2, 'begun'),
    line(9_020, 2, 'verified'),
    // The next progress is a person's to begin.
    { ...line(20_000, 2, 'parked'), dies: 'SIGKILL' as const },
    line(25_000, 3, 'begun'),
    // Nobody came after it.
    { ...line(30_000, 3, 'acting'), dies: 'SIGKILL' as const },
  ];
  expect(recoveriesOf(diary, [])).toEqual([{ step: 'flag', ms: 9_000 }]);
  // A service that was back while the first worker was dead, and one behind everything.
  const outages = [{ step: 'grants', backAt: 4_010 }].concat({ step: 'seal', backAt: 40_000 });
  expect(recoveriesOf(diary, outages)).toEqual([
    { step: 'flag', ms: 9_000 },
    { step: 'grants', ms: 5_000 },
  ]);
});

const result = (disturbance: Disturbance, ms: number[], more: Partial<Result> = {}): Result => ({
  case: { id: `cutover/flag/${disturbance}`, procedure: 'cutover', step: 'flag', disturbance } satisfies Case,
  ...{ duplicates: [], lost: [], problems: [], seconds: 1, triedAgain: 0 },
  recoveries: ms.map((one) => ({ step: 'flag', ms: one })),
  ...more,
});

test('the table has a line for each disturbance, and one for all but the undisturbed', () => {
  const lines = tableLines([
    result('none', []),
    result('before', [9_000]),
    result('before', [11_000], { duplicates: ['twice'], triedAgain: 2 }),
    result('two-workers', [30_000], { lost: ['never', 'nor that'] }),
  ]);
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    [
      ...['disturbance', 'injected', 'survived', 'duplicate effects', 'lost effects', 'tried again by people'],
      ...['recovery: least', 'median', 'worst'],
    ],
    ['none', '1', '1', '0', '0', '0'],
    ['before', '2', '1', '1', '0', '2', '9.0 s', '10.0 s', '11.0 s'],
    ['two-workers', '1', '0', '0', '2', '0', '30.0 s', '30.0 s', '30.0 s'],
    // A worker that stands still is not dead.
    ['all', '3', '1', '1', '2', '2', '9.0 s', '10.0 s', '11.0 s'],
  ]);
});

test('whatever was wrong, it did not survive', () => {
  expect(survived(result('before', []))).toBe(true);
  for (const part of ['duplicates', 'lost', 'problems'])
    expect(survived(result('before', [], { [part]: ['x'] }))).toBe(false);
});
