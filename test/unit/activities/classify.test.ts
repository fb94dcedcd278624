import { describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { BackendTerminatedError, BackendTerminatedUnexpectedlyError, ConnectionError } from 'slonik';
import { classify } from '../../../activities/classify.ts';
import { NoAnswerError, ServiceError, UnexpectedAnswerError } from '../../../activities/clients/errors.ts';
import { failures, type FailureType } from '../../../workflows/failures.ts';
import { remedy } from './world-tests.ts';

/** Whether a type is tried again is the table's to say, wherever the failure came from. */
function expectType(error: unknown, type: FailureType): ApplicationFailure {
  const failure = classify(error);
  expect(failure.type).toBe(type);
  expect(failure.nonRetryable).toBe(failures[type].handling !== 'retried');
  expect(failure.message).toMatch(remedy);
  return failure;
}

const answers: Record<number, FailureType> = {
  400: 'PlatformRefused',
  401: 'PlatformTokenRejected',
  402: 'PlatformRefused',
  403: 'PlatformTokenRejected',
  404: 'PlatformRefused',
  408: 'PlatformUnavailable',
  409: 'PlatformRefused',
  410: 'PlatformRefused',
  422: 'PlatformRefused',
  429: 'PlatformRateLimited',
  500: 'PlatformUnavailable',
  502: 'PlatformUnavailable',
  503: 'PlatformUnavailable',
  504: 'PlatformUnavailable',
};

describe('a service answered', () => {
  test.each(Object.entries(answers))('%s: %s', (status, type) => {
    const failure = expectType(new ServiceError('Heroku', 'GET /apps/x', Number(status), 'an_id', 'a message'), type);
    expect(failure.message).toContain(`Heroku answered ${status} to GET /apps/x: a message`);
    expect(failure.cause).toBeInstanceOf(ServiceError);
  });

  test.each([
    [7_000, 7_000],
    [undefined, 20_000],
  ])('429 with Retry-After %p is tried again after %p ms', (given, wait) => {
    expect(classify(new ServiceError('Heroku', 'GET /', 429, 'rate_limit', 'slow down', given)).nextRetryDelay).toBe(
      wait,
    );
  });

  test('nothing', () => {
    expect(
      expectType(new NoAnswerError('GitHub', 'the run', new Error('reset')), 'PlatformUnavailable').message,
    ).toMatch(/settled by looking/);
  });

  test('something unknown', () => {
    expectType(new UnexpectedAnswerError('Heroku', 'GET /', 'name: Required'), 'PlatformAnswerUnexpected');
  });
});

const states: Record<string, FailureType> = {
  '08000': 'DatabaseUnreachable',
  '08006': 'DatabaseUnreachable',
  '57P01': 'DatabaseUnreachable',
  '57P02': 'DatabaseUnreachable',
  '57P03': 'DatabaseUnreachable',
  '53300': 'DatabaseBusy',
  '53200': 'DatabaseBusy',
  '55P03': 'DatabaseBusy',
  '40001': 'DatabaseBusy',
  '40P01': 'DatabaseBusy',
  '57014': 'DatabaseBusy',
  '28P01': 'DatabaseRefused',
  '28000': 'DatabaseRefused',
  '3D000': 'DatabaseRefused',
  '42501': 'DatabaseRefused',
  '42P01': 'DatabaseRefused',
  '42704': 'DatabaseRefused',
  '23505': 'DatabaseRefused',
  XX000: 'DatabaseRefused',
};

describe('PostgreSQL answered', () => {
  test.each(Object.entries(states))('%s: %s', (code, type) => {
    const raw = Object.assign(new Error('what the server says'), { code });
    expectType(raw, type);
    // The driver wraps most of them, some more than once.
    const wrapped = expectType(new Error('outer', { cause: new Error('inner', { cause: raw }) }), type);
    expect(wrapped.message).toContain(`PostgreSQL answered ${code}: what the server says`);
    expectType(new ConnectionError('no', { cause: raw }), type);
  });
});

describe('no connection to PostgreSQL', () => {
  test.each(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'])(
    '%s',
    (code) => {
      const raw = Object.assign(new Error(`connect ${code}`), { code });
      expectType(raw, 'DatabaseUnreachable');
      expectType(new ConnectionError(raw.message, { cause: raw }), 'DatabaseUnreachable');
    },
  );

  test('told by the driver alone', () => {
    expectType(new ConnectionError('The server does not support SSL connections'), 'DatabaseUnreachable');
    expectType(new BackendTerminatedError(new Error('Connection terminated')), 'DatabaseUnreachable');
    expectType(
      new BackendTerminatedUnexpectedlyError(new Error('Connection terminated unexpectedly')),
      'DatabaseUnreachable',
    );
  });
});

describe('anything else', () => {
  test('a failure of the table is left as it is', () => {
    const failure = ApplicationFailure.nonRetryable('red', 'SmokeFailed');
    expect(classify(failure)).toBe(failure);
  });

  test.each<[unknown, string]>([
    [new TypeError('x is not a function'), 'TypeError'],
    [new Error('odd'), 'Error'],
    ['a bare string', 'Error'],
    [undefined, 'Error'],
    [null, 'Error'],
    [{ code: 42 }, 'Error'],
  ])('%p is tried again under its own name', (error, type) => {
    expect(classify(error)).toMatchObject({ type, nonRetryable: false });
  });

  test('a cycle of causes ends', () => {
    const one = new Error('one');
    one.cause = one;
    expect(classify(one).type).toBe('Error');
  });
});
