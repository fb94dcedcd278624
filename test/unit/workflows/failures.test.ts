import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { failures, isFailureType } from '../../../workflows/failures.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Every file of the folders that are the product, whole. */
const sources = ['workflows', 'activities', 'worker'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ file: `${folder}/${name}`, text: readFileSync(join(root, folder, name), 'utf8') })),
);
const elsewhere = sources.filter(({ file }) => file !== 'workflows/failures.ts');

test.each(Object.keys(failures))('%s is used', (type) => {
  expect(elsewhere.filter(({ text }) => text.includes(`'${type}'`)).map(({ file }) => file)).not.toEqual([]);
});

test('no failure has a type that is not in the table', () => {
  // `fail('X'`, `type: 'X'` and the last argument of ApplicationFailure.nonRetryable: the three ways to name one.
  const named = elsewhere.flatMap(({ file, text }) =>
    [...text.matchAll(/(?:\bfail\(\s*|\btype: |nonRetryable\([^;]*?,\s*)'([A-Z][A-Za-z]+)'/g)].map((match) => ({
      file,
      type: match[1],
    })),
  );
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter(({ type }) => !isFailureType(type))).toEqual([]);
});

test('types from elsewhere are told from those of the table', () => {
  expect(isFailureType('DatabaseUrlEmpty')).toBe(true);
  for (const other of ['TypeError', 'toString', '__proto__', '', null, undefined])
    expect(isFailureType(other)).toBe(false);
});

test('nothing of the product knows the name of an app', () => {
  const names = /raptor|raxx|ledger|trademaster/i;
  expect(sources.length).toBeGreaterThan(40);
  expect(sources.filter(({ file, text }) => names.test(file) || names.test(text)).map(({ file }) => file)).toEqual([]);
});
