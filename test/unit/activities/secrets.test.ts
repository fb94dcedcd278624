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
    ['a number', { a: 1 }, undefined],
    ['bytes', Buffer.from(`x${password}`), 'result'],
    ['something that says itself how it is written', { a: new URL(`http://h/${password}`) }, 'result.a'],
    ['part of a longer text', { a: `x${password}y` }, 'result.a'],
    ['nothing', { a: [null, undefined, 1, true, 'clean'] }, undefined],
    ['null', null, undefined],
    ['undefined', undefined, undefined],
  ])('%s', (_, value, path) => {
    expect(secrets.find(value)?.field).toBe(path);
  });
});

test('a secret that is a number is found, and what held it stays JSON', () => {
  const secrets = knowing('73946182');
  expect(secrets.find({ pin: 73946182 })).toMatchObject({ field: 'result.pin' });
  expect(secrets.redactValue({ pin: 73946182, ok: 1 })).toEqual({ pin: '[redacted]', ok: 1 });
});

test('a value that cannot be written does not leave, and does not break what it stands in', () => {
  const circle: Record<string, unknown> = {};
  circle['itself'] = circle;
  expect(() => knowing().find(circle)).toThrow(TypeError);
  expect(knowing().redactValue(circle)).toBe('[a value that cannot be written]');
});

describe('every form', () => {
  // What encodings differ in, a sign of several bytes and one outside of the basic plane included.
  const secret = `p"ss/w\\rd ~'()*+${random()}=&%?>é\n€𝄞`;
  const json = (text: string): string => JSON.stringify(text).slice(1, -1);
  const forms: Record<string, string> = {
    'as it is': secret,
    'percent-encoded': encodeURIComponent(secret),
    'percent-encoded in small letters': encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
    'percent-encoded twice': encodeURIComponent(encodeURIComponent(secret)),
    'as a form writes it': new URLSearchParams({ a: secret }).toString().slice(2),
    'encoded where a URL must': encodeURI(secret),
    'in JSON': json(secret),
    'in JSON within JSON': json(json(secret)),
    'in JSON of ASCII only': json(secret).replace(
      /[^\x20-\x7e]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
    'in JSON that escapes slashes': json(secret).replaceAll('/', '\\/'),
  };
  test.each(Object.entries(forms))('%s', (_, form) => {
    expect(knowing(secret).redact(`it is ${form} there`)).toBe('it is [redacted] there');
  });

  const written: Record<string, string> = {
    itself: secret,
    'its JSON': json(secret),
    'its percent-encoding': encodeURIComponent(secret),
    'its encoding where a URL must': encodeURI(secret),
    'its encoding as a form writes it': forms['as a form writes it'] ?? '',
  };
  const encoded = Object.entries(written).flatMap(([what, text]) =>
    (['base64', 'base64url'] as const).flatMap((encoding) =>
      [0, 1, 2, 3].map((before) => [what, encoding, before, text] as const),
    ),
  );
  test.each(encoded)('%s in %s, %i bytes from the beginning', (_, encoding, before, text) => {
    const whole = Buffer.from(`${'<'.repeat(before)}${text}>`).toString(encoding);
    const redacted = knowing(secret).redact(`see ${whole} there`);
    expect(redacted).toMatch(/^see \S{0,4}\[redacted\]\S{0,4} there$/);
  });

  test('what only looks alike is left', () => {
    const text = `p"ss ${random()} ${Buffer.from(random()).toString('base64')}`;
    expect(knowing(secret).redact(text)).toBe(text);
  });
});

describe('config vars', () => {
  const long = random();
  const learnt = (vars: Record<string, string>, target: unknown = {}, plain: string[] = []): Secrets => {
    const secrets = new Secrets();
    secrets.keepPlain(target, plain);
    secrets.addConfigVars(vars);
    return secrets;
  };
  test.each<[string, Record<string, string>, string]>([
    ['a password of any length in a URL', { CACHE_URL: 'redis://:s3cr3t@cache.example' }, 's3cr3t'],
    ['12 characters', { API_KEY: 'abcdefghijk1' }, 'abcdefghijk1'],
    ['a webhook', { HOOK: `https://hooks.example/services/${long}` }, `https://hooks.example/services/${long}`],
    [
      'an address with the key as its user',
      { DSN: `https://${long}@sentry.example/7` },
      `https://${long}@sentry.example/7`,
    ],
  ])('%s is a secret', (_, vars, secret) => {
    expect(learnt(vars).find({ seen: secret })?.field).toBe('result.seen');
  });

  test('a leak names the variable, and never its value', () => {
    const leak = learnt({ API_KEY: long }).find(long);
    expect(leak).toEqual({ field: 'result', what: 'the value of the config var API_KEY', variable: 'API_KEY' });
  });

  test.each<[string, Record<string, string>, unknown, string[]]>([
    ['11 characters', { ZONE: 'abcdefghijk' }, {}, []],
    ['a variable that the target declares plain', { COMMIT: long }, {}, ['COMMIT']],
    ['a value of the target file', { ROLE: `the-role-${long}` }, { role: { credential: `the-role-${long}` } }, []],
    ['a part of one', { REPOSITORY_NAME: `name-${long}` }, { repository: `owner/name-${long}` }, []],
    ['a name of the target file', { TABLE: `table_${long}` }, { columns: { [`table_${long}`]: {} } }, []],
    ['an address without more', { BASE_URL: 'https://an-app.herokuapp.com/' }, {}, []],
    [
      'the host of another variable',
      { PGHOST: 'db-12-34.example', DATABASE_URL: 'postgres://u:pass-word@db-12-34.example/d' },
      {},
      [],
    ],
    [
      'the user of another variable',
      { PGUSER: 'u12345678901', DATABASE_URL: 'postgres://u12345678901:pass-word@h/d' },
      {},
      [],
    ],
  ])('%s is none', (_, vars, target, plain) => {
    const [value = ''] = Object.values(vars);
    expect(learnt(vars, target, plain).find(value)).toBeUndefined();
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
