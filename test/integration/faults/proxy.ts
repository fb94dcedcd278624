import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an answer of the service behind is turned into; `taken` is that answer, where the request has come there. */
export interface Fault {
  /** Whether the service has taken the request before things go wrong. */
  readonly taken: boolean;
  readonly answer: (response: ServerResponse, taken: Answered | undefined) => void | Promise<void>;
  /** What the service is asked instead. */
  readonly rewrite?: (body: Buffer) => Buffer;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Asked {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly body: Buffer;
}

export interface FaultProxy {
  readonly url: string;
  /** The nth of the requests that are wanted, from 1, meets this, and so many in all; the others do not. */
  arm(fault: Fault, wanted?: (asked: Asked) => boolean, nth?: number, times?: number): void;
  /** What has met the fault that was armed last. */
  met(): Asked | undefined;
  /** How many requests that are wanted have come to the service since. */
  passedOn(): number;
  stop(): Promise<void>;
}

export const isWrite = ({ method }: Asked): boolean => method !== 'GET';

/** Stands in front of a service on this machine, and lets one request at a time go wrong. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  let armed: Fault | undefined;
  let isWanted = isWrite;
  let before = 0;
  let left = 0;
  let met: Asked | undefined;
  let passedOn = 0;
  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));

  /** The fault that this request is to meet. */
  const faultFor = (asked: Asked): Fault | undefined => {
    if (armed === undefined || before-- > 0 || left-- <= 0) return undefined;
    met = asked;
    return armed;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await collected(request);
    const asked = { method: request.method ?? 'GET', path: request.url ?? '/', body };
    const wanted = isWanted(asked);
    const fault = wanted ? faultFor(asked) : undefined;
    if (fault?.taken === false) return void (await fault.answer(response, undefined));
    if (wanted) passedOn += 1;
    const sent = fault?.rewrite?.(body) ?? body;
    const upstream = forward({
      hostname,
      port,
      agent: false,
      method: asked.method,
      path: asked.path,
      headers: { ...request.headers, host: `${hostname}:${port}`, 'content-length': sent.length },
    });
    upstream.end(sent);
    const [answer] = (await once(upstream, 'response')) as [IncomingMessage];
    const taken = { status: answer.statusCode ?? 502, headers: answer.headers, body: await collected(answer) };
    await (fault?.answer ?? pass)(response, taken);
  };

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arm: (fault, wanted = isWrite, nth = 1, times = 1) => {
      [armed, isWanted, before, left] = [fault, wanted, nth - 1, times];
      [met, passedOn] = [undefined, 0];
    },
    met: () => met,
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

/** Gives the answer of the service on as it is. */
export function pass(response: ServerResponse, taken: Answered | undefined): void {
  const headers = { ...taken?.headers };
  delete headers['transfer-encoding'];
  response.writeHead(taken?.status ?? 502, { ...headers, 'content-length': taken?.body.length ?? 0 }).end(taken?.body);
}
