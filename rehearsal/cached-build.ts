import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withLock } from '../scripts/lock.mjs';
import { startOrphanGuard } from './orphan-guard.ts';

export interface CachedBuild {
  /** What is built, in a few words. */
  readonly what: string;
  /** What whoever builds it is doing with it, for others that wait for it; `building` unless said. */
  readonly verb?: string;
  /** The file or folder in the cache that is to hold it. */
  readonly built: string;
  /** Whether it is there, whole and of the right version. */
  readonly works: (built: string) => Promise<boolean>;
  /** Builds it in an empty folder, and answers what is to be kept: that folder, or a file in it. */
  readonly build: (folder: string) => Promise<string>;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Builds what is not built yet. Two processes at once build once.
 *
 * @throws what `build` throws; what stood in the cache before stays
 */
export async function cachedBuild({
  what,
  verb = 'building',
  built,
  works,
  build,
  log,
  signal,
}: CachedBuild): Promise<void> {
  if (await works(built)) return;
  const onWait = (): void => log(`waiting for another process that is ${verb} ${what}`);
  await withLock(`${built}.lock`, { onWait, signal }, async () => {
    if (await works(built)) return;
    // Made here and renamed when it has proved to work: the cached name never stands for half of it.
    await mkdir(dirname(built), { recursive: true });
    const staging = await mkdtemp(join(dirname(built), `staging-${basename(built)}-`));
    const guard = startOrphanGuard();
    guard.watchFolder(staging);
    try {
      const made = await build(staging);
      if (!(await works(made))) throw new Error(`${what} was built, and does not work`);
      await rm(built, { recursive: true, force: true });
      await rename(made, built);
    } finally {
      await rm(staging, { recursive: true, force: true });
      await guard.close();
    }
  });
}
