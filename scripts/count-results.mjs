import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/**
 * Counts what a test run came to. A test file that could not be run, and a run without any test, count as failures.
 *
 * @param {unknown} results what `jest --json` wrote; `undefined` when it wrote nothing
 * @param {{ jestStatus: number, otherFailures: number }} more Jest's exit code, and how many other checks failed
 * @returns {{ passed: number, failed: number }}
 */
export function countResults(results, { jestStatus, otherFailures }) {
  const number = (name) => (Number.isInteger(results?.[name]) ? results[name] : 0);
  const passed = number('numPassedTests');
  let failed = number('numFailedTests') + number('numRuntimeErrorTestSuites');
  if (failed === 0 && (jestStatus !== 0 || passed === 0)) failed = 1;
  return { passed, failed: failed + otherFailures };
}

// node scripts/count-results.mjs RESULTS.json JEST_STATUS OTHER_FAILURES
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [file = '', jestStatus, otherFailures] = process.argv.slice(2);
  let results;
  try {
    results = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // Jest ended before it could write: counted as a failure.
  }
  const { passed, failed } = countResults(results, {
    jestStatus: Number(jestStatus),
    otherFailures: Number(otherFailures),
  });
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
