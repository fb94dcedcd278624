import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { pass, type Fault } from './proxy.ts';

/** Milliseconds that a client of these tests waits for an answer: production's 30 s are a unit test's business. */
export const impatientMs = 3_000;
const lateMs = 1_000;

const says =
  (status: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    const body = JSON.stringify({ id: 'a_fault', message: 'This is a fault of the tests.' });
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  };
const reset = (response: ServerResponse): void => void response.socket?.resetAndDestroy();
/** The client hangs up when it has waited long enough. */
const silence = (): void => undefined;

/** Every fault that a write can meet, by how a reader of the page is told of it. */
export const faults = {
  'is refused with 429 and `Retry-After`': {
    taken: false,
    answer: says(429, { 'ratelimit-remaining': '0', 'retry-after': '1' }),
  },
  'is refused with 429, which does not say for how long': {
    taken: false,
    answer: says(429, { 'ratelimit-remaining': '0' }),
  },
  'is answered with 500, and was not taken': { taken: false, answer: says(500) },
  'is answered with 503, and was not taken': { taken: false, answer: says(503) },
  'is answered with 502, and was taken': { taken: true, answer: says(502) },
  'has its connection reset, and was not taken': { taken: false, answer: reset },
  'has its connection reset, and was taken': { taken: true, answer: reset },
  'gets no answer in time, and was not taken': { taken: false, answer: silence },
  'gets no answer in time, and was taken': { taken: true, answer: silence },
  'is taken, and half of the answer comes': {
    taken: true,
    answer: (response, taken) => {
      const body = taken?.body ?? Buffer.alloc(0);
      response.writeHead(taken?.status ?? 200, {
        'content-type': 'application/json',
        'content-length': body.length + 20,
      });
      response.write(body.subarray(0, body.length / 2));
      setImmediate(() => response.socket?.resetAndDestroy());
    },
  },
  'is taken, and a page in HTML comes back': {
    taken: true,
    answer: (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Please wait</html>'),
  },
  'is answered late': {
    taken: true,
    answer: (response, taken) => sleep(lateMs).then(() => pass(response, taken)),
  },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;
export const faultsByName = Object.entries(faults) as [FaultName, Fault][];
