import { DefaultLogger, type Logger } from '@temporalio/worker';
import type { KnownSecrets } from './known-secrets.ts';

/**
 * The worker's log, and the SDK's: one line of JSON for each entry, without any secret that the process knows.
 *
 * @param write takes each line
 */
export function createLogger(known: KnownSecrets, write: (line: string) => void): Logger {
  return new DefaultLogger('INFO', ({ level, message, timestampNanos, meta }) => {
    const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
    write(`${known.redactJson(lineOf({ time, level, message, ...meta }))}\n`);
  });
}

function lineOf(entry: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(entry, plainly);
  } catch {
    // What cannot be written must not keep the rest from being logged.
    return JSON.stringify({
      ...entry,
      ...Object.fromEntries(Object.keys(entry).map((key) => [key, String(entry[key])])),
    });
  }
}

function plainly(_key: string, value: unknown): unknown {
  if (value instanceof Error) return value.message;
  return typeof value === 'bigint' ? String(value) : value;
}
