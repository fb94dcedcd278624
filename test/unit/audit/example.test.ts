import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { readFolder } from '../../../audit/record-files.ts';
import { verifyRecord } from '../../../audit/verify.ts';

test('the example holds; where the record has changed, `npm run audit:example` writes it anew', async () => {
  const folder = fileURLToPath(new URL('../../../docs/examples/record', import.meta.url));
  const { signature: _, ...files } = await readFolder(folder);
  expect(verifyRecord(files)).toEqual([]);
  // Who reads the text alone can answer what was approved, changed, undone and is in place.
  for (const heading of [
    '## Who approved what, and on which evidence',
    '## What changed in production',
    '## What was undone',
    '## What is in place now',
  ]) {
    expect(files['record.md']).toContain(heading);
  }
});
