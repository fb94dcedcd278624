import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { percentDecoded, Secrets } from '../../../activities/secrets.ts';

const random = (): string => randomBytes(12).toString('hex');

function knowing(...secrets: string[]): Secrets {
  const known = new Secrets();
  for (const secret of secrets) known.add(secret);
  return known;
}

test('every place of every secret is replaced, the longest first', () => {
  const password = random();
  const longer = `${password}-and-more`;
  expect(knowing(password, longer).redact(`a ${longer} b ${password} c ${password}`)).toBe(
    'a [redacted] b [redacted] c [redacted]',
  );
});

test('what is too short to be a secret is left, or no text could be read', () => {
  const secrets = knowing('', 'a', '12345');
  expect(secrets.redact('a 12345')).toBe('a 12345');
  expect(secrets.find({ a: '12345' })).toBeUndefined();
});

describe('URLs', () => {
  const password = `${random()}%2F%zz`;
  const urls: Record<string, [url: string, hides: string[]]> = {
    'a database URL': [`postgres://owner:${random()}@db.example:5432/app`, []],
    'a password with escapes': [`postgres://owner:${encodeURIComponent(`p/w${random()}`)}@db.example/app`, []],
    'a password with a bare %': [`amqp://user:${password}@mq.example/x`, [password]],
    'a password that the URL parser encodes': [`redis://:pa^s|${random()}@cache.example`, []],
  };
  test.each(Object.entries(urls))('%s: the password is hidden, alone and in the URL', (_, [url, hides]) => {
    const secrets = new Secrets();
    secrets.addUrl(url);
    const raw = /:\/\/[^:]*:(.*)@/.exec(url)?.[1] ?? '';
    for (const secret of [url, raw, percentDecoded(raw), new URL(url).password, ...hides]) {
      expect(secrets.redact(`it is ${secret} there`)).toBe('it is [redacted] there');
    }
    expect(secrets.redact('the user is owner')).toBe('the user is owner');
  });

  test.each([
    '',
    'no url',
    'https://app.example/path',
    'postgres://owner@db.example/app',
    'sqlite:///./app.db',
    '://:@',
  ])('%p holds no secret and is let be', (text) => {
    const secrets = new Secrets();
    secrets.addUrl(text);
    expect(secrets.redact(`see ${text}`)).toBe(`see ${text}`);
  });
});

describe('find', () => {
  const password = random();
  const secrets = knowing(password);
  test.each<[string, unknown, string | undefined]>([
    ['a string', password, 'result'],
    ['a field', { a: { b: [0, { c: password }] } }, 'result.a.b.1.c'],
    ['a key', { a: { [password]: 0 } }, 'result.a (a key)'],
    ['part of a longer text', { a: `x${password}y` }, 'result.a'],
    ['nothing', { a: [null, undefined, 1, true, 'clean'] }, undefined],
    ['null', null, undefined],
    ['undefined', undefined, undefined],
  ])('%s', (_, value, path) => {
    expect(secrets.find(value)).toBe(path);
  });
});

test.each([
  ['a%20b', 'a b'],
  ['100%', '100%'],
  ['%zz', '%zz'],
  ['', ''],
])('%p is %p without its percent-encoding', (text, decoded) => {
  expect(percentDecoded(text)).toBe(decoded);
});
