import { types } from 'node:util';

/** A service answered, and the answer is a refusal. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly service: string;
  readonly status: number;
  /** The service's own name for the error (`not_found`, `rate_limit` …), where it gives one. */
  readonly id: string;
  /** Milliseconds that the service asked to wait, where it did. */
  readonly retryAfterMs: number | undefined;

  constructor(service: string, request: string, status: number, id: string, message: string, retryAfterMs?: number) {
    super(`${service} answered ${status} to ${request}: ${message}`);
    this.service = service;
    this.status = status;
    this.id = id;
    this.retryAfterMs = retryAfterMs;
  }

  /** The service asks to slow down: it has done nothing of what it was asked. */
  get isRateLimit(): boolean {
    return this.status === 429 || this.id === 'rate_limit';
  }
}

/** A service did not answer. Whether it took the request is unknown. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  readonly service: string;

  constructor(service: string, request: string, cause: unknown) {
    super(`${service} did not answer ${request}: ${reasonOf(cause)}`, { cause });
    this.service = service;
  }
}

/** A service answered in a shape that this client does not know. */
export class UnexpectedAnswerError extends Error {
  override readonly name = 'UnexpectedAnswerError';
  readonly service: string;

  /** @param problem field names and what was wrong with them; never the answer itself, which may hold secrets */
  constructor(service: string, request: string, problem: string) {
    super(`${service} answered ${request} in an unexpected shape: ${problem}`);
    this.service = service;
  }
}

/** Node's fetch says "fetch failed" and hides the reason in a chain of causes. */
function reasonOf(error: unknown): string {
  const parts: string[] = [];
  for (let current = error; types.isNativeError(current) && parts.length < 4; current = current.cause) {
    const { code } = current as { code?: unknown };
    parts.push(typeof code === 'string' ? `${current.message} (${code})` : current.message);
  }
  return parts.join(': ') || 'no reason was given';
}
