import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withLock } from '../scripts/lock.mjs';
import { startOrphanGuard } from './orphan-guard.ts';

export interface CachedBuild {
  /** What is built, in a few words. */
  readonly what: string;
  /** The folder in the cache that is to hold it. */
  readonly built: string;
  /** Whether a folder holds it, whole and of the right version. */
  readonly works: (folder: string) => Promise<boolean>;
  /** Builds it into an empty folder. */
  readonly build: (folder: string) => Promise<void>;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Builds what is not built yet. Two processes at once build once.
 *
 * @throws what `build` throws; what stood in the cache before stays
 */
export async function cachedBuild({ what, built, works, build, log, signal }: CachedBuild): Promise<void> {
  if (await works(built)) return;
  const onWait = (): void => log(`waiting for another process that is building ${what}`);
  await withLock(`${built}.lock`, { onWait, signal }, async () => {
    if (await works(built)) return;
    // Made here and renamed when it has proved to work: the cached name never stands for half of it.
    await mkdir(dirname(built), { recursive: true });
    const staging = await mkdtemp(join(dirname(built), `staging-${basename(built)}-`));
    const guard = startOrphanGuard();
    guard.watchFolder(staging);
    try {
      await build(staging);
      if (!(await works(staging))) throw new Error(`${what} was built, and does not work`);
      await rm(built, { recursive: true, force: true });
      await rename(staging, built);
    } finally {
      await rm(staging, { recursive: true, force: true });
      await guard.close();
    }
  });
}
