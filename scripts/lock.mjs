import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

const BEAT_MS = 1_000;
const POLL_MS = 200;

/**
 * Runs `work` while no other process on this machine holds the same lock.
 *
 * The lock is a file whose time of change its holder keeps fresh. Process ids are not asked: two containers that share
 * a cache folder do not share them.
 *
 * @template T
 * @param {string} path of the lock file; its folder is made
 * @param {{ onWait?: () => void, staleMs?: number, signal?: AbortSignal | undefined }} options `onWait` is called once when somebody
 *   else holds the lock; a lock that has not been kept fresh for `staleMs` (10 s) is taken over
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, options, work) {
  const token = await acquire(path, options);
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, BEAT_MS);
  beat.unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if ((await readToken(path)) === token) await rm(path, { force: true });
  }
}

async function acquire(path, { onWait, staleMs = 10_000, signal }) {
  await mkdir(dirname(path), { recursive: true });
  const token = randomUUID();
  for (let told = false; ;) {
    signal?.throwIfAborted();
    if (await create(path, token)) return token;
    if (!told) onWait?.();
    told = true;
    await removeStale(path, staleMs);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function create(path, token) {
  const file = await open(path, 'wx').catch((error) => {
    if (error.code === 'EEXIST') return undefined;
    throw error;
  });
  if (file === undefined) return false;
  try {
    await file.writeFile(token);
  } finally {
    await file.close();
  }
  return true;
}

/**
 * Of several processes that find the same stale lock, one may remove it: otherwise a slow one would remove the fresh
 * lock of a quick one. So whoever wants to must first claim that very holder, then look again.
 */
async function removeStale(path, staleMs) {
  const stale = await readToken(path);
  if (stale === undefined || !(await isOlder(path, staleMs))) return;
  const claim = `${path}.${stale || 'empty'}`;
  try {
    await writeFile(claim, '', { flag: 'wx' });
  } catch {
    // Its owner is at it, or died over it.
    if (await isOlder(claim, staleMs)) await rm(claim, { force: true });
    return;
  }
  try {
    if ((await readToken(path)) === stale && (await isOlder(path, staleMs))) await rm(path, { force: true });
  } finally {
    await rm(claim, { force: true });
  }
}

async function isOlder(path, ms) {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > ms;
}

async function readToken(path) {
  return readFile(path, 'utf8').catch(() => undefined);
}
