import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What an answer of the service behind is turned into; `taken` is that answer, where the request has come there. */
export interface Fault {
  /** Whether the service has taken the request before things go wrong. */
  readonly taken: boolean;
  readonly answer: (response: ServerResponse, taken: Answered | undefined) => void | Promise<void>;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface FaultProxy {
  readonly url: string;
  /** The next write whose body holds the text meets this; whatever comes behind it does not. */
  arm(fault: Fault, text?: string): void;
  /** Whether the fault that was armed last has been met. */
  hasMet(): boolean;
  /** How many writes whose body holds that text have come to the service since. */
  passedOn(): number;
  stop(): Promise<void>;
}

/** Stands in front of a service on this machine, and lets one write at a time go wrong. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  let armed: Fault | undefined;
  let wanted = '';
  let passedOn = 0;
  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await collected(request);
    const isWanted = request.method !== 'GET' && body.includes(wanted);
    const fault = isWanted ? armed : undefined;
    if (fault !== undefined) armed = undefined;
    if (fault?.taken === false) return void (await fault.answer(response, undefined));
    if (isWanted) passedOn += 1;
    const upstream = forward({
      hostname,
      port,
      agent: false,
      method: request.method,
      path: request.url,
      headers: { ...request.headers, host: `${hostname}:${port}` },
    });
    upstream.end(body);
    const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
    const taken = { status: answer.statusCode ?? 502, headers: answer.headers, body: await collected(answer) };
    await (fault?.answer ?? pass)(response, taken);
  };

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arm: (fault, text = '') => {
      armed = fault;
      wanted = text;
      passedOn = 0;
    },
    hasMet: () => armed === undefined,
    passedOn: () => passedOn,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function collected(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function pass(response: ServerResponse, taken: Answered | undefined): void {
  const headers = { ...taken?.headers };
  delete headers['transfer-encoding'];
  response.writeHead(taken?.status ?? 502, { ...headers, 'content-length': taken?.body.length ?? 0 }).end(taken?.body);
}

const says =
  (status: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    const body = JSON.stringify({ id: 'a_fault', message: 'This is a fault of the tests.' });
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  };
const reset = (response: ServerResponse): void => void response.socket?.resetAndDestroy();

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
  'is answered two seconds late': {
    taken: true,
    answer: (response, taken) => sleep(2_000).then(() => pass(response, taken)),
  },
} as const satisfies Record<string, Fault>;
