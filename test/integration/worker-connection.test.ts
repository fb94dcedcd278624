import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { connectTemporal } from '../../worker/connect-temporal.ts';
import { KnownSecrets } from '../../worker/known-secrets.ts';
import { readTemporalConnection } from '../../worker/temporal-config.ts';
import { guardTemporal, type GuardedTemporal } from './guarded-temporal.ts';
import { startProgram } from './started-program.ts';

const temporal = process.env['RC_TEST_TEMPORAL_ADDRESS'] ?? '';
const credentials = { HEROKU_API_KEY: 'not-a-token', GITHUB_TOKEN: 'not-a-token' };

let folder: string;
let doors: GuardedTemporal[];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cutover-connection-'));
  doors = [];
});
afterEach(async () => {
  for (const door of doors) await door.close();
  await rm(folder, { recursive: true });
});

async function file(name: string, text: string): Promise<string> {
  await writeFile(path.join(folder, name), text);
  return path.join(folder, name);
}

/** A door before the server, and what leads a worker through it as far as TLS goes. */
async function guarded(apiKey?: string): Promise<{ door: GuardedTemporal; env: Record<string, string> }> {
  const door = await guardTemporal(temporal, apiKey);
  doors.push(door);
  const ca = await file('ca.pem', door.authority);
  return {
    door,
    env: { ...credentials, TEMPORAL_ADDRESS: door.address, TEMPORAL_TLS: '1', TEMPORAL_TLS_SERVER_CA_CERT_PATH: ca },
  };
}

async function ended(env: Record<string, string>): Promise<string> {
  const program = await startProgram(['node', 'scripts/worker.mjs'], env);
  const { code } = await program.ended;
  const text = program.output().trim();
  await program.dispose();
  expect({ code, lines: text.split('\n').length }).toEqual({ code: 1, lines: 1 });
  return text;
}

test('a worker reaches a server with TLS and an API key, and says the key nowhere', async () => {
  const { env } = await guarded('the-right-key');
  const worker = await startProgram(['node', 'scripts/worker.mjs'], {
    ...env,
    TEMPORAL_API_KEY_FILE: await file('key', 'the-right-key'),
    CUTOVER_TASK_QUEUE: 'cutover-nobody',
  });
  try {
    await worker.says(/"state":"RUNNING"/);
    worker.signal('SIGTERM');
    expect(await worker.ended).toMatchObject({ code: 0 });
    expect(worker.output()).not.toContain('the-right-key');
  } finally {
    await worker.dispose();
  }
});

test('a worker whose API key or certificate is not taken is told so in a sentence', async () => {
  const byKey = await guarded('the-right-key');
  const refusal = /^The Temporal server at \S+ refused this worker: .*TEMPORAL_API_KEY_FILE.*start the worker again\.$/;
  const wrong = await ended({ ...byKey.env, TEMPORAL_API_KEY: 'a-wrong-key' });
  expect(wrong).toMatch(refusal);
  expect(wrong).not.toContain('a-wrong-key');
  expect(await ended(byKey.env)).toMatch(refusal);

  const byCertificate = await guarded();
  expect(await ended(byCertificate.env)).toMatch(/^No TLS connection .*wants a \(or another\) client certificate\./);
});

test('a worker and a server that do not agree on TLS say so in a sentence', async () => {
  const { env, door } = await guarded('the-right-key');
  expect(await ended({ ...credentials, TEMPORAL_ADDRESS: door.address })).toMatch(
    /does not speak to a client without TLS\. Set TEMPORAL_TLS=1/,
  );
  expect(await ended({ ...env, TEMPORAL_ADDRESS: temporal })).toMatch(/: it does not speak TLS\./);
  const other = await file('other.pem', (await guardedAuthority()).authority);
  expect(await ended({ ...env, TEMPORAL_TLS_SERVER_CA_CERT_PATH: other })).toMatch(
    /no CA that is known here has signed its certificate/,
  );
});

async function guardedAuthority(): Promise<GuardedTemporal> {
  const door = await guardTemporal(temporal);
  doors.push(door);
  return door;
}

test('a client certificate opens the connection', async () => {
  const { env, door } = await guarded();
  const link = await linkOf({
    ...env,
    TEMPORAL_TLS_CLIENT_CERT_PATH: await file('client.pem', door.client.certificate),
    TEMPORAL_TLS_CLIENT_KEY_PATH: await file('client.key', door.client.key),
  });
  await link.close();
});

test('a rotated API key is taken while the connection is open', async () => {
  const { env, door } = await guarded('first-api-key');
  const key = await file('key', 'first-api-key');
  const known = new KnownSecrets(['first-api-key']);
  const link = await linkOf({ ...env, TEMPORAL_API_KEY: 'first-api-key' }, key, known, 20);
  try {
    const ask = () => link.connection.workflowService.describeNamespace({ namespace: 'default' });
    await ask();
    door.changeKey('second-api-key');
    await expect(ask()).rejects.toMatchObject({ code: 16 });
    await writeFile(key, 'second-api-key');
    while ((await ask().catch(() => undefined)) === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(known.redact('second-api-key')).toBe('[redacted]');
  } finally {
    await link.close();
  }
});

function linkOf(env: Record<string, string>, keyFile?: string, known = new KnownSecrets([]), lookEveryMs?: number) {
  const problems: string[] = [];
  const connection = readTemporalConnection(env, keyFile, (problem) => problems.push(problem));
  if (connection === undefined) throw new Error(problems.join('\n'));
  return connectTemporal(connection, known.keep, () => undefined, lookEveryMs);
}
