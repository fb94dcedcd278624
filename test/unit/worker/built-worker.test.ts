import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { buildWorker } from '../../../worker/build-worker.ts';
import { findBuiltWorker, notBuilt } from '../../../worker/built-worker.mjs';
import { projectFolder } from '../../../worker/source-digest.mjs';

let folder: string;
let file: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cutover-dist-'));
  file = await buildWorker(path.join(folder, 'worker.js'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Note {
  readonly of: readonly string[];
  readonly sources: string;
}
const readNote = (): Note => JSON.parse(readFileSync(`${file}on`, 'utf8')) as Note;
const other = (note: Partial<Note>): void => writeFileSync(`${file}on`, JSON.stringify({ ...readNote(), ...note }));

test('what was built of the current sources is found, and elsewhere there is none', async () => {
  expect(await findBuiltWorker(file)).toEqual({ file });
  expect(await findBuiltWorker(path.join(folder, 'no-such.js'))).toEqual({ why: notBuilt });
});

test('its note names every source, and no package but by the lockfile', () => {
  const { of } = readNote();
  expect(of).toEqual(expect.arrayContaining(['worker/main.ts', 'activities/index.ts', 'package-lock.json']));
  expect(
    of.filter((source) => source.includes('node_modules') || !existsSync(path.join(projectFolder, source))),
  ).toEqual([]);
  expect(of.filter((source) => /^(rehearsal|bench|drill|test|scripts)\//.test(source))).toEqual([]);
});

test('what is not whole, or of other sources, is not used', async () => {
  const [code, note] = [readFileSync(file, 'utf8'), readFileSync(`${file}on`, 'utf8')];
  appendFileSync(file, ' ');
  expect(await findBuiltWorker(file)).toEqual({ why: 'what was built is not whole' });
  writeFileSync(file, code);

  const stale = { why: 'what was built is of other sources' };
  other({ sources: 'ab'.repeat(32) });
  expect(await findBuiltWorker(file)).toEqual(stale);
  writeFileSync(`${file}on`, note);
  other({ of: [...readNote().of, 'worker/taken-away.ts'] });
  expect(await findBuiltWorker(file)).toEqual(stale);
  writeFileSync(`${file}on`, 'no note');
  expect(await findBuiltWorker(file)).toEqual(stale);
  writeFileSync(`${file}on`, note);
  expect(await findBuiltWorker(file)).toEqual({ file });
});

test('a module that finds files beside itself keeps its own place', () => {
  const code = readFileSync(file, 'utf8');
  const places = [...code.matchAll(/new URL\("([^"]+)", import\.meta\.url\)\.href/g)].map(
    ([, relative = '']) => relative,
  );
  expect(places.length).toBeGreaterThan(2);
  expect(places.filter((relative) => !existsSync(path.resolve(folder, relative)))).toEqual([]);
});
