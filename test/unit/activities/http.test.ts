import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { requestJson, type JsonRequest } from '../../../activities/clients/http.ts';
import { createRateLimit } from '../../../activities/clients/rate-limit.ts';
import { withScope, type Progress } from '../../../activities/scope.ts';
import { Secrets } from '../../../activities/secrets.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

const answer = z.object({ name: z.string() });

/** Asks a real server on this machine that behaves so. */
async function ask(
  listener: RequestListener,
  options: Partial<JsonRequest<typeof answer>> & { signal?: AbortSignal; proveLease?: () => Promise<void> } = {},
) {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { signal = new AbortController().signal, proveLease = () => Promise.resolve(), ...request } = options;
  const progress: Progress[] = [];
  const scope = { signal, secrets: new Secrets(), report: (next: Progress) => void progress.push(next), proveLease };
  const result = await withScope(scope, () =>
    requestJson({
      service: 'Heroku',
      method: 'GET',
      url: `http://127.0.0.1:${port}/apps/x?secret=1`,
      headers: {},
      answer,
      limit: createRateLimit({ reserve: 0, refillMs: 0, firstPauseMs: 10 }),
      ...request,
    }),
  );
  return { result, progress };
}

const respond =
  (status: number, body: string, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(status, headers).end(body);

test.each([
  ['POST', 0],
  ['GET', 1],
] as const)('%s: a write is sent only where it is still wanted, and a look always', async (method, sent) => {
  let taken = 0;
  const listener: RequestListener = (_, response) => {
    taken += 1;
    response.end('{"name":"x"}');
  };
  const proveLease = (): Promise<void> => Promise.reject(new Error('the run is over'));
  await ask(listener, { method, proveLease }).catch((error: unknown) =>
    expect(String(error)).toMatch('the run is over'),
  );
  expect(taken).toBe(sent);
});

describe('an answer', () => {
  test('is checked, and what is not asked for is left out', async () => {
    expect((await ask(respond(200, '{"name":"x","more":1}'))).result).toEqual({ name: 'x' });
  });

  test('to a write is told as underway, before anything else is done with it', async () => {
    let body = '';
    const listener: RequestListener = (request, response) => {
      request
        .on('data', (chunk) => (body += String(chunk)))
        .on('end', () => void response.writeHead(201).end('{"name":"x"}'));
    };
    expect((await ask(listener, { method: 'POST', body: { name: 'x' } })).progress).toEqual(['underway']);
    expect(body).toBe('{"name":"x"}');
  });

  test('to a read is not', async () => {
    expect((await ask(respond(200, '{"name":"x"}'))).progress).toEqual([]);
  });
});

describe("a refusal keeps status, the service's own name for it and its message", () => {
  test.each([401, 404, 422, 500, 503])('%i', async (status) => {
    await expect(ask(respond(status, '{"id":"an_id","message":"Why not."}'))).rejects.toMatchObject({
      name: 'ServiceError',
      status,
      id: 'an_id',
      message: `Heroku answered ${status} to GET /apps/x: Why not.`,
    });
  });

  test.each([
    ['7', 7_000],
    ['0.5', 500],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
  ])('429 with Retry-After %s', async (header, retryAfterMs) => {
    const signal = AbortSignal.timeout(300);
    await expect(ask(respond(429, '{}', { 'retry-after': header }), { signal })).rejects.toMatchObject({
      status: 429,
      retryAfterMs,
    });
  });

  test('429 without Retry-After', async () => {
    const signal = AbortSignal.timeout(300);
    await expect(ask(respond(429, '{}'), { signal })).rejects.toMatchObject({ status: 429, retryAfterMs: undefined });
  });

  test('500 with a page of HTML', async () => {
    await expect(ask(respond(500, '<html>Application error</html>'))).rejects.toMatchObject({
      status: 500,
      message: expect.stringContaining('Internal Server Error'),
    });
  });
});

describe('an answer in another shape', () => {
  test.each([
    ['another type', '{"name":7}', /name: /],
    ['a list', '[]', /answer: /],
  ])('%s names the field and never the answer', async (_, body, problem) => {
    const failure = ask(respond(200, body));
    await expect(failure).rejects.toMatchObject({
      name: 'UnexpectedAnswerError',
      message: expect.stringMatching(problem),
    });
  });

  test('does not repeat what may be a secret', async () => {
    const value = `secret-${'x'.repeat(20)}`;
    await expect(ask(respond(200, JSON.stringify({ name: [value] })))).rejects.not.toThrow(value);
  });
});

describe('no answer', () => {
  test('a reset connection', async () => {
    await expect(ask((request) => request.socket.resetAndDestroy())).rejects.toMatchObject({
      name: 'NoAnswerError',
      message: expect.stringContaining('Heroku did not answer GET /apps/x'),
    });
  });

  test('a body that ends too soon', async () => {
    const listener: RequestListener = (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"name":');
      setImmediate(() => response.socket?.destroy());
    };
    const asked = ask(listener, { method: 'POST', body: {} });
    await expect(asked).rejects.toMatchObject({ name: 'NoAnswerError' });
  });

  test.each([
    ['a page of HTML', '<html>'],
    ['nothing', ''],
    ['half an object that counts as whole', '{"na'],
  ])('%s in the place of JSON: something stands in between, and what was asked may have been done', async (_, body) => {
    await expect(ask(respond(200, body))).rejects.toMatchObject({
      name: 'NoAnswerError',
      message: 'Heroku did not answer GET /apps/x: what came with status 200 is not JSON',
    });
    if (body === '') return;
    const write = { method: 'PATCH' as const, body: {}, answer: z.unknown() as never };
    await expect(ask(respond(200, body), write)).rejects.toMatchObject({ name: 'NoAnswerError' });
  });

  test('nobody there', async () => {
    await expect(ask(respond(200, ''), { url: 'http://127.0.0.1:1/apps/x' })).rejects.toMatchObject({
      name: 'NoAnswerError',
      message: expect.stringContaining('did not answer'),
    });
  });

  test('none in time, however much is collected meanwhile', async () => {
    // Node 20 collects a timeout that only a combined signal refers to: then it never fires.
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const collecting = setInterval(collect, 20);
    const limit = new Promise((resolve) => setTimeout(resolve, 5_000, 'never').unref());
    const asked = ask(() => undefined, { timeoutMs: 300 }).catch((error: unknown) => error);
    expect(await Promise.race([asked, limit])).toMatchObject({
      name: 'NoAnswerError',
      message: 'Heroku did not answer GET /apps/x: no answer within 0.3 s',
    });
    clearInterval(collecting);
  });

  test('an activity that is stopped meanwhile: its reason is thrown, not a failure of the service', async () => {
    const controller = new AbortController();
    const asked = ask(() => controller.abort(new Error('stopped on request')), { signal: controller.signal });
    await expect(asked).rejects.toThrow('stopped on request');
  });
});
