import type { Payload, PayloadCodec } from '@temporalio/common';
import { UnreadablePayloadError } from '../worker/codec/encryption.ts';
import { bytesOf, encryptedEncoding, encodingOf, fieldsOf } from './payloads.ts';
import type { HistoryEvent, RunHistory } from './history.ts';

/**
 * Histories with every payload decrypted that can be, wherever it stands: in events, memos and failures. What cannot be
 * stays as it is, and the record says so.
 *
 * @param codec of the key holder; without one, nothing is decrypted
 */
export async function decrypted(runs: readonly RunHistory[], codec: PayloadCodec | undefined): Promise<RunHistory[]> {
  if (codec === undefined) return [...runs];
  return Promise.all(
    runs.map(async ({ runId, events }) => ({ runId, events: (await opened(events, codec)) as HistoryEvent[] })),
  );
}

async function opened(value: unknown, codec: PayloadCodec): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map((inner) => opened(inner, codec)));
  if (typeof value !== 'object' || value === null) return value;
  if (encodingOf(value) === encryptedEncoding) return openedPayload(value, codec);
  const fields = Object.entries(value).map(async ([key, inner]) => [key, await opened(inner, codec)] as const);
  return Object.fromEntries(await Promise.all(fields));
}

async function openedPayload(sealed: object, codec: PayloadCodec): Promise<unknown> {
  const { metadata, data } = fieldsOf(sealed);
  const payload: Payload = {
    metadata: Object.fromEntries(Object.entries(fieldsOf(metadata)).map(([name, text]) => [name, bytesOf(text)])),
    data: bytesOf(data),
  };
  try {
    const [open] = await codec.decode([payload]);
    return open === undefined ? sealed : inJson(open);
  } catch (error) {
    if (error instanceof UnreadablePayloadError) return sealed;
    throw error;
  }
}

/** As protobuf JSON has it, and so every other payload of an export. */
function inJson({ metadata, data }: Payload): object {
  const texts = Object.entries(metadata ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]);
  return {
    metadata: Object.fromEntries(texts) as Record<string, string>,
    ...(data == null || data.length === 0 ? {} : { data: Buffer.from(data).toString('base64') }),
  };
}
