import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { holdsSecretLike } from '../../../workflows/secret-like.ts';

const random = (bytes = 20): string => randomBytes(bytes).toString('hex');
/** Where letters and digits are mixed for sure. */
const mixed = (length: number): string => 'a1'.repeat(length);

describe('found, also in the middle of a sentence', () => {
  test.each<[string, string]>([
    ['a URL with a password', `postgres://user:${random()}@host/db`],
    ['a URL with a password', `redis://:${random(4)}@cache.example`],
    ['a Heroku token', `HRKU-${random()}`],
    ['a UUID, as API keys of Heroku are', randomUUID()],
    ['a GitHub token', `ghp_${mixed(18)}`],
    ['a GitHub token', `ghs_${random()}`],
    ['a GitHub token', `github_pat_${mixed(11)}_${mixed(20)}`],
    ['an authorization header', `Bearer ${mixed(12)}`],
    ['a named password or token', `password=${random(4)}`],
    ['a named password or token', `"api_key": "${random(4)}"`],
    ['a private key', '-----BEGIN PRIVATE KEY-----'],
    ['a token', `xoxb-${mixed(8)}`],
    ['a long random text', `p${createHash('sha256').update(random()).digest('hex')}`],
    ['a long random text', mixed(12)],
  ])('%s', (kind, text) => {
    expect(holdsSecretLike(text)).toBe(kind);
    expect(holdsSecretLike(`see "${text}", it is new`)).toBe(kind);
  });
});

test.each([
  ['a name', 'Rita van den Berg-O\u2019Neill'],
  ['a sentence', 'The suite is red because run 1842 of smoke.yml was cancelled; tried again at 03:12.'],
  ['an address', 'https://github.com/owner/name/actions/runs/16382934521'],
  ['a commit', random(20)],
  ['the digest of a plan', random(32)],
  ['a mail address', 'rita@example.com'],
  ['a long word', 'Donaudampfschifffahrtsgesellschaft2026'],
  ['an app', 'raxx-api-prod'],
  ['a revision', '0003_audit_grants'],
  ['words about secrets', 'the token was rotated, the password too'],
  ['nothing', ''],
])('%s is let be', (_, text) => {
  expect(holdsSecretLike(text)).toBeUndefined();
});
