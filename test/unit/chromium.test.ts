import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findChromium } from '../browser/chromium.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'find-chromium-'));
});
afterAll(() => rm(dir, { recursive: true }));

/** A program of that name that prints a text. */
async function program(folder: string, name: string, script: string): Promise<string> {
  const file = path.join(dir, folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

const missing = 'echo "error while loading shared libraries: libnss3.so: cannot open shared object file" >&2; exit 127';

describe('the browser of the tests', () => {
  test('is the one that is given, and nothing else where that does not work', async () => {
    const works = await program('given', 'browser', 'echo Chromium 150.0.1');
    expect(await findChromium({ CHROMIUM_PATH: works })).toEqual({
      executablePath: works,
      env: { CHROMIUM_PATH: works },
    });
    const broken = await program('given', 'broken', missing);
    await expect(findChromium({ CHROMIUM_PATH: broken })).rejects.toThrow(
      /^CHROMIUM_PATH is .*broken, but that is not a Chromium that works: .*libnss3\.so/,
    );
  });

  test('is one on PATH that works', async () => {
    await program('first', 'chromium', missing);
    const chrome = await program('second', 'google-chrome', 'echo Google Chrome 150.0.1');
    const PATH = `${path.join(dir, 'first')}:${path.join(dir, 'second')}`;
    expect((await findChromium({ PATH })).executablePath).toBe(chrome);
  });

  test('where none works, what each lacks is said, and what to do', async () => {
    // The cached name of the one that the package carries, taken by one that lacks a library here.
    const cache = path.join(dir, 'cache');
    const packed = await program('packed', 'chromium', missing);
    const { devDependencies } = JSON.parse(await readFile('package.json', 'utf8')) as Record<
      string,
      Record<string, string>
    >;
    const version = devDependencies?.['@sparticuz/chromium'] ?? '';
    await mkdir(path.join(cache, 'chromium', version), { recursive: true });
    await symlink(packed, path.join(cache, 'chromium', version, 'chromium'));
    const failed = findChromium({ PATH: '', RAPTOR_CUTOVER_CACHE: cache });
    await expect(failed).rejects.toThrow(/^The browser tests need Chromium, and none was found that works: /);
    await expect(failed).rejects.toThrow(
      /libnss3\.so.*\nInstall Chromium .*`apt-get install chromium`.*CHROMIUM_PATH/s,
    );
  });
});
