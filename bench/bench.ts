import { setMaxListeners } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem, type } from 'node:os';
import path from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import { orAborted } from '../rehearsal/start/abort.ts';
import type { Ending } from '../rehearsal/start/command.ts';
import { UsageError } from '../rehearsal/start/options.ts';
import { createReporter, stopAll } from '../rehearsal/start/reporter.ts';
import { scratchFolder } from '../rehearsal/start/scratch.ts';
import { createTeardown } from '../rehearsal/start/teardown.ts';
import type { Terminal } from '../rehearsal/start/terminal.ts';
import type { Measurement } from './measurement.ts';
import { measurements } from './measurements.ts';
import { measurementIds, type BenchOptions, type MeasurementId } from './options.ts';
import { writePage } from './page.ts';
import { readResults, type Measured, type Results } from './results.ts';
import { missed, tableLines } from './table.ts';

/** Milliseconds in which what a measurement has started must have stopped. */
const stopLimitMs = 20_000;

/** Measures what the options ask for, one thing after the other, and shows and writes what came of it. */
export async function bench(options: BenchOptions, terminal: Terminal, signal: AbortSignal): Promise<Ending> {
  await checkFolder(options.jsonFile);
  const results =
    options.from === undefined ? await measureAll(options, terminal, signal) : await resultsIn(options.from);
  if (results === undefined) return 'interrupted';
  for (const line of ['', ...tableLines(results)]) terminal.line(line);
  const misses = missed(results);
  terminal.line(misses.length === 0 ? 'No target was missed.' : 'Missed:');
  for (const line of misses) terminal.line(`  ${line}`);
  if (options.jsonFile !== undefined) {
    await writeFile(options.jsonFile, `${JSON.stringify(results, null, 2)}\n`);
    terminal.line(`The figures stand in ${options.jsonFile}`);
  }
  if (options.write) {
    const isPart = options.from === undefined && options.only.length < measurementIds.length;
    await writePage(results, isPart ? measurementIds : undefined);
    terminal.line('docs/performance.md and docs/performance.json were written');
  }
  return results.measurements.some(({ failed }) => failed !== undefined) ? 'failed' : 'verified';
}

async function measureAll(
  { only, quick }: BenchOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Results | undefined> {
  // Whatever is started listens to it.
  setMaxListeners(0, signal);
  const done: Measured[] = [];
  for (const id of only) {
    const measured = await measureOne(id, measurements[id], { quick, terminal, signal });
    if (measured === undefined) return undefined;
    done.push(measured);
  }
  return { format: 1, version: packageJson.version, machine: machine(), measurements: done };
}

interface Circumstances extends Pick<BenchOptions, 'quick'> {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** @returns undefined where it was interrupted */
async function measureOne(
  id: MeasurementId,
  { title, measure }: Measurement,
  { quick, terminal, signal }: Circumstances,
): Promise<Measured | undefined> {
  const [load = 0] = loadavg();
  const on = new Date().toISOString();
  const began = performance.now();
  const teardown = createTeardown(stopLimitMs);
  terminal.line(terminal.colors.bold(title));
  const about = () => {
    const seconds = rounded((performance.now() - began) / 1000, 1);
    return { id, title, on, quick, load: rounded(load, 2), seconds };
  };
  try {
    const { dir, guard } = await scratchFolder(teardown);
    const report = createReporter(terminal);
    // Whatever it waits for: what it has started is stopped, and the rest of it fails with that.
    const measuring = measure({ quick, dir, guard, teardown, signal, report });
    const { figures, comparisons = [], notes = [] } = await orAborted(signal, measuring);
    return { ...about(), figures: figures.map(roundedFigure), comparisons, notes };
  } catch (error) {
    if (signal.aborted) {
      terminal.line('Interrupted: stopping everything.');
      return undefined;
    }
    const failed = error instanceof Error ? error.message : String(error);
    terminal.line(`  failed: ${failed}`);
    return { ...about(), figures: [], comparisons: [], notes: [], failed };
  } finally {
    await stopAll(terminal, teardown);
  }
}

async function resultsIn(file: string): Promise<Results> {
  try {
    return readResults(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} holds no figures of the benchmark: ${(error as Error).message}`, { cause: error });
  }
}

/** Told before anything is measured, not when all of it is done. */
async function checkFolder(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const isFolder = await stat(path.dirname(file)).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new UsageError(`There is no folder ${path.dirname(file)} to write the figures into.`);
}

function machine(): Results['machine'] {
  return {
    cpu: cpus()[0]?.model.trim() || 'a processor that does not say its name',
    cores: availableParallelism(),
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    system: type(),
    node: process.versions.node,
  };
}

function rounded(value: number, places: number): number {
  return Number(value.toFixed(places));
}

function roundedFigure<F extends Measured['figures'][number]>(figure: F): F {
  const { value, range } = figure;
  const exact = (number: number): number => rounded(number, 3);
  return { ...figure, value: exact(value), ...(range ? { range: [exact(range[0]), exact(range[1])] } : {}) };
}
