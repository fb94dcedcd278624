import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { createHerokuClient } from '../../../activities/clients/heroku.ts';
import { withScope } from '../../../activities/scope.ts';
import { scopeWith } from './in-activity.ts';

const refillMs = 20;

/** An account's allowance, as the platform keeps it: it refills steadily, and whoever finds it empty is answered 429. */
async function serveAccount(left: number, headers: (remaining: number) => Record<string, string>) {
  let last = Date.now();
  const answers: number[] = [];
  const server = createServer((_, response) => {
    left += (Date.now() - last) / refillMs;
    last = Date.now();
    const status = left < 1 ? 429 : 200;
    if (status === 200) left -= 1;
    answers.push(status);
    const body = status === 200 ? '[]' : '{"id":"rate_limit","message":"Slow down."}';
    response.writeHead(status, { 'content-type': 'application/json', ...headers(Math.floor(left)) }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, answers, stop: () => void server.close().closeAllConnections() };
}

/** Several runs of one worker, each in an activity of its own, with the one client. */
async function runsOf(url: string, runs: number, requests: number, signal = new AbortController().signal) {
  const allowance = { reserve: 10, refillMs, firstPauseMs: 50 };
  const client = createHerokuClient({ apiUrl: url, dataUrl: url, token: 'a-token', allowance });
  return Promise.allSettled(
    Array.from({ length: runs }, () =>
      withScope(scopeWith({ signal }), async () => {
        for (let asked = 0; asked < requests; asked += 1) await client.listReleases('an-app');
      }),
    ),
  );
}

test('an allowance that runs out slows every run down and fails none', async () => {
  const account = await serveAccount(12, (remaining) => ({ 'ratelimit-remaining': String(remaining) }));
  const began = Date.now();
  const ended = await runsOf(account.url, 5, 10);
  expect(ended.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'fulfilled'));
  expect(account.answers.filter((status) => status === 200)).toHaveLength(50);
  // What is left is told with each answer, so that the runs go at the account's pace before they are refused.
  expect(account.answers.filter((status) => status === 429).length).toBeLessThanOrEqual(5);
  expect(Date.now() - began).toBeGreaterThanOrEqual((50 - 12 - 1) * refillMs);
  account.stop();
});

test('a refusal makes all runs wait, and they do not come back all at once', async () => {
  // Nothing is told but the refusal itself.
  const account = await serveAccount(0, () => ({}));
  const ended = await runsOf(account.url, 6, 1);
  expect(ended.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 'fulfilled'));
  // All were under way when the first was refused; none of them was refused twice.
  expect(account.answers.filter((status) => status === 429).length).toBeLessThanOrEqual(7);
  account.stop();
});

test('Retry-After is kept', async () => {
  const account = await serveAccount(-8, () => ({ 'retry-after': '0.4' }));
  const began = Date.now();
  await runsOf(account.url, 3, 1);
  expect(Date.now() - began).toBeGreaterThanOrEqual(400);
  account.stop();
});

test('one that outlasts the activity is told as what it is', async () => {
  const account = await serveAccount(-1e9, () => ({}));
  const [ended] = await runsOf(account.url, 1, 1, AbortSignal.timeout(300));
  expect(ended).toMatchObject({ status: 'rejected', reason: { name: 'ServiceError', status: 429 } });
  account.stop();
});
