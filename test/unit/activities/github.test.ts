import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { classify } from '../../../activities/classify.ts';
import { createGithubClient, type GithubClient } from '../../../activities/clients/github.ts';
import { withScope } from '../../../activities/scope.ts';
import { scopeWith } from './in-activity.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** The client, and a server on this machine that answers it so. */
async function clientOf(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<GithubClient> {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk))).on('end', () => answer(request, response, body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return createGithubClient({ apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'a-token' });
}
const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void =>
  void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

test('the files of a pull request are read from every page', async () => {
  const client = await clientOf((request, response) => {
    const url = new URL(request.url ?? '', `http://${request.headers.host}`);
    const page = Number(url.searchParams.get('page') ?? 1);
    url.searchParams.set('page', String(page + 1));
    json(
      response,
      200,
      [{ filename: `file-${page}`, status: 'added' }],
      page < 3 ? { link: `<${url.href}>; rel="next"` } : {},
    );
  });
  expect((await client.listPullFiles('owner/name', 12)).map((file) => file.filename)).toEqual([
    'file-1',
    'file-2',
    'file-3',
  ]);
});

describe('dispatch', () => {
  const inputs = { marker: 'm-1' };

  test("on a server that tells the run's id", async () => {
    const client = await clientOf((_, response) =>
      json(response, 200, { workflow_run_id: 77, run_url: 'x', html_url: 'y' }),
    );
    expect(await client.dispatch('owner/name', 'smoke.yml', 'main', inputs)).toBe(77);
  });

  test('on one that does not', async () => {
    const client = await clientOf((_, response) => void response.writeHead(204).end());
    expect(await client.dispatch('owner/name', 'smoke.yml', 'main', inputs)).toBeUndefined();
  });

  test.each([400, 422])(
    'on one that refuses the question with %i: asked again without it, and dispatched once',
    async (status) => {
      const dispatched: unknown[] = [];
      const client = await clientOf((_, response, body) => {
        const asked = JSON.parse(body) as Record<string, unknown>;
        if ('return_run_details' in asked) return json(response, status, { message: 'unknown field' });
        dispatched.push(asked);
        response.writeHead(204).end();
      });
      await client.dispatch('owner/name', 'smoke.yml', 'main', inputs);
      expect(dispatched).toEqual([{ ref: 'main', inputs }]);
    },
  );

  test('a refusal that is none of that is not tried again', async () => {
    let asked = 0;
    const client = await clientOf((_, response) => {
      asked += 1;
      json(response, 404, { message: 'Not Found' });
    });
    await expect(client.dispatch('owner/name', 'smoke.yml', 'main', inputs)).rejects.toMatchObject({
      name: 'ServiceError',
      status: 404,
    });
    expect(asked).toBe(1);
  });
});

describe('a refusal', () => {
  const failureOf = async (status: number, headers: Record<string, string> = {}) => {
    const client = await clientOf((_, response) => json(response, status, { message: 'no' }, headers));
    // A limit is waited for, until the activity's own time is over.
    const scope = scopeWith({ signal: AbortSignal.timeout(500) });
    return classify(await withScope(scope, () => client.getPull('owner/name', 12)).catch((error: unknown) => error));
  };

  test.each<[string, number, Record<string, string>, string, number | undefined]>([
    ['a token that is not accepted', 401, {}, 'PlatformTokenRejected', undefined],
    ['a token that may not do this', 403, { 'x-ratelimit-remaining': '4000' }, 'PlatformTokenRejected', undefined],
    ['the hourly limit', 403, { 'x-ratelimit-remaining': '0' }, 'PlatformRateLimited', 20_000],
    ['a secondary limit', 403, { 'retry-after': '9' }, 'PlatformRateLimited', 9_000],
    ['a limit with its own status', 429, { 'retry-after': '9' }, 'PlatformRateLimited', 9_000],
    ['no such pull request', 404, {}, 'PlatformRefused', undefined],
    ['a server that fails', 502, {}, 'PlatformUnavailable', undefined],
  ])('%s', async (_, status, headers, type, nextRetryDelay) => {
    const failure = await failureOf(status, headers);
    expect(failure.type).toBe(type);
    expect(failure.nextRetryDelay ?? undefined).toBe(nextRetryDelay);
  });

  test('no answer at all', async () => {
    const client = await clientOf((request) => request.socket.destroy());
    expect(classify(await client.getPull('owner/name', 12).catch((error: unknown) => error)).type).toBe(
      'PlatformUnavailable',
    );
  });

  test.each(['<html>One moment</html>', '{"workflow_run_id":', ''])(
    'a dispatch that is answered by %j: it may have been taken, and is settled by looking',
    async (text) => {
      const client = await clientOf((_, response) =>
        response.writeHead(200, { 'content-type': text.startsWith('<') ? 'text/html' : 'application/json' }).end(text),
      );
      const sent = client.dispatch('owner/name', 'smoke.yml', 'main', {}).catch((error: unknown) => error);
      expect(classify(await sent).type).toBe('PlatformUnavailable');
    },
  );

  test('another shape', async () => {
    const client = await clientOf((_, response) => json(response, 200, { number: 'twelve' }));
    expect(classify(await client.getPull('owner/name', 12).catch((error: unknown) => error)).type).toBe(
      'PlatformAnswerUnexpected',
    );
  });
});
