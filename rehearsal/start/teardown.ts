import { setTimeout as delay } from 'node:timers/promises';

/** Things that were started, and how they are stopped. */
export interface Teardown {
  /** A layer upon those so far: it is stopped before them, and what is in it at once. */
  layer(): Layer;
  /**
   * Stops everything, the topmost layer first. Where something does not stop, the layers below are left alone: in the
   * lowest is the orphan guard, which ends and removes the rest by force when this process ends.
   *
   * @returns what did not stop, a line for each
   */
  run(): Promise<string[]>;
}

export interface Layer {
  add(what: string, stop: () => Promise<unknown>): void;
}

/** @param limitMs for all of it: Ctrl-C is to have stopped everything within 10 s, the guard's force included */
export function createTeardown(limitMs = 7_000): Teardown {
  const layers: Map<string, () => Promise<unknown>>[] = [];
  return {
    layer() {
      const stops = new Map<string, () => Promise<unknown>>();
      layers.push(stops);
      return { add: (what, stop) => void stops.set(what, stop) };
    },
    async run() {
      const deadline = Date.now() + limitMs;
      for (let layer = layers.pop(); layer !== undefined; layer = layers.pop()) {
        const problems = await Promise.all([...layer].map(([what, stop]) => problemOf(what, stop, deadline)));
        const left = problems.filter((problem) => problem !== undefined);
        if (left.length > 0) return left;
      }
      return [];
    },
  };
}

async function problemOf(what: string, stop: () => Promise<unknown>, deadline: number): Promise<string | undefined> {
  const stopped = new AbortController();
  const limit = { signal: stopped.signal };
  const late = delay(Math.max(0, deadline - Date.now()), `${what} did not stop in time`, limit).catch(() => undefined);
  try {
    return await Promise.race([stop().then(() => undefined), late]);
  } catch (error) {
    return `${what} could not be stopped: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    stopped.abort();
  }
}
