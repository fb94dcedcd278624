import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { EncryptionCodec, UnreadablePayloadError, type Party } from '../../../worker/codec/encryption.ts';
import { readKeys, type EncryptionKey } from '../../../worker/codec/keys.ts';

const newKey = (id: string): EncryptionKey => ({ id, bytes: randomBytes(32) });
const [first, second] = [newKey('2026-11'), newKey('2026-12')];
const codec = (keys: EncryptionKey[], party: Party = 'worker'): EncryptionCodec => new EncryptionCodec(keys, party);
const value = { plan: 'the plan', n: [1, 2] };
const clear = defaultPayloadConverter.toPayload(value);

const metadata = (payload: Payload | undefined, name: string): string =>
  Buffer.from(payload?.metadata?.[name] ?? []).toString();
const read = ([payload]: Payload[]): unknown => defaultPayloadConverter.fromPayload(payload as Payload);

test('a payload is encrypted whole, each time anew, and says with which key', async () => {
  const [one, other] = await codec([first]).encode([clear, clear]);
  expect(metadata(one, 'encoding')).toBe('binary/encrypted');
  expect(metadata(one, 'encryption-key-id')).toBe('2026-11');
  expect(Buffer.from(one?.data ?? []).toString('latin1')).not.toContain('the plan');
  expect(one?.data).not.toEqual(other?.data);
  expect(read(await codec([first]).decode([one as Payload]))).toEqual(value);
});

test('what is in clear is read as it is, and what is encrypted is not encrypted again', async () => {
  expect(await codec([first]).decode([clear])).toEqual([clear]);
  const encrypted = await codec([first]).encode([clear]);
  expect(await codec([second]).encode(encrypted)).toEqual(encrypted);
});

test('rotation: the new key encrypts, and what the old one encrypted is still read', async () => {
  const old = await codec([first]).encode([clear]);
  const rotated = codec([second, first]);
  expect(read(await rotated.decode(old))).toEqual(value);
  const [written] = await rotated.encode([clear]);
  expect(metadata(written, 'encryption-key-id')).toBe('2026-12');
});

describe('what cannot be read', () => {
  const altered = async (party: Party, change: (payload: Payload) => void): Promise<Payload[]> => {
    const [payload] = await codec([first], party).encode([clear]);
    const copy = { metadata: { ...payload?.metadata }, data: Buffer.from(payload?.data ?? []) };
    change(copy);
    return [copy];
  };
  const ways: Record<string, (payload: Payload) => void> = {
    'a key that is not there': ({ metadata: fields }) =>
      void ((fields ?? {})['encryption-key-id'] = Buffer.from('gone')),
    'a byte that was changed': ({ data }) => void ((data ?? [])[20]! ^= 1),
    'a text that was cut': (payload) => void (payload.data = (payload.data ?? new Uint8Array()).slice(0, 9)),
    nothing: (payload) => void (payload.data = null),
  };
  test.each(Object.entries(ways))('%s: a message is left as it is, and stops no run', async (_, change) => {
    const sent = await altered('client', change);
    expect(await codec([first]).decode(sent)).toEqual(sent);
  });

  test.each(Object.entries(ways))('%s: what a worker wrote fails the task, which is tried again', async (_, change) => {
    await expect(altered('worker', change).then((sent) => codec([first]).decode(sent))).rejects.toThrow(
      UnreadablePayloadError,
    );
  });

  test.each(Object.entries(ways))('%s: a client is told', async (_, change) => {
    for (const by of ['worker', 'client'] as const) {
      const sent = await altered(by, change);
      await expect(codec([first], 'client').decode(sent)).rejects.toThrow(UnreadablePayloadError);
    }
  });

  test('the message names the keys, and what to do', async () => {
    const sent = await codec([first]).encode([clear]);
    await expect(codec([second], 'client').decode(sent)).rejects.toThrow(
      /the key 2026-11, and this process has 2026-12\. Add it to CUTOVER_ENCRYPTION_KEYS/,
    );
  });
});

describe('references to keys', () => {
  const text = randomBytes(32).toString('base64');

  test('a file, a variable, Base64 and hex; the first one encrypts', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'cutover-keys-'));
    try {
      const file = path.join(folder, 'key');
      writeFileSync(file, `${text}\n`);
      const bytes = Buffer.from(text, 'base64');
      expect(readKeys(`new=file:${file}, old=env:OLD_KEY`, { OLD_KEY: bytes.toString('hex') })).toEqual([
        { id: 'new', bytes },
        { id: 'old', bytes },
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([
    ['a key in the place of a reference', text, /other than ID=file:PATH or ID=env:NAME/],
    ['no such file', 'k=file:/nowhere/key', /for the key k that cannot be read \(ENOENT\)/],
    ['no such variable', 'k=env:NO_SUCH', /names NO_SUCH for the key k, which is not set/],
    ['too short a key', 'k=env:SHORT', /a key k that is not 32 bytes/],
    ['one id twice', 'k=env:GOOD,k=env:GOOD', /names the key k twice/],
  ])('%s is refused, and no key is repeated', (_, references, says) => {
    const environment = { SHORT: text.slice(0, 40), GOOD: text };
    expect(() => readKeys(references, environment)).toThrow(says);
    expect(() => readKeys(references, environment)).not.toThrow(text.slice(0, 40));
  });
});
