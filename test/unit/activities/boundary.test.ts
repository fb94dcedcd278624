import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { heartbeat as activityHeartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { redactFailure } from '../../../activities/boundary.ts';
import { ServiceError } from '../../../activities/clients/errors.ts';
import { createRateLimit } from '../../../activities/clients/rate-limit.ts';
import { fail } from '../../../activities/fail.ts';
import { currentScope, pause } from '../../../activities/scope.ts';
import { Secrets } from '../../../activities/secrets.ts';
import { beginActivity, quickly, useOwnTime, useQuickTime } from './in-activity.ts';

afterEach(useOwnTime);

/** Has what the forms of a secret differ in: characters that URLs, JSON and base64 write in other ways. */
const password = `p"ss/w\\rd+${randomBytes(9).toString('hex')}=&%`;
const forms: Record<string, string> = {
  plain: password,
  'URL-encoded': encodeURIComponent(password),
  base64: Buffer.from(password).toString('base64'),
  JSON: JSON.stringify(password),
};

describe('the evidence of a step', () => {
  const answering = (evidence: unknown): Promise<unknown> =>
    beginActivity(() => Promise.resolve({ did: 'acted', evidence }), { args: [{ step: 'flag' }] }).result;

  test('enters the history as the step defines it, and nothing beside it does', async () => {
    expect(await answering({ flag: 'FLAG_ROLE', release: 7, url: 'postgres://elsewhere' })).toEqual({
      did: 'acted',
      evidence: { flag: 'FLAG_ROLE', release: 7 },
    });
  });

  test('that is not as the step defines it: a mistake in the runbook, told with its place', async () => {
    await expect(answering({ flag: 'FLAG_ROLE', release: '7' })).rejects.toMatchObject({
      type: 'InvalidTransition',
      nonRetryable: true,
      message: expect.stringMatching(/^The evidence of flag is not as its definition says \(release: Expected number/),
    });
  });
});

describe.each(Object.entries(forms))('a secret in its %s form', (_, form) => {
  const knowing = <T>(work: () => T): Promise<T> =>
    beginActivity(async () => {
      currentScope().secrets.add(password);
      return Promise.resolve(work());
    }).result;

  test('in a result: the result is withheld, and the field is named', async () => {
    const result = { evidence: { dynos: [{ name: 'web.1' }, { name: `web ${form}` }] } };
    await expect(knowing(() => result)).rejects.toMatchObject({
      type: 'SecretLeak',
      nonRetryable: true,
      message: expect.stringContaining('result.evidence.dynos.1.name'),
    });
    await expect(knowing(() => result)).rejects.not.toThrow(form);
  });

  test('as a key of a result: withheld too', async () => {
    await expect(knowing(() => ({ evidence: { [form]: 1 } }))).rejects.toMatchObject({
      type: 'SecretLeak',
      message: expect.stringContaining('result.evidence (a key)'),
    });
  });

  test('in a failure: message, details, stack and every cause are without it', async () => {
    const root = new Error(`root ${form}`);
    root.name = `Name ${form}`;
    const middle = new Error(`middle ${form}`, { cause: root });
    const thrown = ApplicationFailure.create({
      message: `it was ${form}`,
      type: 'PlatformRefused',
      nonRetryable: true,
      details: [`a ${form}`, { deep: [{ deeper: form, [form]: 1 }] }],
      cause: middle,
    });
    const failure: unknown = await knowing(() => {
      throw thrown;
    }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ type: 'PlatformRefused', nonRetryable: true });
    expect((failure as Error).message).toMatch(/^it was "?\[redacted\]"?=*$/);
    const everything = everythingOf(failure);
    expect(everything).toMatch(/root "?\[redacted\]/);
    for (const other of Object.values(forms)) expect(everything).not.toContain(other);
  });
});

test('an activity that heartbeats by itself says no secret', async () => {
  const running = beginActivity(async () => {
    currentScope().secrets.add(password);
    for (const form of Object.values(forms)) activityHeartbeat({ deep: [form], [form]: 1 });
    return Promise.resolve();
  });
  await running.result;
  expect(running.heartbeats).toHaveLength(1 + Object.keys(forms).length);
  const said = JSON.stringify(running.heartbeats);
  for (const form of Object.values(forms)) expect(said).not.toContain(JSON.stringify(form).slice(1, -1));
  expect(said).toContain('redacted');
});

test('the value of a config var in a result: the variable is named, and how to declare it plain', async () => {
  const reporting = beginActivity(() => {
    currentScope().secrets.addConfigVars({ GIT_SHA: password });
    return Promise.resolve({ evidence: { commit: password } });
  }).result;
  await expect(reporting).rejects.toMatchObject({
    type: 'SecretLeak',
    message: expect.stringMatching(/config var GIT_SHA in result\.evidence\.commit.*name GIT_SHA in plainConfigVars/),
  });
});

const briefly = <T>(work: () => T): Promise<T> => beginActivity(() => Promise.resolve(work())).result;

/** All that a failure carries, its chain of causes and what is not enumerable included. */
function everythingOf(error: unknown): string {
  const parts: string[] = [];
  for (let current = error; current instanceof Error; current = current.cause) {
    const { details } = current as { details?: unknown };
    parts.push(
      current.name,
      current.message,
      current.stack ?? '',
      JSON.stringify(details ?? null),
      JSON.stringify(current),
    );
  }
  return parts.join('\n');
}

test('a failure that holds no secret keeps all that it says', () => {
  const cause = new Error('why');
  const failure = ApplicationFailure.create({
    message: 'seen',
    type: 'DatabaseBusy',
    details: [{ n: 1 }],
    cause,
    nextRetryDelay: 7,
  });
  const redacted = redactFailure(failure, new Secrets());
  expect(redacted).toMatchObject({
    message: 'seen',
    type: 'DatabaseBusy',
    nonRetryable: false,
    details: [{ n: 1 }],
    nextRetryDelay: 7,
  });
  expect(redacted.cause).toMatchObject({ message: 'why' });
});

test('what one activity has learnt, another does not know', async () => {
  await briefly(() => currentScope().secrets.add(password));
  expect(await briefly(() => password)).toBe(password);
});

describe('time', () => {
  test('out of time: the outcome is unknown, and says how far it came', async () => {
    // The boundary ends an attempt 5 s before the server does, and gives it at least a second.
    const running = beginActivity(
      async () => {
        currentScope().report('acting');
        await pause(60_000);
      },
      { startToCloseTimeoutMs: 5_000 },
    );
    await expect(running.result).rejects.toMatchObject({
      type: 'OutcomeUnknown',
      nonRetryable: false,
      message: expect.stringMatching(/ran out of time while acting/),
    });
  });

  test('out of time while a service asks to slow down: told as that, and tried again', async () => {
    const limit = createRateLimit({ reserve: 0, refillMs: 0, firstPauseMs: 60_000 });
    const refusal = new ServiceError('Heroku', 'GET /apps/x', 429, 'rate_limit', 'slow down');
    const running = beginActivity(() => limit.send(() => Promise.reject(refusal)), { startToCloseTimeoutMs: 5_000 });
    await expect(running.result).rejects.toMatchObject({ type: 'PlatformRateLimited', nonRetryable: false });
  });

  test('cancelled: it is a cancellation, whatever it was thrown as', async () => {
    const running = beginActivity(() => pause(60_000).catch(() => Promise.reject(new Error('something broke'))));
    running.cancel();
    await expect(running.result).rejects.toMatchObject({ name: 'CancelledFailure' });
  });

  test('it heartbeats every 2 s while it waits, with how far it came, and no more afterwards', async () => {
    useQuickTime();
    const running = beginActivity(async () => {
      currentScope().report('acting');
      await pause(11_000);
    });
    await quickly(running.result);
    expect(running.heartbeats.slice(0, 2)).toEqual(['begun', 'acting']);
    expect(running.heartbeats.slice(2)).toEqual(Array.from({ length: 5 }, () => 'acting'));
    await jest.advanceTimersByTimeAsync(10_000);
    expect(running.heartbeats).toHaveLength(7);
  });
});

test('what nobody foresaw is classified, and tried again', async () => {
  const odd = beginActivity(() => Promise.reject(new RangeError('odd'))).result;
  await expect(odd).rejects.toMatchObject({ type: 'RangeError', nonRetryable: false, message: 'odd' });
  await expect(beginActivity(() => Promise.reject(fail('SmokeFailed', 'red'))).result).rejects.toMatchObject({
    type: 'SmokeFailed',
    nonRetryable: true,
  });
});

test('a pause in an activity that has been cancelled is none', async () => {
  const running = beginActivity(async () => {
    await Promise.resolve();
    running.cancel();
    await pause(60_000);
  });
  await expect(running.result).rejects.toMatchObject({ name: 'CancelledFailure' });
});

test.each([
  [['DatabaseUnreachable'] as const, 2, false],
  [['DatabaseUnreachable'] as const, 3, true],
  [['DatabaseBusy'] as const, 3, false],
  [[] as const, 3, false],
])('a step whose end at %j is tolerated, in attempt %i: final %p', async (tolerates, attempt, final) => {
  const { result } = beginActivity(() => Promise.reject(fail('DatabaseUnreachable', 'it is down')), {
    attempt,
    args: [{ step: 'read-seal', tolerates }],
  });
  await expect(result).rejects.toMatchObject({
    type: 'DatabaseUnreachable',
    message: 'it is down',
    nonRetryable: final,
  });
});
