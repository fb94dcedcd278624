import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { leftovers, startProgram, type StartedProgram } from './started-program.ts';

let program: StartedProgram | undefined;
afterEach(() => program?.dispose());

/** As npm runs it, without npm: a signal to the group then reaches what a terminal's would. */
async function platform(...options: string[]): Promise<StartedProgram> {
  program = await startProgram(['node', '--', 'scripts/platform.mjs', ...options]);
  return program;
}

function exported(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^ *export (\w+)='?(.*?)'?$/gm)].map((match) => [match[1] as string, match[2] ?? '']),
  );
}

async function ask(env: Record<string, string>, what: string): Promise<any> {
  const response = await fetch(`${env['HEROKU_HOST']}/apps/raxx-api-prod/${what}`, {
    headers: { authorization: `Bearer ${env['HEROKU_API_KEY']}` },
  });
  return response.json();
}

test('an env file points a client at the stand-ins; Ctrl-C stops all of it', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'platform-env-'));
  const file = path.join(dir, 'platform.env');
  const started = await platform('--env-file', file, '--plan', 'essential-0');
  await started.says(/Ctrl-C stops everything/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const text = await readFile(file, 'utf8');
  const env = exported(text);
  expect(Object.keys(env)).toEqual(
    expect.arrayContaining([
      'HEROKU_HOST',
      'HEROKU_DATA_HOST',
      'HEROKU_API_KEY',
      'NODE_EXTRA_CA_CERTS',
      'GITHUB_TOKEN',
    ]),
  );
  expect(
    text
      .trim()
      .split('\n')
      .every((line) => line.startsWith('export ')),
  ).toBe(true);
  expect((await ask(env, 'addons')).map(({ plan }: any) => plan.name)).toEqual(['heroku-postgresql:essential-0']);
  expect(Object.keys(await ask(env, 'config-vars'))).toEqual(['DATABASE_URL']);
  // Where there is a file for them, the tokens do not stand on the screen.
  expect(started.output()).toContain(`. ${file}`);
  for (const secret of [env['HEROKU_API_KEY'], env['GITHUB_TOKEN']]) expect(started.output()).not.toContain(secret);

  started.signal('SIGINT');
  expect(await started.ended).toEqual({ code: 130, signal: null });
  expect(await leftovers(started.tmp)).toEqual([]);
  await expect(ask(env, 'addons')).rejects.toThrow();
  await rm(dir, { recursive: true });
});

test('without a file it prints the environment; DATABASE_URL may be SQLite, and the pull request merged', async () => {
  const started = await platform('--sqlite', '--merged');
  await started.says(/Ctrl-C stops everything/);
  const env = exported(started.output());
  const { DATABASE_URL, ...others } = await ask(env, 'config-vars');
  expect(DATABASE_URL).toBe('sqlite+pysqlite:///./raptor.db');
  expect(Object.keys(others)).toEqual(['HEROKU_POSTGRESQL_AMBER_URL']);
  const pull = await fetch(`${env['GITHUB_API_URL']}/repos/raxx-app/TradeMasterAPI/pulls/2173`, {
    headers: { authorization: `Bearer ${env['GITHUB_TOKEN']}` },
  });
  expect(await pull.json()).toMatchObject({ merged: true });
  started.signal('SIGINT');
  expect((await started.ended).code).toBe(130);
});

test('--help explains, and a plan that there is not is refused', async () => {
  const help = await platform('--help');
  expect((await help.ended).code).toBe(0);
  expect(help.output()).toMatch(/^Usage: npm run platform/);
  await help.dispose();
  const refused = await platform('--plan', 'gold');
  expect((await refused.ended).code).toBe(2);
  expect(refused.output()).toMatch(/^There is no plan gold\. .*\n\nUsage: npm run platform/);
});
