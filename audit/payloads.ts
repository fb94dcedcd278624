import { createHash } from 'node:crypto';

/** A JSON object of unknown shape. */
export type Fields = Readonly<Record<string, unknown>>;

/** The fields of a value that is an object; of anything else, none. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** The text, or null where the value is no text or an empty one. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

/** The encoding of payloads that a worker with keys writes. */
export const encryptedEncoding = 'binary/encrypted';

/** What stands in a record for a payload that cannot be read: encrypted, or of an encoding nobody knows. */
export interface Unreadable {
  readonly unreadable: string;
  /** The id of the key that it was encrypted with, where it was. */
  readonly key?: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * The value of a payload in protobuf JSON. The Web UI can export payloads that its codec server has decoded: those are
 * values already and stay as they are.
 */
export function decodePayload(payload: unknown): unknown {
  const name = encodingOf(payload);
  if (name === null) return payload;
  const { metadata, data } = fieldsOf(payload);
  const bytes = bytesOf(data);
  if (name === 'binary/null') return null;
  if (name === 'json/plain' || name === 'json/protobuf') {
    const text = bytes.toString('utf8');
    if (isNestedTooDeep(text)) return unreadable(`${name}, nested too deep`, bytes);
    try {
      return JSON.parse(text);
    } catch {
      return unreadable(name, bytes);
    }
  }
  return unreadable(name, bytes, metadataText(metadata, 'encryption-key-id'));
}

/** The encoding that a payload in protobuf JSON names; null for what is no payload. */
export function encodingOf(payload: unknown): string | null {
  return metadataText(fieldsOf(payload)['metadata'], 'encoding');
}

function metadataText(metadata: unknown, name: string): string | null {
  const text = fieldsOf(metadata)[name];
  return typeof text === 'string' ? bytesOf(text).toString() : null;
}

/** What protobuf JSON has in Base64; nothing where it has something else. */
export function bytesOf(base64: unknown): Buffer {
  return Buffer.from(typeof base64 === 'string' ? base64 : '', 'base64');
}

/** The values of a list of payloads, in whichever form the export has it. */
export function decodePayloads(list: unknown): unknown[] {
  const payloads = Array.isArray(list) ? list : fieldsOf(list)['payloads'];
  return Array.isArray(payloads) ? payloads.map(decodePayload) : [];
}

/** The values of a map of payloads, as memos and headers are. */
export function decodeFields(map: unknown): Record<string, unknown> {
  const fields = fieldsOf(fieldsOf(map)['fields'] ?? map);
  return Object.fromEntries(Object.entries(fields).map(([key, payload]) => [key, decodePayload(payload)]));
}

function unreadable(encoding: string, bytes: Buffer, key: string | null = null): Unreadable {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { unreadable: encoding, ...(key === null ? {} : { key }), bytes: bytes.length, sha256 };
}

/** What could not be read in a value, at any depth. */
export function unreadableIn(value: unknown): Unreadable[] {
  if (typeof value !== 'object' || value === null) return [];
  const { unreadable: encoding, sha256 } = fieldsOf(value);
  if (typeof encoding === 'string' && typeof sha256 === 'string') return [value as Unreadable];
  return Object.values(value).flatMap(unreadableIn);
}

/** Deeper than any message of people or steps: somebody's attempt to exhaust whoever walks through it. */
const deepest = 100;

function isNestedTooDeep(json: string): boolean {
  let depth = 0;
  for (const [sign] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (sign === '[' || sign === '{') depth += 1;
    else if (sign === ']' || sign === '}') depth -= 1;
    if (depth > deepest) return true;
  }
  return false;
}
