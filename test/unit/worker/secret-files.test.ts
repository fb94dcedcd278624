import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { KnownSecrets } from '../../../worker/known-secrets.ts';
import { createSecretSource, withSecretFiles } from '../../../worker/secret-files.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cutover-secrets-'));
  file = join(folder, 'token');
});
afterEach(() => rmSync(folder, { recursive: true }));

function sourceOf(value: string) {
  const known = new KnownSecrets([value]);
  const said: string[] = [];
  const source = createSecretSource(
    { value, file },
    { name: 'GITHUB_TOKEN', learn: known.keep, notice: (level, text) => said.push(`${level}: ${text}`) },
  );
  return { source, known, said };
}

test('a rotated token is taken at its next use, and redacted from there on, as the one before still is', () => {
  writeFileSync(file, 'first-token\n');
  const { source, known, said } = sourceOf('first-token');
  expect(source()).toBe('first-token');
  expect(known.redact('second-token')).toBe('second-token');
  writeFileSync(`${file}.new`, 'second-token\n');
  renameSync(`${file}.new`, file);
  expect(source()).toBe('second-token');
  expect(known.redact('first-token, second-token')).toBe('[redacted], [redacted]');
  expect(said).toEqual(['info: GITHUB_TOKEN_FILE has changed, and what it holds now is used']);
});

test('what was replaced between the start and the first use is taken too', () => {
  writeFileSync(file, 'second-token');
  expect(sourceOf('first-token').source()).toBe('second-token');
});

test.each([
  ['away', () => rmSync(file), 'cannot be read (ENOENT); expected the path of a file with the secret'],
  ['empty', () => writeFileSync(file, ' \n'), 'names an empty file; expected one with the secret'],
  [
    'a page',
    () => writeFileSync(file, 'no token\n'),
    'names a file with more than one word; expected the secret alone',
  ],
])('while the file is %s, the last token stays in use, and it is said once', (_, spoil, why) => {
  writeFileSync(file, 'first-token');
  const { source, said } = sourceOf('first-token');
  source();
  spoil();
  expect([source(), source()]).toEqual(['first-token', 'first-token']);
  expect(said).toEqual([`warn: GITHUB_TOKEN_FILE ${why}; what it held before stays in use`]);
});

test('a secret is given in one way only, and every mistake is named', () => {
  writeFileSync(file, 'from-the-file\n');
  expect(withSecretFiles(['A', 'B'], { A_FILE: file, B: 'from-the-variable' })).toMatchObject({
    variables: { A: 'from-the-file', B: 'from-the-variable' },
    files: { A: file },
    problems: [],
  });
  const { problems } = withSecretFiles(['A', 'B', 'C'], { A: 'x', A_FILE: file, B_FILE: folder, C: 'two words' });
  expect(problems).toEqual([
    'A and A_FILE are both set; expected one of them',
    'B_FILE cannot be read (EISDIR); expected the path of a file with the secret',
    'C holds more than one word; expected the secret alone',
  ]);
});

test('tokens of the start stay known however often one is rotated', () => {
  const known = new KnownSecrets(['of-the-start']);
  for (let turn = 0; turn < 100; turn += 1) known.keep(`rotated-token-${turn}.`);
  expect(known.redact('of-the-start rotated-token-99.')).toBe('[redacted] [redacted]');
});
