import { expect, test } from '@jest/globals';
import { canonicalJson } from '../../../activities/canonical-json.ts';

test('the order of keys does not matter, at any depth', () => {
  const one = { b: 1, a: { d: [{ y: 1, x: 2 }], c: null } };
  const other = { a: { c: null, d: [{ x: 2, y: 1 }] }, b: 1 };
  expect(canonicalJson(one)).toBe(canonicalJson(other));
  expect(canonicalJson(one)).toBe('{"a":{"c":null,"d":[{"x":2,"y":1}]},"b":1}');
});

test('the order of a list does', () => {
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
});

test.each<[unknown, unknown]>([
  [{ a: 1 }, { a: '1' }],
  [{ a: null }, {}],
  [{ a: [] }, { a: {} }],
  [{ a: 'b,c' }, { a: 'b', c: '' }],
])('%p and %p are different', (one, other) => {
  expect(canonicalJson(one)).not.toBe(canonicalJson(other));
});

test('keys are in code point order, whatever the locale', () => {
  expect(canonicalJson({ ä: 1, Z: 2, a: 3, A: 4, '1': 5 })).toBe('{"1":5,"A":4,"Z":2,"a":3,"ä":1}');
});

test('a field that is undefined is left out, as it is where it was read back', () => {
  expect(canonicalJson({ a: undefined, b: 1 })).toBe(canonicalJson(JSON.parse(JSON.stringify({ b: 1 }))));
});
