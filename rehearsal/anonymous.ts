import { hostname, userInfo } from 'node:os';
import { decodePayload, unreadableIn } from '../audit/payloads.ts';

/** A history without what says where it was made: stack traces name files of this machine, identities its host. */
export function anonymous(value: unknown): unknown {
  if (typeof value === 'string')
    return value.replaceAll(new RegExp(`\\d+@${escapeRegExp(hostname())}`, 'g'), '1@rehearsal');
  if (Array.isArray(value)) return value.map(anonymous);
  if (typeof value !== 'object' || value === null) return value;
  const payload = decodePayload(value);
  if (payload !== value && unreadableIn(payload).length === 0 && payload !== null) {
    // A journal notes who sent a message: identities stand inside of payloads too.
    return { ...value, data: Buffer.from(JSON.stringify(anonymous(payload))).toString('base64') };
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'stackTrace')
      .map(([key, inner]) => [key, anonymous(inner)]),
  );
}

/** @throws where a text that is to be kept says where it was made */
export function expectAnonymous(text: string): void {
  for (const trace of [`@${hostname()}`, `${userInfo().username}@`, process.cwd(), `${process.pid}@`]) {
    if (text.includes(trace)) throw new Error(`a history says where it was made: ${trace}`);
  }
}

function escapeRegExp(text: string): string {
  return text.replace(/[^\w]/g, '\\$&');
}
