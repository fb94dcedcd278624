import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DefaultLogger } from '@temporalio/worker';
import { preparePython } from '../../rehearsal/python.ts';
import { findTemporalCli, startTemporal } from '../../rehearsal/temporal.ts';
import { buildWorkflowBundle } from '../../worker/bundle.ts';

// What every test file but the unit tests shares, in a process of its own: it outlives nobody, since it ends when its
// standard input does, however the test run ended. Says the environment of the tests in one line of JSON.

const aborter = new AbortController();
const { signal } = aborter;
const inputEnded = new Promise<void>((resolve) => process.stdin.once('end', resolve).once('error', () => resolve()));
process.stdin.resume();
void inputEnded.then(() => aborter.abort(new Error('the test run has ended')));

const log = (line: string): void => console.error(line);
const dir = await mkdtemp(join(tmpdir(), 'raptor-cutover-test-'));
let stop = async (): Promise<void> => undefined;
try {
  const temporalIn = async () => {
    const temporal = await startTemporal({ dir, cli: await findTemporalCli(log, { signal }), signal });
    stop = () => temporal.stop();
    return temporal;
  };
  const starting = [temporalIn(), preparePython(log, { signal }), workflowBundle()] as const;
  // When one fails, what the others have started is known before it is stopped.
  const [temporal, python, bundle] = await Promise.all(starting).catch(async (error: unknown) => {
    aborter.abort(error);
    await Promise.allSettled(starting);
    throw error;
  });
  const env = {
    RC_TEST_TEMPORAL_ADDRESS: temporal.address,
    RC_TEST_TEMPORAL_UI: temporal.uiUrl,
    RC_TEST_TEMPORAL_CLI: temporal.cli,
    RC_TEST_PYTHON_BIN: python.bin,
    RC_TEST_WORKFLOW_BUNDLE: bundle,
  };
  process.stdout.write(`${JSON.stringify(env)}\n`);
  await inputEnded;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await stop();
  await rm(dir, { recursive: true, force: true });
}
// Reading standard input would keep the process alive after a failure.
process.exit();

/** Bundled once for all test files: each would take seconds over it. */
async function workflowBundle(): Promise<string> {
  const path = join(dir, 'workflow-bundle.js');
  await writeFile(path, (await buildWorkflowBundle(new DefaultLogger('WARN'))).code);
  return path;
}
