import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ConfigError, readCodecServerConfig, readConfig, tokensOf } from '../../../worker/config.ts';

const enough = { HEROKU_API_KEY: 'heroku-key', GITHUB_TOKEN: 'github-token' };

function mistakesOf(environment: NodeJS.ProcessEnv): string {
  try {
    readConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  return '';
}

test("two tokens are enough; the rest is production's", () => {
  expect(readConfig(enough)).toMatchObject({
    temporal: { address: '127.0.0.1:7233', namespace: 'default', taskQueue: 'cutover' },
    databaseCa: undefined,
    heroku: {
      apiUrl: 'https://api.heroku.com',
      dataUrl: 'https://api.data.heroku.com',
      token: { value: 'heroku-key' },
    },
    github: { apiUrl: 'https://api.github.com', token: { value: 'github-token' } },
  });
});

test('every mistake is told at once, each with its variable, and no value is repeated', () => {
  const message = mistakesOf({
    HEROKU_API_URL: 'no url: hunter2',
    GITHUB_API_URL: 'hunter2 neither',
    GITHUB_TOKEN: '',
  });
  expect(message).toMatch(/4 mistake\(s\)/);
  for (const name of ['HEROKU_API_URL', 'GITHUB_API_URL', 'GITHUB_TOKEN', 'HEROKU_API_KEY'])
    expect(message).toContain(name);
  expect(message).not.toContain('hunter2');
});

test('a slash at the end of a URL makes no difference', () => {
  expect(readConfig({ ...enough, HEROKU_API_URL: 'http://127.0.0.1:1/' }).heroku.apiUrl).toBe('http://127.0.0.1:1');
});

test('the CA is read as the worker starts, or the mistake is told', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cutover-config-'));
  try {
    const file = join(folder, 'ca.pem');
    writeFileSync(file, 'PEM');
    expect(readConfig({ ...enough, CUTOVER_DATABASE_CA: file }).databaseCa).toBe('PEM');
    expect(mistakesOf({ ...enough, CUTOVER_DATABASE_CA: join(folder, 'other.pem') })).toMatch(
      /CUTOVER_DATABASE_CA cannot be read \(ENOENT\)/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('payloads are in clear unless keys are named; a key is a secret of the worker', () => {
  expect(readConfig(enough).encryptionKeys).toBeUndefined();
  const key = 'ab'.repeat(32);
  const config = readConfig({ ...enough, CUTOVER_ENCRYPTION_KEYS: 'k=env:THE_KEY', THE_KEY: key });
  expect(config.encryptionKeys).toEqual([{ id: 'k', bytes: Buffer.from(key, 'hex') }]);
  expect(tokensOf(config)).toEqual(expect.arrayContaining([key, 'heroku-key', 'github-token']));
  expect(mistakesOf({ ...enough, CUTOVER_ENCRYPTION_KEYS: 'k=env:THE_KEY' })).toMatch(/names THE_KEY for the key k/);
});

test('people are told only where a webhook is named, by its URL or by a file that has it', () => {
  expect(readConfig(enough)).toMatchObject({ webhookUrl: undefined, webUiUrl: undefined });
  const url = 'https://hooks.example/services/T0123456789/Babcdefghijkl?key=0123456789ab';
  const folder = mkdtempSync(join(tmpdir(), 'cutover-config-'));
  try {
    const file = join(folder, 'webhook');
    writeFileSync(file, `${url}\n`);
    const read = { CUTOVER_WEBHOOK_URL_FILE: file, CUTOVER_WEB_UI_URL: 'https://temporal.example/' };
    const config = readConfig({ ...enough, ...read });
    expect(config).toMatchObject({ webhookUrl: url, webUiUrl: 'https://temporal.example' });
    expect(readConfig({ ...enough, CUTOVER_WEBHOOK_URL: url }).webhookUrl).toBe(url);
    expect(tokensOf(config)).toEqual(
      expect.arrayContaining([
        url,
        '/services/T0123456789/Babcdefghijkl?key=0123456789ab',
        'Babcdefghijkl',
        '0123456789ab',
      ]),
    );
    expect(tokensOf(config)).not.toContain('services');
    expect(mistakesOf({ ...enough, ...read, CUTOVER_WEBHOOK_URL: url })).toMatch(
      /CUTOVER_WEBHOOK_URL and CUTOVER_WEBHOOK_URL_FILE are both set/,
    );
    expect(mistakesOf({ ...enough, CUTOVER_WEBHOOK_URL_FILE: join(folder, 'other') })).toMatch(
      /cannot be read \(ENOENT\)/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each(['no url: hunter2', 'ftp://hooks.example/hunter2', 'https://me:hunter2@hooks.example/'])(
  'a webhook that is none is refused without being repeated',
  (wrong) => {
    const message = mistakesOf({ ...enough, CUTOVER_WEBHOOK_URL: wrong, CUTOVER_WEB_UI_URL: wrong });
    expect(message).toMatch(/CUTOVER_WEBHOOK_URL is not a URL of http or https/);
    expect(message).toMatch(/CUTOVER_WEB_UI_URL /);
    expect(message).not.toContain('hunter2');
  },
);

test('the codec server wants keys, an exact origin and a token that nobody guesses', () => {
  const variables = {
    CUTOVER_ENCRYPTION_KEYS: 'k=env:THE_KEY',
    THE_KEY: 'ab'.repeat(32),
    CUTOVER_CODEC_ORIGIN: 'https://temporal.example',
    CUTOVER_CODEC_TOKEN: 'x'.repeat(24),
  };
  expect(readCodecServerConfig(variables)).toMatchObject({ port: 8081, origin: 'https://temporal.example' });
  for (const [name, wrong] of [
    ['CUTOVER_ENCRYPTION_KEYS', ''],
    ['CUTOVER_CODEC_ORIGIN', '*'],
    ['CUTOVER_CODEC_ORIGIN', 'https://temporal.example/path'],
    ['CUTOVER_CODEC_TOKEN', 'short'],
  ] as const) {
    expect(() => readCodecServerConfig({ ...variables, [name]: wrong })).toThrow(
      new RegExp(`codec server's environment has 1 mistake.*\\n  ${name} `),
    );
  }
});
