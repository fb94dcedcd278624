import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { withLock } from '../../scripts/lock.mjs';

let dir: string;
let path: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lock-'));
  path = join(dir, 'inner', 'it.lock');
});
afterEach(() => rm(dir, { recursive: true }));

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs several at once; fails when two of them are ever inside together. */
async function crowd(size: number): Promise<void> {
  let inside = 0;
  const enter = () =>
    withLock(path, { staleMs: 1_000 }, async () => {
      inside += 1;
      expect(inside).toBe(1);
      await pause(5);
      inside -= 1;
    });
  await Promise.all(Array.from({ length: size }, enter));
}

describe('a lock', () => {
  test('is held by one at a time and leaves nothing behind', async () => {
    await crowd(5);
    expect(await readdir(join(dir, 'inner'))).toEqual([]);
  });

  test('is given back when the work fails', async () => {
    await expect(withLock(path, {}, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(existsSync(path)).toBe(false);
  });

  test('says once that somebody else holds it', async () => {
    let told = 0;
    const first = withLock(path, {}, () => pause(500));
    await pause(20);
    await withLock(path, { onWait: () => (told += 1) }, () => Promise.resolve());
    await first;
    expect(told).toBe(1);
  });

  test('of a dead holder is taken over, by one of those who wait', async () => {
    await withLock(path, {}, () => Promise.resolve());
    await writeFile(path, 'somebody who died');
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(path, longAgo, longAgo);
    await crowd(4);
    expect(await readdir(join(dir, 'inner'))).toEqual([]);
  });

  test('is not waited for after an abort', async () => {
    await withLock(path, {}, async () => {
      const aborter = new AbortController();
      const waiting = withLock(path, { signal: aborter.signal }, () => Promise.resolve());
      aborter.abort(new Error('stopped'));
      await expect(waiting).rejects.toThrow('stopped');
    });
  });
});
