import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { countResults } from '../../scripts/count-results.mjs';

const results = (numPassedTests: number, numFailedTests = 0, numRuntimeErrorTestSuites = 0) => ({
  numPassedTests,
  numFailedTests,
  numRuntimeErrorTestSuites,
});

describe('what a test run came to', () => {
  test.each([
    ['all passed', results(5), 0, { passed: 5, failed: 0 }],
    ['some failed', results(3, 2), 1, { passed: 3, failed: 2 }],
    ['a file could not be run', results(3, 0, 1), 1, { passed: 3, failed: 1 }],
    ['none ran', results(0), 0, { passed: 0, failed: 1 }],
    ['Jest wrote nothing', undefined, 1, { passed: 0, failed: 1 }],
    ['Jest wrote something else', { numPassedTests: 'many' }, 0, { passed: 0, failed: 1 }],
    ['Jest failed for another reason', results(5), 1, { passed: 5, failed: 1 }],
  ])('%s', (_, jest, status, counted) => {
    expect(countResults(jest, status)).toEqual(counted);
  });
});

describe('the line for several runs and other checks', () => {
  const counted = (otherFailures: number, ...runs: [unknown, number][]): { line: string; code: number | null } => {
    const dir = mkdtempSync(path.join(tmpdir(), 'count-results-'));
    const args = runs.flatMap(([jest, status], index) => {
      const file = path.join(dir, `${index}.json`);
      if (jest !== undefined) writeFileSync(file, JSON.stringify(jest));
      return [file, String(status)];
    });
    const { stdout, status } = spawnSync(process.execPath, [
      'scripts/count-results.mjs',
      String(otherFailures),
      ...args,
    ]);
    rmSync(dir, { recursive: true });
    return { line: stdout.toString().trim(), code: status };
  };

  test.each([
    [
      'both passed',
      0,
      [
        [results(5), 0],
        [results(3), 0],
      ],
      { line: '8 passed, 0 failed', code: 0 },
    ],
    [
      'one wrote nothing',
      0,
      [
        [results(5), 0],
        [undefined, 1],
      ],
      { line: '5 passed, 1 failed', code: 1 },
    ],
    [
      'one ran no test',
      0,
      [
        [results(5), 0],
        [results(0), 0],
      ],
      { line: '5 passed, 1 failed', code: 1 },
    ],
    [
      'lint and types failed too',
      2,
      [
        [results(5, 1), 1],
        [results(3), 0],
      ],
      { line: '8 passed, 3 failed', code: 1 },
    ],
  ] as [string, number, [unknown, number][], unknown][])('%s', (_, other, runs, line) => {
    expect(counted(other, ...runs)).toEqual(line);
  });
});
