import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import type { App } from './state.ts';

/** An app's address to the world: stable, whatever happens to its dynos. */
export interface AppRouter {
  readonly url: string;
  /** The app is made after its router, since it shows the router's address. */
  route(app: App): void;
  stop(): Promise<void>;
}

/**
 * Passes requests on to the web dynos that are up, in turn. Those of an older release are no longer among them, unless
 * preboot still lets them serve: then they are the only ones [docs].
 * 503 with a page in HTML when there is none, or when maintenance is on [docs].
 */
export async function startAppRouter(): Promise<AppRouter> {
  let app: App | undefined;
  let turn = 0;
  const server = createServer((request, response) => {
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    if (!app) return errorPage(response, 404, 'No such app');
    if (app.maintenance) return errorPage(response, 503, 'Offline for Maintenance');
    const serving = [...app.outgoing, ...app.dynos.values()].filter(
      (dyno) => dyno.type === 'web' && dyno.state === 'up' && dyno.routable && dyno.port !== undefined,
    );
    turn = (turn + 1) % 1_000_000;
    const dyno = serving[turn % serving.length];
    if (dyno?.port === undefined) return errorPage(response, 503, 'Application Error');
    dyno.inFlight += 1;
    response.once('close', () => (dyno.inFlight -= 1));
    proxy(request, response, dyno.port);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    route: (routed) => (app = routed),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function proxy(request: IncomingMessage, response: ServerResponse, port: number): void {
  const upstream = forward({
    host: '127.0.0.1',
    port,
    method: request.method,
    path: request.url,
    // A connection for each request: one that is kept open would outlive the dyno's restart.
    agent: false,
    headers: {
      ...request.headers,
      connection: 'close',
      via: '1.1 heroku-router',
      'x-request-id': randomUUID(),
      'x-forwarded-for': request.socket.remoteAddress ?? '127.0.0.1',
      'x-forwarded-proto': 'https',
    },
  });
  upstream.on('response', (answer) => {
    const headers = { ...answer.headers, via: '1.1 heroku-router' };
    delete headers.connection;
    response.writeHead(answer.statusCode ?? 502, headers);
    answer.on('error', () => response.destroy());
    answer.pipe(response);
  });
  upstream.on('error', () => {
    if (response.headersSent) response.destroy();
    else errorPage(response, 503, 'Application Error');
  });
  response.on('close', () => upstream.destroy());
  request.pipe(upstream);
}

function errorPage(response: ServerResponse, status: number, title: string): void {
  const page = `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`;
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(page),
    'cache-control': 'no-cache, no-store',
    connection: 'close',
  });
  response.end(page);
}
