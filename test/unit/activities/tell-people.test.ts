import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { createWebhook } from '../../../activities/clients/webhook.ts';
import type { Services } from '../../../activities/services.ts';
import { tellPeople } from '../../../activities/tell-people.ts';
import { KnownSecrets } from '../../../worker/known-secrets.ts';
import { readConfig, tokensOf } from '../../../worker/config.ts';
import type { Notice } from '../../../workflows/notice.ts';
import { inActivity } from './in-activity.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

const token = `T0${randomBytes(12).toString('hex')}`;
const otherToken = randomBytes(12).toString('hex');
const notice: Notice = {
  id: 'run-1/7',
  event: 'parked',
  at: 0,
  app: 'an-app',
  happened: 'The step smoke is parked: SmokeFailed: no',
  asked: null,
};

/** A receiver on this machine that behaves so, and the services of a worker that knows it. */
async function receiver(listener: RequestListener, webUi: string | null = null): Promise<Services & { url: string }> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/${token}`;
  const config = readConfig({ HEROKU_API_KEY: otherToken, GITHUB_TOKEN: 'github-token', CUTOVER_WEBHOOK_URL: url });
  const known = new KnownSecrets(tokensOf(config));
  const webhook = createWebhook(url, (json) => known.redactJson(json));
  return { people: { webhook, webUi }, url } as Services & { url: string };
}

async function textOf(request: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

const tell = (services: Services, what = notice) => inActivity(() => tellPeople(services, what), { args: [what] });

/** The failure with which telling ends, as it leaves the worker; all of it as one text. */
async function failureOf(services: Services): Promise<{ failure: ApplicationFailure; all: string }> {
  const failure = (await tell(services).catch((error: unknown) => error)) as ApplicationFailure;
  expect(failure).toBeInstanceOf(ApplicationFailure);
  const all = [failure.message, failure.stack, JSON.stringify(failure.details), String(failure.cause)].join('\n');
  return { failure, all };
}

test('a notice is taken in the form of Slack, and in one for programs', async () => {
  let taken = '';
  let seen: unknown;
  const services = await receiver((request, response) => {
    seen = { method: request.method, url: request.url, type: request.headers['content-type'] };
    void textOf(request).then((text) => {
      taken = text;
      response.end('ok');
    });
  }, 'https://temporal.example');
  expect(await tell(services)).toEqual({ told: true });
  expect(seen).toEqual({ method: 'POST', url: `/services/${token}`, type: 'application/json' });
  expect(JSON.parse(taken)).toEqual({
    text: expect.stringContaining('*an-app*: The step smoke is parked: SmokeFailed: no\n<https://temporal.example/'),
    notice: {
      id: 'run-1/7',
      event: 'parked',
      at: '1970-01-01T00:00:00.000Z',
      app: 'an-app',
      happened: 'The step smoke is parked: SmokeFailed: no',
      asked: null,
      link: expect.stringMatching(/^https:\/\/temporal\.example\/namespaces\/[^/]+\/workflows\/[^/]+$/),
    },
  });
});

test('the end of a run links to that very run', async () => {
  let taken = '';
  const services = await receiver((request, response) => {
    void textOf(request).then((text) => ((taken = text), response.end('ok')));
  }, 'https://temporal.example');
  await tell(services, { ...notice, event: 'ended' });
  const { link } = (JSON.parse(taken) as { notice: { link: string } }).notice;
  expect(link).toMatch(/\/workflows\/[^/]+\/[^/]+$/);
});

test('a secret that people wrote does not leave, nor does the address itself', async () => {
  let taken = '';
  const services = await receiver((request, response) => {
    void textOf(request).then((text) => ((taken = text), response.end('ok')));
  });
  await tell(services, { ...notice, happened: `it says ${otherToken}, and ${services.url}, /services/${token}` });
  expect(taken).toContain('it says [redacted]');
  expect(taken).not.toContain(otherToken);
  expect(taken).not.toContain(token);
});

test.each([500, 404, 302])('%d is tried again, and the failure says neither where nor what came', async (status) => {
  const services = await receiver((_, response) => {
    response.writeHead(status, { location: `/elsewhere/${token}` }).end(`no: ${token}`);
  });
  const { failure, all } = await failureOf(services);
  expect(failure).toMatchObject({ type: 'NoticeNotSent', nonRetryable: false });
  expect(failure.message).toMatch(new RegExp(`^The webhook answered ${status}; the notice run-1/7 was not taken`));
  expect(all).not.toContain(token);
  expect(all).not.toContain('127.0.0.1');
});

test('one that is down is told by its code alone', async () => {
  const services = await receiver(() => undefined);
  server?.close();
  const { failure, all } = await failureOf(services);
  expect(failure.message).toMatch(/^The webhook did not answer: ECONNREFUSED;/);
  expect(all).not.toContain(token);
  expect(all).not.toContain('127.0.0.1');
});

test('one that never answers is given up before the attempt is over', async () => {
  const services = await receiver(() => undefined);
  const { failure } = await failureOf(services);
  expect(failure.message).toMatch(/^The webhook did not answer: nothing came within 8 s;/);
}, 15_000);

test('a worker that knows no webhook tells nobody, and that is no failure', async () => {
  expect(await tell({} as Services)).toEqual({ told: false });
});
