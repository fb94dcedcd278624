import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { types } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { sql } from 'slonik';
import { createHerokuClient } from '../../activities/clients/heroku.ts';
import { createPostgresClient, statement } from '../../activities/clients/postgres.ts';
import { currentScope } from '../../activities/scope.ts';
import { freePort } from '../../rehearsal/ports.ts';
import { inActivity } from '../unit/activities/in-activity.ts';
import { findLeaks } from '../../drill/leaks.ts';
import { AppWorld } from './rehearsed-app.ts';

// What drivers and HTTP clients really say when something goes wrong: connection strings, headers, whole statements.

let world: AppWorld;
beforeAll(async () => {
  world = await AppWorld.start();
});
afterAll(() => world.stop());

const newSecret = (): string => `${randomBytes(12).toString('hex')}/+ ü`;

/** Everything that a failure carries, and what it carried before the boundary. */
async function failureOf(secret: string, work: () => Promise<unknown>): Promise<{ before: string; after: string }> {
  let before = '';
  const failure: unknown = await inActivity(async () => {
    try {
      return await work();
    } catch (error) {
      before = chainOf(error);
      throw error;
    }
  }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'ApplicationFailure' });
  const after = chainOf(failure);
  expect(findLeaks([{ name: 'the failure', text: after }], [secret])).toEqual([]);
  return { before, after };
}

function chainOf(error: unknown): string {
  const parts: string[] = [];
  for (let current = error; types.isNativeError(current); current = current.cause) {
    const { details } = current as { details?: unknown };
    parts.push(current.name, current.message, current.stack ?? '', JSON.stringify(details ?? null));
  }
  return parts.join('\n');
}

const leaks = (text: string, secret: string): boolean => findLeaks([{ name: 'it', text }], [secret]).length > 0;

describe('PostgreSQL', () => {
  const postgres = createPostgresClient({});

  test('a statement that the server quotes', async () => {
    const { url } = await world.database();
    const secret = newSecret();
    const { before, after } = await failureOf(secret, () =>
      postgres.connected(url, (connection) => {
        currentScope().secrets.add(secret);
        return connection.query(statement(`SELECT ${pg.escapeLiteral(secret)}::integer`));
      }),
    );
    expect(leaks(before, secret)).toBe(true);
    expect(after).toContain('[redacted]');
  });

  test('a statement that a function of the database repeats, with the connection in it', async () => {
    const { url } = await world.database();
    const password = new URL(url).password;
    const { before, after } = await failureOf(password, () =>
      postgres.connected(url, (connection) =>
        connection.query(statement(`DO $$ BEGIN RAISE EXCEPTION 'while connecting to ${url}'; END $$`)),
      ),
    );
    expect(leaks(before, password)).toBe(true);
    expect(after).toMatch(/while connecting to \[redacted\]/);
  });

  test('an address that the driver cannot read', async () => {
    const password = randomBytes(12).toString('hex');
    const url = `postgres://owner:${password}@127.0.0.1:5432/app?ssl-mode=%zz&connect_timeout=x%`;
    await failureOf(password, () => postgres.connected(url, (connection) => connection.query(sql.unsafe`SELECT 1`)));
    await failureOf(password, () => postgres.inspectTls(url));
  });

  test.each(['nobody listens', 'the password is wrong'])('%s', async (why) => {
    const { url } = await world.database();
    const wrong = new URL(url);
    const password = why === 'the password is wrong' ? encodeURIComponent(newSecret()) : wrong.password;
    wrong.password = password;
    if (why === 'nobody listens') wrong.port = String(await freePort());
    await failureOf(decodeURIComponent(password), () =>
      postgres.connected(wrong.href, (connection) => connection.query(sql.unsafe`SELECT 1`)),
    );
    await failureOf(decodeURIComponent(password), () => postgres.inspectTls(wrong.href));
  });
});

describe('HTTP', () => {
  const client = (apiUrl: string, token: string) => createHerokuClient({ apiUrl, dataUrl: apiUrl, token });

  test('a token that cannot be a header: fetch repeats it', async () => {
    const secret = `${randomBytes(12).toString('hex')}\n${randomBytes(12).toString('hex')}`;
    const { before } = await failureOf(secret, () => client('http://127.0.0.1:9', secret).getApp('an-app'));
    expect(leaks(before, secret)).toBe(true);
  });

  test('an address with a password: fetch repeats it whole', async () => {
    const secret = newSecret();
    const url = `http://user:${encodeURIComponent(secret)}@127.0.0.1:9`;
    const { before } = await failureOf(secret, () => {
      currentScope().secrets.addUrl(url);
      return client(url, 'a-token-of-its-own').getApp('an-app');
    });
    expect(leaks(before, secret)).toBe(true);
  });

  test('nobody listens', async () => {
    const secret = randomBytes(12).toString('hex');
    await failureOf(secret, async () => client(`http://127.0.0.1:${await freePort()}`, secret).getApp('an-app'));
  });

  test.each([
    ['a refusal', 422],
    ['a breakdown', 500],
    ['an answer in another shape', 200],
  ])('%s that repeats the request and its headers', async (_, status) => {
    const secret = randomBytes(12).toString('hex');
    const server = createServer((request, response) => {
      const said = JSON.stringify({ headers: request.headers, url: request.url, secret });
      response.writeHead(status).end(JSON.stringify({ id: said, message: `the request was ${said}`, [secret]: said }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const { before } = await failureOf(secret, () => client(`http://127.0.0.1:${port}`, secret).getApp(secret));
      expect(leaks(before, secret)).toBe(true);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
