import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { freePort } from '../../rehearsal/ports.ts';
import { queryStatus } from '../../rehearsal/query-status.ts';
import { startTemporal } from '../../rehearsal/temporal.ts';
import { freshApp } from '../workflow/harness.ts';
import { createRig, playPeople, type Rig } from './cutover-rig.ts';
import { startProgram } from './started-program.ts';

let rig: Rig;
let app: RehearsedApp;
beforeAll(async () => {
  rig = await createRig();
  app = await rig.add(raptor);
});
afterAll(() => rig.close());

async function ask(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
  return response ? { status: response.status, text: await response.text() } : { status: 0, text: '' };
}

/** Asks until the answer is as wanted; Jest's own limit ends it otherwise. */
async function until(url: string, isWanted: (answer: { status: number; text: string }) => boolean): Promise<string> {
  for (;;) {
    const answer = await ask(url);
    if (isWanted(answer)) return answer.text;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const samplesOf = (text: string, name: string): string[] =>
  text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
const isReady = ({ status }: { status: number }): boolean => status === 200;

test('a real run shows in health and metrics, and no secret, app or name does', async () => {
  const [healthPort, metricsPort] = [await freePort(), await freePort()];
  const health = `http://127.0.0.1:${healthPort}`;
  const metrics = `http://127.0.0.1:${metricsPort}/metrics`;
  const worker = rig.startWorker({
    env: { CUTOVER_HEALTH_PORT: String(healthPort), CUTOVER_METRICS_PORT: String(metricsPort) },
  });
  await until(`${health}/readyz`, isReady);
  expect(await ask(`${health}/healthz`)).toEqual({ status: 200, text: '{"status":"alive"}\n' });
  expect((await ask(`${health}/`)).status).toBe(404);

  const handle = await rig.start(app);
  await playPeople(rig, handle, app, (status) => status.waitingFor?.message['gate'] === 'go');
  const waiting = await until(metrics, ({ text }) =>
    samplesOf(text, 'cutover_runs').some((line) => /stage="waiting".* 1$/.test(line)),
  );
  expect(samplesOf(waiting, 'cutover_runs').filter((line) => / 1$/.test(line))).toEqual([
    expect.stringMatching(/^cutover_runs\{(?=.*phase="preflight")(?=.*stage="waiting").*\} 1$/),
  ]);

  await handle.signal('approve', { gate: 'go', by: 'Mallory', plan: 'ab'.repeat(32) });
  await expect(
    handle.executeUpdate('approve', { args: [{ gate: 'go', by: 'Mallory', plan: 'ab'.repeat(32) }] }),
  ).rejects.toThrow();
  await handle.signal('a-signal-of-hunter2', {});
  await playPeople(rig, handle, app);
  expect((await queryStatus(handle)).outcome).toMatchObject({ result: 'completed' });

  const text = await until(metrics, (answer) => samplesOf(answer.text, 'cutover_runs_ended_total').length > 0);
  const refused = samplesOf(text, 'cutover_messages_refused_total');
  for (const [message, door] of [
    ['approve', 'signal'],
    ['approve', 'update'],
    ['other', 'signal'],
  ]) {
    expect(refused).toContainEqual(
      expect.stringMatching(new RegExp(`(?=.*door="${door}")(?=.*message="${message}").* 1$`)),
    );
  }
  expect(refused).toHaveLength(3);
  expect(samplesOf(text, 'cutover_waiting_for_people_seconds_count')).toContainEqual(
    expect.stringMatching(/(?=.*at="go")(?=.*stage="waiting").* 1$/),
  );
  expect(samplesOf(text, 'cutover_runs_ended_total')).toEqual([
    expect.stringMatching(/(?=.*procedure="cutover")(?=.*result="completed").* 1$/),
  ]);
  expect(samplesOf(text, 'cutover_stages_entered_total').length).toBeGreaterThan(3);
  expect(samplesOf(text, 'cutover_secrets_replaced')).toEqual([expect.stringMatching(/ 0$/)]);
  expect(samplesOf(text, 'temporal_request_total').length).toBeGreaterThan(0);

  const { HEROKU_API_KEY = '', GITHUB_TOKEN = '' } = rig.workerEnv;
  for (const word of [HEROKU_API_KEY, GITHUB_TOKEN, app.herokuApp, 'Ada', 'Mallory', 'hunter2']) {
    expect(text).not.toContain(word);
  }
  await worker.stop();
});

test('a run on a misspelt task queue is told of by any worker', async () => {
  const port = await freePort();
  const worker = rig.startWorker({ env: { CUTOVER_METRICS_PORT: String(port) } });
  const taskQueue = `cuttover-${randomUUID()}`;
  const workflowId = `cutover-${freshApp('misspelt')}`;
  const args = [{ app: workflowId.replace('cutover-', ''), requestedBy: 'Rita' }];
  const handle = await rig.client.workflow.start('productionCutover', { taskQueue, workflowId, args });
  await until(`http://127.0.0.1:${port}/metrics`, ({ text }) =>
    samplesOf(text, 'cutover_runs_orphaned').some((line) => !line.endsWith(' 0')),
  );
  expect(await readFile(rig.workerLog, 'utf8')).toContain(`The run ${workflowId} is on the task queue ${taskQueue}`);
  await handle.terminate();
  await worker.stop();
});

test('a worker is alive and not ready while Temporal is away', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'cutover-health-'));
  const temporal = await startTemporal({ dir, cli: process.env['RC_TEST_TEMPORAL_CLI'] ?? '', ui: false });
  const port = await freePort();
  const worker = rig.startWorker({ env: { TEMPORAL_ADDRESS: temporal.address, CUTOVER_HEALTH_PORT: String(port) } });
  try {
    const health = `http://127.0.0.1:${port}`;
    await until(`${health}/readyz`, isReady);
    await temporal.stop();
    const why = await until(`${health}/readyz`, ({ status }) => status === 503);
    expect(why).toBe('{"status":"Temporal does not answer"}\n');
    expect((await ask(`${health}/healthz`)).status).toBe(200);
    expect(await readFile(rig.workerLog, 'utf8')).toContain(`"url":"${health}"`);
  } finally {
    await worker.stop();
    await temporal.stop();
    await rm(dir, { recursive: true });
  }
});

test.each(['HEALTH', 'METRICS'])('a worker whose port for %s is taken says so in a sentence', async (which) => {
  const holder = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => holder.once('listening', resolve));
  const { port } = holder.address() as AddressInfo;
  const program = await startProgram(['node', 'scripts/worker.mjs'], {
    HEROKU_API_KEY: 'not-a-token',
    GITHUB_TOKEN: 'not-a-token',
    TEMPORAL_ADDRESS: process.env['RC_TEST_TEMPORAL_ADDRESS'],
    [`CUTOVER_${which}_PORT`]: String(port),
  });
  try {
    expect(await program.ended).toMatchObject({ code: 1 });
    const [line, ...more] = program
      .output()
      .trim()
      .split('\n')
      .filter((said) => !said.startsWith('{'));
    expect(more).toEqual([]);
    expect(line).toMatch(new RegExp(`^The port ${port} of 127\\.0\\.0\\.1 cannot be had \\(.*CUTOVER_${which}_PORT`));
  } finally {
    await program.dispose();
    holder.close();
  }
});
