import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/**
 * Counts what a test run came to. A test file that could not be run, and a run without any test, count as failures.
 *
 * @param {unknown} results what `jest --json` wrote; `undefined` when it wrote nothing
 * @param {number} jestStatus Jest's exit code
 * @returns {{ passed: number, failed: number }}
 */
export function countResults(results, jestStatus) {
  const number = (name) => (Number.isInteger(results?.[name]) ? results[name] : 0);
  const passed = number('numPassedTests');
  let failed = number('numFailedTests') + number('numRuntimeErrorTestSuites');
  if (failed === 0 && (jestStatus !== 0 || passed === 0)) failed = 1;
  return { passed, failed };
}

// node scripts/count-results.mjs OTHER_FAILURES RESULTS.json JEST_STATUS [RESULTS.json JEST_STATUS …]
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [otherFailures, ...runs] = process.argv.slice(2);
  let [passed, failed] = [0, Number(otherFailures)];
  for (let run = 0; run < runs.length; run += 2) {
    const counted = countResults(resultsIn(runs[run]), Number(runs[run + 1]));
    passed += counted.passed;
    failed += counted.failed;
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function resultsIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // Jest ended before it could write: counted as a failure.
    return undefined;
  }
}
