import { exec } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFolder } from '../../audit/record-files.ts';
import type { AuditRecord } from '../../audit/record-schema.ts';
import type { Ending } from '../../rehearsal/start/command.ts';
import { rehearse } from '../../rehearsal/start/rehearse.ts';
import type { Rehearsal } from '../../rehearsal/start/set-up.ts';
import { bare, runAudit } from './audit-commands.ts';
import { textOf } from '../../drill/leaks.ts';
import { createRecorder, type Recorder } from './recorder.ts';

process.env['TEMPORAL_CLI_PATH'] = process.env['RC_TEST_TEMPORAL_CLI'] ?? '';
const id = 'cutover-raxx-api-prod';

let recorder: Recorder;
let rehearsal: Rehearsal;
let ending: Promise<Ending>;
/** For the worker's own records, and for those that the tests write. */
let dir: string;
const stop = new AbortController();

/** Runs a command as a person does who copied it, with the blanks filled in. */
async function type(command: string): Promise<string> {
  const filled = command.replace('<your name>', 'Kristerpher').replace('<why>', 'the suite is mended');
  return (await promisify(exec)(filled, { maxBuffer: 64 * 1024 * 1024 })).stdout;
}

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'encrypted-rehearsal-'));
  await mkdir(path.join(dir, 'kept'));
  recorder = createRecorder(true);
  const { terminal, next } = recorder;
  const onUp = (up: Rehearsal): void => {
    rehearsal = up;
    up.platform.github.setSmoke('fail');
  };
  const workerEnv = { CUTOVER_AUDIT_DIR: path.join(dir, 'kept') };
  ending = rehearse({ hold: false, idle: false, encrypt: true, workerEnv, terminal, signal: stop.signal, onUp });
  // The run parks, so that a failure is recorded, and a person answers with the CLI.
  const resolve = await Promise.race([
    next(/ workflow signal .*--name resolve .*"step":"smoke"/),
    ending.then(() => Promise.reject(new Error(recorder.lines.join('\n')))),
  ]);
  rehearsal.platform.github.setSmoke('pass');
  await type(resolve);
  await next(/Everything stays up/);
});
afterAll(async () => {
  stop.abort();
  await ending;
  await rm(dir, { recursive: true, force: true });
});

const show = async (): Promise<string> => {
  const address = rehearsal.temporal.address;
  return type(`${rehearsal.temporal.cli} workflow show --address ${address} --workflow-id ${id} --output json`);
};
const envFile = (): string => path.join(rehearsal.dir, 'rehearsal.env');

/** What a reader of the history would learn of the run: evidence, memo, a failure's message and its stack, the reason. */
const told = [
  '0001_raptor_baseline',
  'a decision about',
  'The suite concluded',
  'smoke-github.ts:',
  'the suite is mended',
];

test('the cutover succeeds, and what the server keeps of it cannot be read', async () => {
  expect(recorder.lines.join('\n')).toMatch(/Summary: completed/);
  // Both come as the server has them; only what a client makes of them is decrypted.
  const handle = rehearsal.client.workflow.getHandle(id);
  const kept = `${textOf(await handle.fetchHistory())}\n${textOf((await handle.describe()).raw)}`;
  expect(kept).toContain('binary/encrypted');
  expect(kept).toContain('Encoded failure');
  expect(told.filter((text) => kept.includes(text))).toEqual([]);
});

test('the CLI reads it by the codec server, with the token only', async () => {
  const line = recorder.lines.find((one) => one.includes('CLI: '))?.replace(/^.*CLI: /, '') ?? '';
  const { temporal } = rehearsal;
  const rest = `workflow show --address ${temporal.address} --workflow-id ${id} --output json`;
  const read = await type(line.replace('temporal …', `${temporal.cli} ${rest}`));
  const texts = `${read}\n${[...read.matchAll(/"data": "([^"]+)"/g)].map(([, data = '']) => Buffer.from(data, 'base64').toString()).join('\n')}`;
  expect(['0001_raptor_baseline', 'the suite is mended'].filter((text) => !texts.includes(text))).toEqual([]);
  expect(await show()).not.toContain('0001_raptor_baseline');

  const wrong = `${temporal.cli} ${rest} --codec-endpoint ${rehearsal.encryption?.server.url ?? ''} --codec-auth "Bearer wrong"`;
  await expect(type(wrong)).rejects.toThrow();
});

test('the Web UI may ask it, from its own origin', async () => {
  const text = await readFile(envFile(), 'utf8');
  const [, endpoint = ''] = /CODEC_ENDPOINT_FOR_WEB_UI='?([^'\n]+)/.exec(text) ?? [];
  const history = await fetch(`${rehearsal.temporal.uiUrl}/api/v1/namespaces/default/workflows/${id}/history`);
  const { history: pages } = (await history.json()) as { history: { events: object[] } };
  const payload = JSON.stringify(pages)
    .match(/\{"metadata":\{[^}]*\},"data":"[^"]+"\}/g)
    ?.find((one) => one.includes('encrypt'));
  const ask = (origin: string): Promise<Response> =>
    fetch(`${endpoint}/decode`, { method: 'POST', headers: { origin }, body: `{"payloads":[${payload}]}` });
  const answer = await ask(rehearsal.temporal.uiUrl ?? '');
  expect(answer.headers.get('access-control-allow-origin')).toBe(rehearsal.temporal.uiUrl);
  const { payloads } = (await answer.json()) as { payloads: { metadata: { encoding: string } }[] };
  expect(Buffer.from(payloads[0]?.metadata.encoding ?? '', 'base64').toString()).toBe('json/plain');
  expect((await ask('http://127.0.0.1:1')).status).toBe(403);
});

test('neither the key nor the token of the codec server is on the terminal', async () => {
  const text = await readFile(envFile(), 'utf8');
  const [, auth = ''] = /CODEC_AUTH='?Bearer ([^'\n]+)/.exec(text) ?? [];
  const key = await readFile(path.join(rehearsal.dir, 'payloads.key'), 'utf8');
  expect([auth.length, key.length]).toEqual([32, 44]);
  const shown = recorder.lines.join('\n');
  expect([auth, key].filter((secret) => shown.includes(secret))).toEqual([]);
});

describe('the record', () => {
  /** A record as the command writes it, checked without any key. */
  const audited = async (name: string, args: string[], env: NodeJS.ProcessEnv) => {
    const out = path.join(dir, name);
    const { code, text } = await runAudit('audit', [...args, '--out', out], env);
    expect({ code, text }).toMatchObject({ code: 0 });
    expect(await runAudit('audit-verify', [out])).toMatchObject({ code: 0 });
    return { text, ...(await readAt(out)) };
  };
  const readAt = async (folder: string): Promise<{ record: AuditRecord; all: string; md: string }> => {
    const { signature: _, ...files } = await readFolder(folder);
    const record = JSON.parse(files['record.json'] ?? '') as AuditRecord;
    return { record, all: `${textOf(files)}\n${decoded(files['history.json'] ?? '')}`, md: files['record.md'] ?? '' };
  };
  const decoded = (history: string): string =>
    [...history.matchAll(/"data": "([^"]+)"/g)]
      .map(([, data = '']) => Buffer.from(data, 'base64').toString())
      .join('\n');
  const fromServer = (): string[] => [id, '--address', rehearsal.temporal.address];
  const missing = (text: string): string[] => told.filter((one) => !text.includes(one));

  test("the worker's own is readable and holds, without a key", async () => {
    const [first = ''] = await readdir(path.join(dir, 'kept', id));
    const folder = path.join(dir, 'kept', id, first);
    expect(await runAudit('audit-verify', [folder])).toMatchObject({ code: 0 });
    const { record, all } = await readAt(folder);
    expect({ unreadable: record.unreadable, result: record.summary.result }).toEqual({
      unreadable: 0,
      result: 'completed',
    });
    expect(missing(all)).toEqual([]);
  });

  test('with the key, all of it is readable and holds, without the key', async () => {
    const { record, all, text, md } = await audited('open', fromServer(), rehearsal.encryption?.workerEnv ?? {});
    expect(text).not.toContain('not readable');
    expect({ unreadable: record.unreadable, status: record.summary.status }).toEqual({
      unreadable: 0,
      status: 'completed',
    });
    expect(record.summary.changes.map(({ step }) => step)).toContain('grants');
    expect(missing(all)).toEqual([]);
    expect(md).toMatch(/attempt 1 .*: failed: SmokeFailed: The suite concluded/);
    expect(all).not.toMatch(/binary\/encrypted|Encoded failure: /);
  });

  test('without the key it is written, says what it lacks, and holds', async () => {
    const { record, text, all, md } = await audited('sealed', fromServer(), {});
    expect(text).toMatch(
      /not readable \d+ payload\(s\), encrypted with the key rehearsal, in entries .*CUTOVER_ENCRYPTION_KEYS/,
    );
    expect(record.unreadable).toBeGreaterThan(50);
    expect(md).toContain('Not known. As far as this record could be read: nothing: no step changed anything.');
    expect(missing(all)).toEqual(told);
  });

  test('of a file that was exported by the codec server, it tells the same', async () => {
    const { CODEC_ENDPOINT = '', CODEC_AUTH = '' } = rehearsal.encryption?.handEnv ?? {};
    const { cli, address } = rehearsal.temporal;
    const file = path.join(dir, 'exported.json');
    await type(
      `${cli} workflow show --address ${address} --workflow-id ${id} --output json --codec-endpoint ${CODEC_ENDPOINT} --codec-auth "${CODEC_AUTH}" > ${file}`,
    );
    const { record } = await audited('exported', ['--history', file], {});
    const { record: whole } = await audited('open', fromServer(), rehearsal.encryption?.workerEnv ?? {});
    expect(bare(record)).toEqual(bare(whole));
  });

  test('of a file that was exported without it, it is the one with the key', async () => {
    const file = path.join(dir, 'raw.json');
    await writeFile(file, await show());
    const { record } = await audited('raw', ['--history', file], rehearsal.encryption?.workerEnv ?? {});
    expect(record).toMatchObject({ unreadable: 0, summary: { result: 'completed' } });
  });
});
