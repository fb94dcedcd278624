import type { Teardown } from '../rehearsal/start/teardown.ts';
import type { OrphanGuard } from '../rehearsal/orphan-guard.ts';
import type { Findings } from './results.ts';

/** Where a measurement takes place. All of it is gone when the measurement is over. */
export interface Place {
  /** Few repetitions and small numbers. */
  readonly quick: boolean;
  /** A scratch folder of the measurement's own. */
  readonly dir: string;
  /** Told each process group that is started. */
  readonly guard: OrphanGuard;
  readonly teardown: Pick<Teardown, 'layer'>;
  /** Aborted when the benchmark is to end. */
  readonly signal: AbortSignal;
  /** Says what is being done. */
  readonly report: (text: string) => void;
}

export interface Measurement {
  readonly title: string;
  /** @throws what went wrong, or the signal's reason */
  readonly measure: (place: Place) => Promise<Findings>;
}

/** Starts something that is stopped when the measurement is over, before what was started earlier. */
export async function started<T extends { stop(): Promise<unknown> }>(
  { signal, teardown }: Pick<Place, 'signal' | 'teardown'>,
  what: string,
  start: () => Promise<T> | T,
): Promise<T> {
  signal.throwIfAborted();
  const it = await start();
  teardown.layer().add(what, () => it.stop());
  return it;
}
