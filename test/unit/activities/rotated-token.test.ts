import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createGithubClient } from '../../../activities/clients/github.ts';
import { createHerokuClient } from '../../../activities/clients/heroku.ts';
import { withScope } from '../../../activities/scope.ts';
import { scopeWith } from './in-activity.ts';

let server: Server;
let url: string;
let seen: (string | undefined)[];
beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(200, { 'content-type': 'application/json' }).end('[]');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

test('each request to Heroku and GitHub brings the token that is in use then, which the activity may not tell', async () => {
  let current = 'the-first-token';
  const token = (): string => current;
  const heroku = createHerokuClient({ apiUrl: url, dataUrl: url, token });
  const github = createGithubClient({ apiUrl: url, token });
  const scope = scopeWith({});
  await withScope(scope, async () => {
    await heroku.listDynos('an-app');
    await github.listIssues('owner/name');
    current = 'the-second-token';
    await heroku.listDynos('an-app');
    await github.listIssues('owner/name');
  });
  expect(seen).toEqual(['first', 'first', 'second', 'second'].map((which) => `Bearer the-${which}-token`));
  expect(scope.secrets.redact('the-first-token, the-second-token')).toBe('[redacted], [redacted]');
});
