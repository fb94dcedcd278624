import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findPrebuilt, prebuild } from '../../../worker/prebuilt.ts';

const silent = { log: say, trace: say, debug: say, info: say, warn: say, error: say };
let folder: string;
let plain: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cutover-dist-'));
  [plain = ''] = await prebuild(folder, silent);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a bundle of the current sources is found, with keys and without', async () => {
  expect(await findPrebuilt(false, folder)).toEqual({ code: readFileSync(plain, 'utf8') });
  expect(await findPrebuilt(true, folder)).toEqual({
    code: readFileSync(join(folder, 'workflow-bundle-encrypting.js'), 'utf8'),
  });
  expect(await findPrebuilt(false, join(folder, 'no-such'))).toEqual({ why: 'there is none' });
});

test('a bundle that is not whole, or of other sources, is not used', async () => {
  const text = readFileSync(plain, 'utf8');
  appendFileSync(plain, ' ');
  expect(await findPrebuilt(false, folder)).toEqual({ why: 'it is not whole' });
  writeFileSync(plain, text);
  const note = JSON.parse(readFileSync(`${plain}on`, 'utf8')) as object;
  writeFileSync(`${plain}on`, JSON.stringify({ ...note, sources: 'ab'.repeat(32) }));
  expect(await findPrebuilt(false, folder)).toEqual({ why: 'it is of other sources' });
});

function say(): void {}
