import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readConfig, tokensOf } from '../../../worker/config.ts';

let folder: string;
let enough: NodeJS.ProcessEnv;
const at = (name: string): string => join(folder, name);
const file = (name: string, text: string): string => {
  writeFileSync(at(name), text);
  return at(name);
};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cutover-temporal-'));
  // The configuration file of whoever runs the tests says something else.
  enough = { HEROKU_API_KEY: 'heroku-key', GITHUB_TOKEN: 'github-token', HOME: folder };
});
afterAll(() => rmSync(folder, { recursive: true }));

function mistakesOf(environment: NodeJS.ProcessEnv): string[] {
  try {
    readConfig({ ...enough, ...environment });
  } catch (error) {
    return (error as Error).message.split('\n').slice(1, -1);
  }
  return [];
}

test("a profile of Temporal's own configuration file says how Temporal is reached; variables stand above it", () => {
  const profiles = `
    [profile.production]
    address = "team.a2dd6.tmprl.cloud:7233"
    namespace = "team.a2dd6"
    api_key = "key-of-the-file"
    [profile.production.grpc_meta]
    x-team = "cutover"
  `;
  const named = { ...enough, TEMPORAL_CONFIG_FILE: file('profiles.toml', profiles), TEMPORAL_PROFILE: 'production' };
  expect(readConfig(named).temporal).toMatchObject({
    address: 'team.a2dd6.tmprl.cloud:7233',
    namespace: 'team.a2dd6',
    tls: true,
    apiKey: { value: 'key-of-the-file' },
    metadata: { 'x-team': 'cutover' },
  });
  const over = readConfig({ ...named, TEMPORAL_NAMESPACE: 'other', TEMPORAL_API_KEY: 'key-of-the-variable' });
  expect(over.temporal).toMatchObject({ namespace: 'other', apiKey: { value: 'key-of-the-variable' } });
  expect(tokensOf(over)).toContain('key-of-the-variable');
});

test('an API key comes from a file too, and TLS with it', () => {
  const key = file('api-key', 'key-of-its-own-file\n');
  const config = readConfig({ ...enough, TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_API_KEY_FILE: key });
  expect(config.temporal).toMatchObject({ tls: true, apiKey: { value: 'key-of-its-own-file', file: key } });
  expect(tokensOf(config)).toContain('key-of-its-own-file');
});

test('the private key of a certificate, and the token in a header, are secrets of the worker', () => {
  const config = readConfig({
    ...enough,
    TEMPORAL_TLS_CLIENT_CERT_PATH: file('client.pem', 'CERTIFICATE'),
    TEMPORAL_TLS_CLIENT_KEY_PATH: file('client.key', 'PRIVATE KEY\n'),
    TEMPORAL_GRPC_META_AUTHORIZATION: 'Bearer token-of-the-header',
  });
  expect(tokensOf(config)).toEqual(expect.arrayContaining(['PRIVATE KEY', 'token-of-the-header']));
});

test.each([
  [{ TEMPORAL_TLS: 'yes' }, 'TEMPORAL_TLS is none of 1, true, 0, false'],
  [{ TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: '1' }, 'the worker always verifies the server'],
  [{ TEMPORAL_ADDRESS: 'https://temporal.example' }, 'TEMPORAL_ADDRESS is not HOST:PORT'],
  [{ TEMPORAL_TLS_CLIENT_CERT_PATH: '/nowhere.pem' }, 'belong together, and one of them is missing'],
  [{ TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/nowhere.pem' }, 'The TLS file /nowhere.pem cannot be read (ENOENT)'],
  [{ TEMPORAL_CONFIG_FILE: '/nowhere.toml' }, 'TEMPORAL_CONFIG_FILE cannot be read (ENOENT)'],
  [{ TEMPORAL_PROFILE: 'no-such' }, "TEMPORAL_PROFILE is wrong: Profile 'no-such' not found"],
])('%j is a mistake, and is named', (environment, told) => {
  expect(mistakesOf(environment).join('\n')).toContain(told);
});

test('a configuration file with a mistake is told by its line, and an API key beside it is not shown', () => {
  const broken = file('broken.toml', '[profile.default]\naddress = "a:1"\napi_key = "hunter2-in-the-file\n');
  expect(mistakesOf({ TEMPORAL_CONFIG_FILE: broken })).toEqual(['  TEMPORAL_CONFIG_FILE is not TOML: see its line 3']);
  const misspelt = file('misspelt.toml', '[profile.default]\napikey = "hunter2"\n');
  expect(mistakesOf({ TEMPORAL_CONFIG_FILE: misspelt })).toEqual([
    '  TEMPORAL_CONFIG_FILE is wrong: Validation error: key(s) unrecognized in profile.default: apikey',
  ]);
  expect(mistakesOf({ TEMPORAL_CONFIG_FILE: file('other.toml', 'a = 1\n') })[0]).toMatch(/unrecognized: a/);
  expect(mistakesOf({ TEMPORAL_CONFIG_FILE: file('none.toml', '# nothing\n') })).toEqual([
    '  TEMPORAL_CONFIG_FILE holds no profile; expected a table [profile.default]',
  ]);
});

describe('a connection that leaves the machine', () => {
  const address = { TEMPORAL_ADDRESS: 'temporal.example:7233' };
  const certificate = (): NodeJS.ProcessEnv => ({
    TEMPORAL_TLS_CLIENT_CERT_PATH: file('client.pem', 'CERTIFICATE'),
    TEMPORAL_TLS_CLIENT_KEY_PATH: file('client.key', 'PRIVATE KEY'),
  });

  test.each([
    ['in clear', {}],
    ['with TLS, and without authentication', { TEMPORAL_TLS: '1' }],
    ['with an API key in clear', { TEMPORAL_API_KEY: 'a-key', TEMPORAL_TLS: '0' }],
    ['to a name that only begins like this machine', { TEMPORAL_ADDRESS: '127.0.0.1.example:7233' }],
  ])('is refused %s', (_, environment) => {
    const [told, ...more] = mistakesOf({ ...address, ...environment });
    expect(more).toEqual([]);
    expect(told).toMatch(/leaves this machine without TLS and authentication.*CUTOVER_ALLOW_INSECURE_TEMPORAL=1/);
  });

  test('is taken with TLS and an API key, or a certificate, or a token in a header', () => {
    expect(mistakesOf({ ...address, TEMPORAL_API_KEY: 'a-key' })).toEqual([]);
    expect(mistakesOf({ ...address, ...certificate() })).toEqual([]);
    expect(mistakesOf({ ...address, TEMPORAL_TLS: '1', TEMPORAL_GRPC_META_AUTHORIZATION: 'Bearer a' })).toEqual([]);
  });

  test('is taken as it is where that is said, and warned of', () => {
    const config = readConfig({ ...enough, ...address, CUTOVER_ALLOW_INSECURE_TEMPORAL: '1' });
    expect(config.warnings).toEqual([
      expect.stringMatching(/temporal\.example:7233.*ALLOW_INSECURE_TEMPORAL allows it/),
    ]);
    expect(mistakesOf({ ...address, CUTOVER_ALLOW_INSECURE_TEMPORAL: 'yes' })).toEqual([
      '  CUTOVER_ALLOW_INSECURE_TEMPORAL is neither 0 nor 1',
    ]);
  });

  test.each(['127.0.0.1:7233', '127.8.0.1', 'localhost:7233', '[::1]:7233'])('%s does not leave it', (own) => {
    expect(readConfig({ ...enough, TEMPORAL_ADDRESS: own }).warnings).toEqual([]);
  });
});
