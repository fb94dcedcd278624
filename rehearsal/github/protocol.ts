import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a handler gets: the parts of the path that its pattern named, the query, and the parsed body. */
export interface Call {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  /** The `Accept` header, empty when there is none. */
  readonly accept: string;
  /** The stand-in's own address, for links in answers. */
  readonly base: string;
  /** Path and query as asked, for the `Link` header. */
  readonly target: URL;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON, bytes as they are. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Handler = (call: Call) => Answer | Promise<Answer>;

export interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly handle: Handler;
}

/** A request as an interceptor sees it. */
export interface InterceptedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * Sees each authenticated request before its handler does. An answer of its own replaces the handler's; `hang-up` lets
 * the handler act and then closes the connection without an answer, so that the client cannot know what happened.
 */
export type Intercept = (request: InterceptedRequest) => Promise<void | 'hang-up' | { status: number; body: unknown }>;

interface AnswerOptions {
  readonly base: string;
  readonly token: string;
  readonly routes: readonly Route[];
  readonly intercept: Intercept | undefined;
  /** Told the status before the client is. */
  readonly record: (status: number) => void;
}

/** An answer that is an error, thrown from anywhere under a handler. */
export class GithubError extends Error {
  readonly answer: Answer;

  constructor(status: number, message: string, page: string, extra: Readonly<Record<string, unknown>> = {}) {
    super(message);
    // GitHub repeats the status in the body, as text. [docs] docs.github.com, REST, troubleshooting
    const documentation = `https://docs.github.com/rest${page === '' ? '' : `/${page}`}`;
    this.answer = { status, body: { message, ...extra, documentation_url: documentation, status: String(status) } };
  }
}

/**
 * A route from a path such as `/repos/{owner}/{repo}/pulls/{number}`; each `{name}` stands for one segment, and
 * `{name...}` for the rest of the path.
 */
export function route(method: string, path: string, handle: Handler): Route {
  const source = path.replace(/\{(\w+)(\.\.\.)?\}/g, (_, name: string, rest?: string) =>
    rest ? `(?<${name}>.+)` : `(?<${name}>[^/]+)`,
  );
  return { method, pattern: new RegExp(`^${source}$`), handle };
}

/**
 * Cuts one page out of a list, with the `Link` header that Octokit's paginator follows.
 *
 * `per_page` is 30 unless asked otherwise and 100 at most; `prev` and `first` are left out on the first page, `next`
 * and `last` on the last one, and all of it when there is only one page. [docs] REST, using pagination
 */
export function page<T>(call: Call, items: readonly T[]): { items: readonly T[]; headers: Record<string, string> } {
  const perPage = Math.min(positive(call.query.get('per_page')) ?? 30, 100);
  const number = positive(call.query.get('page')) ?? 1;
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const link = (to: number, relation: string): string => {
    const url = new URL(call.target);
    url.searchParams.set('page', String(to));
    return `<${url.href}>; rel="${relation}"`;
  };
  const links = [
    ...(number > 1 ? [link(number - 1, 'prev')] : []),
    ...(number < last ? [link(number + 1, 'next'), link(last, 'last')] : []),
    ...(number > 1 ? [link(1, 'first')] : []),
  ];
  return {
    items: items.slice((number - 1) * perPage, number * perPage),
    headers: links.length > 0 ? { link: links.join(', ') } : {},
  };
}

function positive(text: string | null): number | undefined {
  const number = Number(text ?? Number.NaN);
  return Number.isInteger(number) && number > 0 ? number : undefined;
}

/** A moment as GitHub writes it: whole seconds. A client that filters by milliseconds misses its own run. [docs] */
export function timestamp(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Answers one request: agent, token, body, route, in GitHub's order of complaints. */
export async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  options: AnswerOptions,
): Promise<void> {
  let answer: Answer | 'hang-up';
  try {
    answer = await respond(request, options);
  } catch (error) {
    answer =
      error instanceof GithubError
        ? error.answer
        : new GithubError(500, `Server Error: ${error instanceof Error ? error.message : 'unknown'}`, '').answer;
  }
  options.record(answer === 'hang-up' ? 0 : answer.status);
  if (answer === 'hang-up') {
    response.destroy();
    return;
  }
  const bytes = Buffer.isBuffer(answer.body);
  const text = answer.body === undefined || bytes ? undefined : JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    ...(text === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    'x-github-media-type': 'github.v3; format=json',
    'x-github-request-id': randomBytes(8).toString('hex').toUpperCase(),
    ...answer.headers,
  });
  response.end(bytes ? answer.body : text);
}

async function respond(request: IncomingMessage, options: AnswerOptions): Promise<Answer | 'hang-up'> {
  const text = await readAll(request);
  if (!request.headers['user-agent']) {
    const rule = 'Request forbidden by administrative rules. Please make sure your request has a User-Agent header';
    throw new GithubError(403, rule, '');
  }
  // Octokit says `token …`, curl users say `Bearer …`; both are taken. [docs] REST, authenticating
  const given = /^(?:token|bearer) (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (given === undefined) throw new GithubError(401, 'Requires authentication', '');
  if (given !== options.token) throw new GithubError(401, 'Bad credentials', '');
  const target = new URL(request.url ?? '/', options.base);
  const [method, path, query, body] = [request.method ?? '', target.pathname, target.searchParams, parseBody(text)];
  const instead = await options.intercept?.({ method, path, query, body });
  if (typeof instead === 'object') return instead;
  const accept = request.headers.accept ?? '';
  const answer = await handle(options, method, { query, body, accept, base: options.base, target });
  return instead === 'hang-up' ? instead : answer;
}

async function handle({ routes }: AnswerOptions, method: string, call: Omit<Call, 'params'>): Promise<Answer> {
  for (const candidate of routes) {
    const match = candidate.method === method ? candidate.pattern.exec(call.target.pathname) : null;
    if (!match) continue;
    const named = Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)] as const);
    return candidate.handle({ ...call, params: Object.fromEntries(named) });
  }
  throw new GithubError(404, 'Not Found', '');
}

function parseBody(text: string): Record<string, unknown> {
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    throw new GithubError(400, 'Problems parsing JSON', '');
  }
  throw new GithubError(400, 'Body should be a JSON object', '');
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
