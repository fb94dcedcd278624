import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { imageLimit } from '../browser/images.ts';
import { documents } from '../integration/documents.ts';

test('every image of the guides is there and small, and every one that is there is shown', async () => {
  const shown = (await documents()).flatMap(({ file, text }) =>
    [...text.matchAll(/!\[[^\]]+\]\((images\/[^)]+)\)/g)].map((match) => path.join(path.dirname(file), match[1] ?? '')),
  );
  const kept = (await readdir('docs/images')).map((name) => path.join('docs/images', name));
  expect([...new Set(shown)].sort()).toEqual(kept.sort());
  for (const file of kept) expect((await stat(file)).size).toBeLessThanOrEqual(imageLimit);
});
