import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { EncryptionCodec } from '../../../worker/codec/encryption.ts';
import { startCodecServer, type CodecServer } from '../../../worker/codec/server.ts';

const keys = [{ id: 'k', bytes: randomBytes(32) }];
const origin = 'http://127.0.0.1:8233';
const token = randomBytes(24).toString('base64url');
let server: CodecServer;
beforeAll(async () => {
  server = await startCodecServer({ keys, port: 0, origin, token });
});
afterAll(() => server.stop());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** By hand: `fetch` does not let a caller choose Origin and Host. */
function ask(
  path: string,
  headers: Record<string, string>,
  body = '{"payloads":[]}',
  method = 'POST',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(`${server.url}${path}`, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.on('error', reject).end(body);
  });
}

const bearer = { authorization: `Bearer ${token}` };
const onWire = ({ metadata, data }: Payload): object => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});

test('decodes what a worker encrypted, and what it encodes a worker reads', async () => {
  const clear = defaultPayloadConverter.toPayload({ by: 'Rita' });
  const [encrypted] = await new EncryptionCodec(keys, 'worker').encode([clear]);
  const decoded = await ask(
    '/decode',
    bearer,
    JSON.stringify({ payloads: [onWire(encrypted as Payload), onWire(clear)] }),
  );
  expect(decoded.status).toBe(200);
  expect(JSON.parse(decoded.text)).toEqual({ payloads: [onWire(clear), onWire(clear)] });

  const encoded = await ask('/encode', bearer, JSON.stringify({ payloads: [onWire(clear)] }));
  const [payload] = (JSON.parse(encoded.text) as { payloads: { metadata: Record<string, string>; data: string }[] })
    .payloads;
  const received: Payload = {
    metadata: Object.fromEntries(
      Object.entries(payload?.metadata ?? {}).map(([name, text]) => [name, Buffer.from(text, 'base64')]),
    ),
    data: Buffer.from(payload?.data ?? '', 'base64'),
  };
  expect(encoded.text).not.toContain(Buffer.from('Rita').toString('base64').slice(0, 5));
  const [read] = await new EncryptionCodec(keys, 'worker').decode([received]);
  expect(defaultPayloadConverter.fromPayload(read as Payload)).toEqual({ by: 'Rita' });
});

describe('who may ask', () => {
  test.each<[string, string, Record<string, string>, number]>([
    ['a command with the token', '/decode', bearer, 200],
    ['the Web UI with the token', '/decode', { ...bearer, origin }, 200],
    ['the Web UI with the token in the path', `/${token}/decode`, { origin }, 200],
    ['the Web UI without', '/decode', { origin }, 401],
    ['a command without', '/decode', {}, 401],
    ['another token', '/decode', { authorization: `Bearer ${token}x` }, 401],
    ['another token in the path', `/${token.slice(1)}/decode`, {}, 401],
    ['another page, even with the token', '/decode', { ...bearer, origin: 'http://127.0.0.1:8234' }, 403],
    ['a page whose origin begins alike', '/decode', { ...bearer, origin: `${origin}0` }, 403],
    ['a page without an origin of its own', '/decode', { ...bearer, origin: 'null' }, 403],
    ['a name that leads here', '/decode', { ...bearer, host: 'rebound.example' }, 403],
    ['for something else', '/secrets', bearer, 404],
  ])('%s', async (_, path, headers, status) => {
    const answer = await ask(path, headers);
    expect(answer.status).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBe(headers['origin'] === origin ? origin : undefined);
  });

  test('the preflight of the Web UI is answered, and of no other page', async () => {
    const preflight = (from: string): Promise<Answer> => ask('/decode', { origin: from }, '', 'OPTIONS');
    expect(await preflight(origin)).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': origin,
        'access-control-allow-headers': expect.stringContaining('authorization'),
      },
    });
    expect((await preflight('http://evil.example')).headers).not.toHaveProperty('access-control-allow-origin');
  });
});

test.each([
  ['no JSON', 'payloads'],
  ['another shape', '{"payload":[]}'],
])('%s is refused and ends nothing', async (_, body) => {
  expect((await ask('/decode', bearer, body)).status).toBe(400);
  expect((await ask('/decode', bearer)).status).toBe(200);
});

test('what no key opens is told', async () => {
  const [foreign] = await new EncryptionCodec([{ id: 'other', bytes: randomBytes(32) }], 'worker').encode([
    defaultPayloadConverter.toPayload(1),
  ]);
  const answer = await ask('/decode', bearer, JSON.stringify({ payloads: [onWire(foreign as Payload)] }));
  expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('the key other') });
});
