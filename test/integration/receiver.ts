import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a receiver was sent. */
export interface Received {
  readonly text: string;
  readonly notice: {
    readonly id: string;
    readonly event: string;
    readonly happened: string;
    readonly asked: { readonly signal: string; readonly message: Record<string, unknown> } | null;
    readonly link: string | null;
  };
}

/** `takes` everything; `fails` with 500 and repeats what it was sent; `hangs` without an answer; or is `down`. */
export type ReceiverMood = 'takes' | 'fails' | 'hangs' | 'down';

export interface Receiver {
  /** The secret. */
  readonly url: string;
  /** What it took, in the order in which it came. */
  readonly taken: Received[];
  /** Bodies as they came, what it did not take included. */
  readonly bodies: string[];
  become(mood: ReceiverMood): Promise<void>;
  close(): Promise<void>;
}

/** A receiver of webhooks on this machine, whose address nobody can guess. */
export async function startReceiver(): Promise<Receiver> {
  const path = `/services/${randomBytes(16).toString('hex')}`;
  const taken: Received[] = [];
  const bodies: string[] = [];
  let mood: ReceiverMood = 'takes';

  const answer = (response: ServerResponse, requested: string, body: string): void => {
    bodies.push(body);
    if (mood === 'hangs') return;
    if (mood === 'fails') return void response.writeHead(500).end(JSON.stringify({ requested, body }));
    if (requested !== path) return void response.writeHead(404).end();
    taken.push(JSON.parse(body) as Received);
    response.end('ok');
  };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => answer(response, request.url ?? '', body));
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${path}`,
    taken,
    bodies,
    async become(next) {
      mood = next;
      if (next === 'down') await stop();
      else if (!server.listening) await listen(port);
    },
    close: stop,
  };
}
