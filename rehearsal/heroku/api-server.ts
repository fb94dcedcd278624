import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError, badRequest, notFound } from './api-error.ts';
import { refuseExpired } from './authorizations.ts';
import type { Platform } from './state.ts';

export interface ApiRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** The parsed JSON body, `{}` when there is none. */
  readonly body: Record<string, unknown>;
  /** The route's named segments, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

export interface ApiResponse {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** `/apps/:app/dynos`. */
  readonly path: string;
  /**
   * `bearer`: the Platform API. `data`: the Data API, whose credential calls come with Basic `:TOKEN` while others of
   * its calls come with Bearer [seen]. `none`: the address itself is the secret.
   */
  readonly auth?: 'bearer' | 'data' | 'none';
  readonly handle: (request: ApiRequest) => ApiResponse | Promise<ApiResponse>;
}

export interface RecordedRequest {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Of the account's allowance, as the answer told it. */
  readonly remaining: number;
  readonly app?: string;
}

/** Sees each request before its handler does; an answer of its own replaces the handler's. */
export type Intercept = (request: ApiRequest) => Promise<void | { status: number; body: unknown }>;

export interface ApiServer {
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  /** Routes are given after the start, since some answers hold the server's own address. */
  serve(platform: Platform, routes: readonly Route[], intercept: Intercept | undefined): void;
  stop(): Promise<void>;
}

const BODY_LIMIT = 1_000_000;

/** One port for Platform API and Data API: the CLI takes scheme and port of both from `HEROKU_HOST` [seen]. */
export async function startApiServer(): Promise<ApiServer> {
  const requests: RecordedRequest[] = [];
  let answer = async (_request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.writeHead(503).end();
  };
  const server: Server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    requests,
    serve: (platform, routes, intercept) => {
      const takeToken = rateLimiter(platform);
      const table = routes.map((route) => ({ route, pattern: compile(route.path) }));
      answer = async (request, response) => {
        const at = Date.now();
        const left = takeToken();
        const remaining = Math.max(0, Math.floor(left));
        const { pathname, searchParams } = new URL(request.url ?? '/', url);
        const method = request.method ?? 'GET';
        const result = await respond(platform, table, intercept, request, method, pathname, searchParams, left);
        // The address of a log session is a secret in itself.
        const path = pathname.replace(/^\/streams\/.*/, '/streams/SECRET');
        const app = /^\/apps\/([^/]+)/.exec(pathname)?.[1];
        // Never a body: bodies carry config vars.
        requests.push({ at, method, path, status: result.status, remaining, ...(app === undefined ? {} : { app }) });
        send(response, result, remaining);
      };
    },
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function respond(
  platform: Platform,
  table: readonly { route: Route; pattern: RegExp }[],
  intercept: Intercept | undefined,
  request: IncomingMessage,
  method: string,
  path: string,
  query: URLSearchParams,
  left: number,
): Promise<ApiResponse> {
  try {
    const text = await readBody(request);
    const matched = table.find(({ route, pattern }) => route.method === method && pattern.test(path));
    authenticate(platform, matched?.route.auth ?? 'bearer', request.headers.authorization);
    // [docs] 429 once the account's allowance is used up; no Retry-After header was found documented.
    if (left < 0) throw new ApiError(429, 'rate_limit', 'Your account reached the API rate limit.');
    const params = decodeGroups(matched?.pattern.exec(path)?.groups ?? {});
    const parsed: ApiRequest = { method, path, query, headers: request.headers, body: parseBody(text), params };
    const instead = await intercept?.(parsed);
    if (instead) return instead;
    if (!matched) throw notFound('route', 'The requested API endpoint was not found.');
    return await matched.route.handle(parsed);
  } catch (error) {
    if (error instanceof ApiError) {
      return { status: error.status, body: { id: error.id, message: error.message, ...error.extra } };
    }
    // What PostgreSQL complains of may quote a statement, and a statement may hold a password: only its code is told.
    const code = (error as { code?: string }).code ?? (error as Error).name;
    platform.log(`heroku: ${method} ${path} failed: ${code}`);
    return { status: 500, body: { id: 'internal_server_error', message: 'Internal server error.' } };
  }
}

function authenticate(platform: Platform, auth: 'bearer' | 'data' | 'none', header: string | undefined): void {
  if (auth === 'none') return;
  const basic = `Basic ${Buffer.from(`:${platform.token}`).toString('base64')}`;
  if (header === `Bearer ${platform.token}` || (auth === 'data' && header === basic)) {
    refuseExpired(platform);
    return;
  }
  throw new ApiError(401, 'unauthorized', 'Invalid credentials provided.');
}

function send(response: ServerResponse, result: ApiResponse, remaining: number): void {
  const asText = result.headers?.['content-type'] !== undefined;
  const payload = asText ? String(result.body) : JSON.stringify(result.body);
  response.writeHead(result.status, {
    // The CLI reports an answer of any other type as a failure to parse [seen].
    'content-type': 'application/json;charset=utf-8',
    'request-id': randomUUID(),
    'ratelimit-remaining': String(remaining),
    'cache-control': 'private, no-cache',
    ...result.headers,
    'content-length': Buffer.byteLength(payload),
  });
  response.end(payload);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > BODY_LIMIT) throw new ApiError(413, 'payload_too_large', 'The request is too large.');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseBody(text: string): Record<string, unknown> {
  if (text.trim() === '') return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (parsed !== null && typeof parsed === 'object' && !Array.isArray(parsed)) {
      return parsed as Record<string, unknown>;
    }
  } catch {
    // Answered below, like any other body that is not a JSON object.
  }
  throw badRequest('Invalid JSON body.');
}

function compile(path: string): RegExp {
  return new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}/?$`);
}

function decodeGroups(groups: Record<string, string>): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    throw badRequest('The path is not well formed.');
  }
}

/** A bucket that refills steadily; the answer is what is left after this request, below zero when refused. */
function rateLimiter(platform: Platform): () => number {
  let left = platform.settings.rateLimit;
  let last = Date.now();
  return () => {
    const { rateLimit, rateRefillPerMinute } = platform.settings;
    const now = Date.now();
    left = Math.min(rateLimit, left + ((now - last) / 60_000) * rateRefillPerMinute);
    last = now;
    if (left < 1) return -1;
    left -= 1;
    return left;
  };
}

/** A text field of the body that must be there. */
export function requiredText(body: Record<string, unknown>, field: string): string {
  const value = body[field];
  if (typeof value !== 'string' || value === '') throw badRequest(`Invalid or missing parameter: ${field}.`);
  return value;
}

/** A reference in the body: `"name"`, or `{ "name" }`, or `{ "id" }`: the CLI sends the second [source]. */
export function reference(body: Record<string, unknown>, field: string): string {
  const value = body[field];
  if (value !== null && typeof value === 'object') {
    const { id, name } = value as { id?: unknown; name?: unknown };
    if (typeof name === 'string') return name;
    if (typeof id === 'string') return id;
  }
  return requiredText(body, field);
}
