import { describe, expect, test } from '@jest/globals';
import { countResults } from '../../scripts/count-results.mjs';

const green = { jestStatus: 0, otherFailures: 0 };
const results = (numPassedTests: number, numFailedTests = 0, numRuntimeErrorTestSuites = 0) => ({
  numPassedTests,
  numFailedTests,
  numRuntimeErrorTestSuites,
});

describe('what a test run came to', () => {
  test.each([
    ['all passed', results(5), green, { passed: 5, failed: 0 }],
    ['some failed', results(3, 2), { ...green, jestStatus: 1 }, { passed: 3, failed: 2 }],
    ['a file could not be run', results(3, 0, 1), { ...green, jestStatus: 1 }, { passed: 3, failed: 1 }],
    ['none ran', results(0), green, { passed: 0, failed: 1 }],
    ['Jest wrote nothing', undefined, { ...green, jestStatus: 1 }, { passed: 0, failed: 1 }],
    ['Jest wrote something else', { numPassedTests: 'many' }, green, { passed: 0, failed: 1 }],
    ['Jest failed for another reason', results(5), { ...green, jestStatus: 1 }, { passed: 5, failed: 1 }],
    ['lint and types failed', results(5), { ...green, otherFailures: 2 }, { passed: 5, failed: 2 }],
    ['tests and lint failed', results(5, 1), { jestStatus: 1, otherFailures: 1 }, { passed: 5, failed: 2 }],
  ])('%s', (_, jest, more, counted) => {
    expect(countResults(jest, more)).toEqual(counted);
  });
});
