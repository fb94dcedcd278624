import { setFlagsFromString } from 'node:v8';

/** Percent of what is alive by which a heap may grow before the next collection. V8 by itself lets it grow to four times that. */
const growingPercent = 25;

/**
 * Has garbage collected often, in every thread of this process: a workflow thread through which thousands of runs come by
 * leaves much of it, and V8 would let a gigabyte lie while there is memory. It costs processor time, a seventh where many
 * runs start at once [seen: docs/performance.md]. Call it before any thread is started.
 *
 * V8 reads this flag at each collection, so that it may be set while Node runs, however Node was started.
 */
export function keepHeapsSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${growingPercent}`);
}
