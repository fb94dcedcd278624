import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { EncryptionKey } from './keys.ts';

const encoding = 'binary/encrypted';
const nonceBytes = 12;
const tagBytes = 16;

/** Who encrypted a payload. It says what to do about one that cannot be read. */
export type Party = 'worker' | 'client';

/** A payload was encrypted with a key that is not among these, or is not what was encrypted. */
export class UnreadablePayloadError extends Error {
  override readonly name = 'UnreadablePayloadError';
}

/**
 * Payloads encrypted with AES-256-GCM, each whole, with what says how it is encoded. What is in clear is left so: it was
 * sent by a tool that knows no key, or before encryption was turned on.
 */
export class EncryptionCodec implements PayloadCodec {
  readonly #keys: readonly EncryptionKey[];
  readonly #party: Party;

  /** @param keys the first encrypts, all of them decrypt */
  constructor(keys: readonly EncryptionKey[], party: Party) {
    this.#keys = keys;
    this.#party = party;
  }

  encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads.map((payload) => (isEncrypted(payload) ? payload : this.#encrypt(payload))));
  }

  /**
   * @throws UnreadablePayloadError for a client; in a worker, where a worker wrote the payload: its task is then tried
   *   again until a worker has the key, where going on without what was done would be wrong
   */
  decode(payloads: Payload[]): Promise<Payload[]> {
    try {
      return Promise.resolve(
        payloads.map((payload) => (isEncrypted(payload) ? this.#decryptOrLeave(payload) : payload)),
      );
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  #encrypt(payload: Payload): Payload {
    const [key] = this.#keys;
    if (key === undefined) return payload;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce).setAAD(bound(key.id, this.#party));
    const plain = proto.temporal.api.common.v1.Payload.encode(payload).finish();
    const data = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    const metadata = { encoding, 'encryption-key-id': key.id, 'encrypted-by': this.#party };
    return {
      metadata: Object.fromEntries(Object.entries(metadata).map(([name, text]) => [name, Buffer.from(text)])),
      data,
    };
  }

  /**
   * A message that cannot be read is left as it is: the workflow's converter makes a text of it that no message takes,
   * and a sender's mistake stops nothing.
   */
  #decryptOrLeave(payload: Payload): Payload {
    try {
      return this.#decrypt(payload);
    } catch (error) {
      if (this.#party === 'worker' && textOf(payload, 'encrypted-by') !== 'worker') return payload;
      throw error;
    }
  }

  #decrypt(payload: Payload): Payload {
    const id = textOf(payload, 'encryption-key-id');
    const key = this.#keys.find((one) => one.id === id);
    if (key === undefined) {
      const known = this.#keys.map((one) => one.id).join(', ') || 'none';
      throw new UnreadablePayloadError(
        `A payload was encrypted with the key ${id}, and this process has ${known}. Add it to CUTOVER_ENCRYPTION_KEYS.`,
      );
    }
    const bytes = Buffer.from(payload.data ?? []);
    try {
      const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, nonceBytes))
        .setAAD(bound(id, textOf(payload, 'encrypted-by')))
        .setAuthTag(bytes.subarray(-tagBytes));
      const plain = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
      return proto.temporal.api.common.v1.Payload.decode(plain);
    } catch (error) {
      throw new UnreadablePayloadError(
        `A payload does not decrypt with the key ${id}: it was altered, or the key of that id is another one.`,
        { cause: error },
      );
    }
  }
}

/** What stands beside the encrypted bytes in clear, and must not be altered either. */
function bound(id: string, party: string): Buffer {
  return Buffer.from(`${id} ${party}`);
}

function isEncrypted(payload: Payload): boolean {
  return textOf(payload, 'encoding') === encoding;
}

function textOf({ metadata }: Payload, name: string): string {
  const value = metadata?.[name];
  return value == null ? '' : Buffer.from(value).toString();
}
