import type { z } from 'zod';
import { currentScope, within } from '../scope.ts';
import { NoAnswerError, ServiceError, UnexpectedAnswerError } from './errors.ts';
import type { RateLimit } from './rate-limit.ts';

/** Milliseconds after which one request counts as not answered, unless a client is told otherwise. */
export const requestTimeoutMs = 30_000;

export interface JsonRequest<S extends z.ZodTypeAny> {
  readonly service: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly answer: S;
  /** Milliseconds. */
  readonly timeoutMs?: number | undefined;
  /** What keeps the client within what the service allows. */
  readonly limit: RateLimit;
}

/**
 * One JSON request, checked against the shape that its caller expects.
 *
 * @throws ApplicationFailure `Superseded` before a write that is not the activity's to make any more
 * @throws ServiceError on 4xx and 5xx; NoAnswerError when nothing or half an answer came; UnexpectedAnswerError
 */
export function requestJson<S extends z.ZodTypeAny>(request: JsonRequest<S>): Promise<z.output<S>> {
  return request.limit.send(() => sendOnce(request));
}

async function sendOnce<S extends z.ZodTypeAny>(request: JsonRequest<S>): Promise<z.output<S>> {
  const { service, method, url, headers, body, answer, timeoutMs = requestTimeoutMs, limit } = request;
  const { signal, report, proveLease } = currentScope();
  const name = `${method} ${new URL(url).pathname}`;
  // An act may be several writes, and a wait for the rate limit may lie before each.
  if (method !== 'GET') await proveLease();
  let text: string;
  let response: Response;
  try {
    [response, text] = await within(timeoutMs, async (inTime) => {
      const answered = await fetch(url, {
        method,
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: inTime,
      });
      return [answered, await answered.text()];
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new NoAnswerError(service, name, error);
  }
  const { status } = response;
  if (method !== 'GET' && response.ok) report('underway');
  if (response.status !== 429) limit.learn(numberIn(response, 'ratelimit-remaining'));

  const json = parseJson(text);
  if (!response.ok) {
    const { id, message } = (json ?? {}) as { id?: unknown; message?: unknown };
    throw new ServiceError(
      service,
      name,
      status,
      String(id ?? ''),
      String(message ?? response.statusText),
      retryAfter(response),
    );
  }
  // A page of something that stands in between is no answer of the service's, whatever its status: what was asked may
  // have been done, and is settled by looking.
  if (json === undefined && (text.trim() !== '' || !answer.safeParse(undefined).success)) {
    throw new NoAnswerError(service, name, new Error(`what came with status ${status} is not JSON`));
  }
  const parsed = answer.safeParse(json);
  if (parsed.success) return parsed.data as z.output<S>;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'answer'}: ${issue.message}`);
  throw new UnexpectedAnswerError(service, name, problems.slice(0, 5).join('; '));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function retryAfter(response: Response): number | undefined {
  const seconds = numberIn(response, 'retry-after');
  return seconds === undefined ? undefined : seconds * 1000;
}

function numberIn({ headers }: Response, name: string): number | undefined {
  const number = Number(headers.get(name) ?? NaN);
  return Number.isFinite(number) ? number : undefined;
}
