import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { SecretNet } from '../../../worker/codec/secret-net.ts';
import { KnownSecrets } from '../../../worker/known-secrets.ts';
import { createLogger } from '../../../worker/log.ts';

const secret = `p"ss/w\\rd+${randomBytes(9).toString('hex')}`;
const token = randomBytes(12).toString('hex');

function netKnowing(...learnt: string[]): SecretNet {
  const known = new KnownSecrets([token]);
  for (const one of learnt) known.learn(one);
  return new SecretNet(known);
}

async function through(net: SecretNet, value: unknown): Promise<unknown> {
  const [payload] = await net.encode([defaultPayloadConverter.toPayload(value)]);
  const [decoded] = await net.decode([payload as Payload]);
  return defaultPayloadConverter.fromPayload(decoded as Payload);
}

test('a secret in a payload is replaced and counted, and the rest of it stays', async () => {
  const net = netKnowing(secret);
  const base64 = Buffer.from(`x${secret}y`).toString('base64');
  const cleaned = await through(net, {
    n: 1,
    deep: [secret, token, encodeURIComponent(secret), base64],
    [secret]: true,
  });
  expect(cleaned).toEqual({
    n: 1,
    deep: ['[redacted]', '[redacted]', '[redacted]', expect.stringMatching(/^.{0,4}\[redacted\].{0,4}$/)],
    '[redacted]': true,
  });
  expect(net.replaced).toBe(1);
});

test('what holds none goes through as it is, and is not counted', async () => {
  const net = netKnowing(secret);
  for (const value of [{ a: [1, 'x'] }, 'text', 7, null, undefined, new Uint8Array([0, 255, 128])]) {
    expect(await through(net, value)).toEqual(value);
  }
  expect(net.replaced).toBe(0);
});

test('nothing that can be in a payload makes it throw', async () => {
  const net = netKnowing(secret, '73946182');
  expect(await through(net, { pin: 73946182 })).toEqual({ pin: '[redacted]' });
  expect(await through(net, Buffer.from(`{ no JSON ${secret}`))).toEqual(
    expect.objectContaining({ length: '{ no JSON [redacted]'.length }),
  );
  const odd: Payload[] = [{}, { metadata: null, data: null }, { data: Buffer.from(`{"a": ${secret}`) }];
  const cleaned = await net.encode(odd);
  expect(cleaned).toHaveLength(3);
  expect(Buffer.from(cleaned[2]?.data ?? []).toString()).toBe('{"a": [redacted]');
  expect(net.replaced).toBe(3);
});

test('what an activity has learnt is known for minutes after it, the tokens for good', () => {
  let now = 0;
  const known = new KnownSecrets([token, ''], () => now);
  known.learn(secret);
  now = 4 * 60_000;
  expect(known.redact(secret)).toBe('[redacted]');
  known.learn(secret);
  now = 8 * 60_000;
  expect(known.redact(secret)).toBe('[redacted]');
  now = 60 * 60_000;
  expect(known.redact(secret)).toBe(secret);
  expect(known.redact(token)).toBe('[redacted]');
});

test('no entry of the log holds a secret, whatever it is made of, and each stays a line of JSON', () => {
  const known = new KnownSecrets([token]);
  known.learn(secret);
  const lines: string[] = [];
  const logger = createLogger(known, (line) => lines.push(line));
  const circle: Record<string, unknown> = { secret };
  circle['itself'] = circle;
  logger.info(`it was ${secret}`, { error: new Error(token), url: encodeURIComponent(secret), [token]: 1n });
  logger.warn('circular', circle);
  logger.error('plain', { n: 1 });
  expect(lines).toHaveLength(3);
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { level: 'INFO', message: 'it was [redacted]', error: '[redacted]', url: '[redacted]', '[redacted]': '1' },
    { level: 'WARN', message: 'circular', secret: '[redacted]' },
    { level: 'ERROR', message: 'plain', n: 1 },
  ]);
});
