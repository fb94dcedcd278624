import { ApplicationFailure } from '@temporalio/common';
import { BackendTerminatedError, BackendTerminatedUnexpectedlyError, ConnectionError } from 'slonik';
import { NoAnswerError, ServiceError, UnexpectedAnswerError } from './clients/errors.ts';
import { isPassing, sqlState } from './clients/postgres.ts';
import { fail } from './fail.ts';

/** How the driver says that there is no connection, or no longer, where the server itself said nothing. */
const connectionErrors = [ConnectionError, BackendTerminatedError, BackendTerminatedUnexpectedlyError];

/** What a person looks at where trying again does not help. */
const seeDatabase = 'Where that does not help, see `heroku pg:info` and the maintenance window of the add-on.';
const seeSessions = 'Where that does not help, see `heroku pg:ps` and `heroku pg:locks` for who stands in the way.';
const statusPage = (service: string): string => `Where that does not help, read the status page of ${service}.`;

/**
 * What went wrong, as a failure of the table. Branches on type, status and SQLSTATE, never on message text.
 * An error that nobody foresaw is tried again, and parks the step when it stays.
 */
export function classify(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  if (error instanceof ServiceError) return classifyAnswer(error);
  if (error instanceof NoAnswerError) {
    return fail(
      'PlatformUnavailable',
      `${error.message}. It is tried again; what was sent is settled by looking. ${statusPage(error.service)}`,
      error,
    );
  }
  if (error instanceof UnexpectedAnswerError) {
    return fail(
      'PlatformAnswerUnexpected',
      `${error.message}. The service may have changed; see that the base URL is right.`,
      error,
    );
  }
  const state = sqlState(error);
  if (state !== undefined) return classifySqlState(state, error as Error);
  if (connectionErrors.some((kind) => error instanceof kind) || isNetworkError(error)) {
    return fail(
      'DatabaseUnreachable',
      `No connection to PostgreSQL: ${(error as Error).message}. It is tried again. ${seeDatabase}`,
      error,
    );
  }
  const { message, name } = error instanceof Error ? error : { message: String(error), name: 'Error' };
  return ApplicationFailure.create({ type: name, message, ...(error instanceof Error ? { cause: error } : {}) });
}

function classifyAnswer(error: ServiceError): ApplicationFailure {
  const { status, message, service } = error;
  if (error.isRateLimit) {
    const failure = fail('PlatformRateLimited', `${message}. It is tried again more slowly.`, error);
    return ApplicationFailure.create({
      message: failure.message,
      type: 'PlatformRateLimited',
      cause: error,
      // Heroku refills about 75 requests a minute and was not seen to send Retry-After [docs].
      nextRetryDelay: error.retryAfterMs ?? 20_000,
    });
  }
  if (status === 401 || status === 403) {
    return fail(
      'PlatformTokenRejected',
      `${message}. Give the worker a token for ${service} that may do this, and try again.`,
      error,
    );
  }
  if (status >= 500 || status === 408)
    return fail('PlatformUnavailable', `${message}. It is tried again. ${statusPage(service)}`, error);
  return fail(
    'PlatformRefused',
    `${message}. The request will not succeed as it is: mend what it names, in the app or in the target file, then try again.`,
    error,
  );
}

function classifySqlState(state: string, error: Error): ApplicationFailure {
  const seen = `PostgreSQL answered ${state}: ${rootMessage(error)}`;
  // 08: connection lost. 57P: shut down or starting up.
  if (/^(08|57P)/.test(state)) return fail('DatabaseUnreachable', `${seen}. It is tried again. ${seeDatabase}`, error);
  if (isPassing(state)) return fail('DatabaseBusy', `${seen}. It is tried again. ${seeSessions}`, error);
  return fail(
    'DatabaseRefused',
    `${seen}. Mend what the server names (a privilege, an object that is missing, a password that was rotated), then try again.`,
    error,
  );
}

function rootMessage(error: Error): string {
  let current = error;
  for (let depth = 0; current.cause instanceof Error && depth < 8; depth++) current = current.cause;
  return current.message;
}

function isNetworkError(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' && /^(ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)/.test(code);
}
