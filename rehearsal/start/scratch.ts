import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startOrphanGuard, type OrphanGuard } from '../orphan-guard.ts';
import type { Teardown } from './teardown.ts';

/** A scratch folder that goes with this process, however that ends, and the guard that sees to it. */
export async function scratchFolder(teardown: Teardown): Promise<{ dir: string; guard: OrphanGuard }> {
  const guard = startOrphanGuard();
  teardown.layer().add('the orphan guard', () => guard.close());
  const dir = await mkdtemp(path.join(tmpdir(), 'raptor-cutover-'));
  guard.watchFolder(dir);
  teardown.layer().add(dir, () => rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  return { dir, guard };
}
