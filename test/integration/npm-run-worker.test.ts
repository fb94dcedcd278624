import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { freePort } from '../../rehearsal/ports.ts';
import { startProgram } from './started-program.ts';

const temporal = process.env['RC_TEST_TEMPORAL_ADDRESS'] ?? '';
const credentials = { HEROKU_API_KEY: 'not-a-token', GITHUB_TOKEN: 'not-a-token' };

async function ended(env: NodeJS.ProcessEnv) {
  const program = await startProgram(['node', 'scripts/worker.mjs'], env);
  const end = await program.ended;
  // Said where somebody built the worker here, and has changed it since.
  const text = program.output().replace(/^The worker starts from its sources: .*\n/m, '');
  await program.dispose();
  return { ...end, text };
}

test('a worker whose environment has mistakes names all of them at once', async () => {
  const { code, text } = await ended({
    HEROKU_API_KEY: '',
    GITHUB_TOKEN: undefined,
    GITHUB_API_URL: 'api.github.com',
    CUTOVER_TARGETS: '/nowhere',
    CUTOVER_DATABASE_CA: '/nowhere.pem',
  });
  expect(code).toBe(1);
  expect(text.trim().split('\n')).toEqual([
    "The worker's environment has 5 mistake(s):",
    '  CUTOVER_TARGETS is not a folder',
    '  CUTOVER_DATABASE_CA cannot be read (ENOENT); expected the path of a PEM file',
    '  HEROKU_API_KEY is missing; set it, or HEROKU_API_KEY_FILE to the path of a file that holds it',
    '  GITHUB_API_URL is not a URL',
    '  GITHUB_TOKEN is missing; set it, or GITHUB_TOKEN_FILE to the path of a file that holds it',
    'Correct them and start the worker again.',
  ]);
});

test('a worker without a Temporal server says so in a sentence', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const { code, text } = await ended({ ...credentials, TEMPORAL_ADDRESS: address });
  expect({ code, text: text.trim() }).toEqual({
    code: 1,
    text: `There is no Temporal server at ${address}. Start it, or set TEMPORAL_ADDRESS, then start the worker again.`,
  });
});

test('a worker for a namespace that is not there says so in a sentence', async () => {
  const { code, text } = await ended({ ...credentials, TEMPORAL_ADDRESS: temporal, TEMPORAL_NAMESPACE: 'no-such' });
  expect({ code, text: text.trim() }).toEqual({
    code: 1,
    text: `The Temporal server at ${temporal} has no namespace no-such. Create it, or set TEMPORAL_NAMESPACE, then start the worker again.`,
  });
});

test('a worker whose target files have mistakes names those of every file', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'cutover-targets-'));
  try {
    await writeFile(path.join(folder, 'one.json'), '{"app":"one",');
    await writeFile(path.join(folder, 'two.json'), '{"app":"two","colour":"red"}');
    const { code, text } = await ended({ ...credentials, TEMPORAL_ADDRESS: temporal, CUTOVER_TARGETS: folder });
    expect(code).toBe(1);
    const [one, two, ...more] = text.trim().split('\n');
    expect(one).toMatch(/^The target file of one has 1 mistake\(s\): not JSON: .*Correct all of them/);
    expect(two).toMatch(/^The target file of two has \d+ mistake\(s\): .*'colour'.*Correct all of them/);
    expect(more).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a worker stops in order when only npm is asked to, as a supervisor does', async () => {
  const worker = await startProgram(['npm', 'run', 'worker'], {
    ...credentials,
    TEMPORAL_ADDRESS: temporal,
    CUTOVER_TASK_QUEUE: 'cutover-nobody',
  });
  try {
    await worker.says(/"state":"RUNNING"/);
    process.kill(worker.pid, 'SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
    expect(worker.output()).toMatch(/"state":"STOPPED"/);
    // Whichever is here: `npm run build` is for whoever runs the tests to run or not.
    expect(worker.output()).toMatch(/"workflow bundle",.*"built":"(now|before)"/);
  } finally {
    await worker.dispose();
  }
});
