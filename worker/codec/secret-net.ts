import type { Payload, PayloadCodec } from '@temporalio/common';
import type { KnownSecrets } from '../known-secrets.ts';

/**
 * The last net: whatever is about to become a payload, of an activity or of the workflow, is searched once more.
 *
 * It replaces and counts, and never throws. Thrown in a codec, an error ends the worker (in a failure's details) or
 * fails the workflow task for ever (in a result or a memo) [ran: SDK 1.24.0].
 */
export class SecretNet implements PayloadCodec {
  readonly #known: KnownSecrets;
  #replaced = 0;

  constructor(known: KnownSecrets) {
    this.#known = known;
  }

  /** How many payloads held a secret so far: each is a place where the boundary should have stopped it. */
  get replaced(): number {
    return this.#replaced;
  }

  encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads.map((payload) => this.#clean(payload)));
  }

  decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads);
  }

  #clean(payload: Payload): Payload {
    if (payload.data == null || payload.data.length === 0) return payload;
    const text = Buffer.from(payload.data).toString();
    const redacted = this.#redact(text);
    if (redacted === text) return payload;
    this.#replaced += 1;
    return { ...payload, data: Buffer.from(redacted) };
  }

  #redact(text: string): string {
    try {
      return this.#known.redactJson(text);
    } catch {
      // No JSON, as bytes need not be.
      return this.#known.redact(text);
    }
  }
}
