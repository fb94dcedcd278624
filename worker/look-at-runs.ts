import type { Client } from '@temporalio/client';
import { findOrphaned, readOpenRuns, type OpenRuns } from './open-runs.ts';

interface Looking {
  readonly client: Client;
  /** Milliseconds between two looks. */
  readonly everyMs: number;
  /** Takes a line about each run that stands still, once. */
  readonly warn: (line: string) => void;
  readonly tell?: ((open: OpenRuns, orphaned: number) => void) | undefined;
}

/**
 * Looks at the open runs of the namespace again and again, as the server knows them: that is right after a restart of the
 * worker too, and while a run waits for days.
 *
 * @returns stops it
 */
export function lookAtRuns({ client, everyMs, warn, tell }: Looking): () => void {
  let known = new Set<string>();
  const look = async (): Promise<void> => {
    const open = await readOpenRuns(client);
    const orphaned = findOrphaned(open, Date.now());
    for (const { why } of orphaned.filter((one) => !known.has(one.why))) warn(why);
    known = new Set(orphaned.map(({ why }) => why));
    tell?.(open, orphaned.length);
  };
  // Without an answer the time of the last count stays, and shows it.
  const turn = (): void => void look().catch(() => undefined);
  turn();
  const looking = setInterval(turn, everyMs).unref();
  return () => clearInterval(looking);
}
