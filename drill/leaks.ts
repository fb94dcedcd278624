import { encodings } from './encodings.ts';

/** Somewhere a secret could have come to, as one text. */
export interface Place {
  readonly name: string;
  readonly text: string;
}

/** The secrets that are found, as `NUMBER of the secret in PLACE`: a failing test must not print them either. */
export function findLeaks(places: readonly Place[], secrets: readonly string[]): string[] {
  const forms = secrets.map(encodings);
  return places.flatMap(({ name, text }) =>
    forms.flatMap((those, index) => (those.some((form) => text.includes(form)) ? [`${index} in ${name}`] : [])),
  );
}

/**
 * All that an answer of the server's holds, a line for each text. Bytes stand there as they are and in Base64: as JSON
 * they would be in Base64 only, and a secret that is escaped within them would not be seen.
 */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value);
    return `${bytes.toString()}\n${bytes.toString('base64')}`;
  }
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([key, inner]) => `${key}\n${textOf(inner)}`)
    .join('\n');
}
