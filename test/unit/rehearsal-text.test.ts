import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { duration, plain, shellWord, shortened } from '../../rehearsal/start/text.ts';

describe("people's text on a terminal", () => {
  test.each([
    ['colours', 'Rita\x1b[31m', 'Rita [31m'],
    ['a window title', '\x1b]0;approved\x07Rita', ' ]0;approved Rita'],
    ['one-byte control sequences', 'Rita\x9b2J', 'Rita 2J'],
    ['line breaks of every kind', 'a\r\nb\u2028c\u0085d', 'a b c d'],
    ['overwriting', 'refused\r\x08approved', 'refused approved'],
    ['writing turned round', 'a\u202egnp.exe', 'a gnp.exe'],
    ['isolates and marks', 'a\u2066b\u2069c\u200fd', 'a b c d'],
  ])('loses %s', (_what, text, shown) => expect(plain(text)).toBe(shown));

  test('keeps every letter', () => expect(plain('Zoë 山田 – “go”')).toBe('Zoë 山田 – “go”'));
});

test('a text that is too long ends in an ellipsis, and a character is never cut in two', () => {
  expect(shortened('abcdef', 6)).toBe('abcdef');
  expect(shortened('abcdef', 5)).toBe('abcd…');
  expect(shortened('👍👍👍👍', 3)).toBe('👍👍…');
  expect(shortened('abcdef', 0)).toBe('');
});

test('durations never say 60 seconds', () => {
  expect([49, 12_345, 59_949, 59_950, 119_600].map(duration)).toEqual([
    '0.0 s',
    '12.3 s',
    '59.9 s',
    '1 min 0 s',
    '2 min 0 s',
  ]);
});

test('a word for a shell arrives as it is', () => {
  const words = [
    'plain/path-1.5',
    'with blank',
    "it's",
    '$HOME `id` "quoted"',
    '',
    '{"by":"<your name>"}',
    '*',
    'a\\b',
  ];
  const shown = words.map((word) => execFileSync('sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' }));
  expect(shown).toEqual(words);
});
