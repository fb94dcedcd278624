import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DefaultLogger } from '@temporalio/worker';
import { preparePython } from '../rehearsal/python.ts';
import type { Ending } from '../rehearsal/start/command.ts';
import { createReporter, stopAll } from '../rehearsal/start/reporter.ts';
import { scratchFolder } from '../rehearsal/start/scratch.ts';
import { createTeardown } from '../rehearsal/start/teardown.ts';
import type { Terminal } from '../rehearsal/start/terminal.ts';
import { plain } from '../rehearsal/start/text.ts';
import { startTemporal } from '../rehearsal/temporal.ts';
import { buildWorkflowBundle } from '../worker/bundle.ts';
import { drillAll } from './drill-all.ts';
import type { DrillOptions } from './options.ts';
import { complaintsOf, recoveryTarget, survived, tableLines, withoutStanding, type Result } from './results.ts';
import type { Place } from './stage.ts';

/** Milliseconds in which what was started must have stopped. */
const stopLimitMs = 20_000;

/** Drills the cases that the options ask for, and shows what came of it. */
export async function drill(options: DrillOptions, terminal: Terminal, signal: AbortSignal): Promise<Ending> {
  if (options.list) {
    for (const { id } of [...options.cases].sort((a, b) => a.id.localeCompare(b.id))) terminal.line(id);
    return 'verified';
  }
  const { seed, cases, abreast, share } = options;
  terminal.line(`Seed ${seed}: ${cases.length} cases, ${abreast} at once`);
  const teardown = createTeardown(stopLimitMs);
  const began = performance.now();
  const results: Result[] = [];
  try {
    const { dir, guard } = await scratchFolder(teardown);
    const report = createReporter(terminal);
    const python = await preparePython(report, { signal });
    report('building the workflow bundle');
    const codePath = path.join(dir, 'workflow-bundle.js');
    await writeFile(codePath, (await buildWorkflowBundle(new DefaultLogger('WARN'))).code);
    report('starting Temporal');
    const temporal = await startTemporal({ dir, ui: false, log: report, signal });
    teardown.layer().add('Temporal', () => temporal.stop());
    const place: Place = { dir, guard, pythonBin: python.bin, codePath, temporal, signal };
    await drillAll({
      ...{ cases, seed, abreast, share, place },
      told: (result, done, all) => {
        results.push(result);
        tell(terminal, result, done, all);
      },
    });
    return conclude(terminal, results, (performance.now() - began) / 1000);
  } catch (error) {
    if (!signal.aborted) throw error;
    for (const line of ['', ...tableLines(results), '']) terminal.line(line);
    terminal.line('Interrupted: stopping everything.');
    return 'interrupted';
  } finally {
    await stopAll(terminal, teardown);
  }
}

function tell(terminal: Terminal, result: Result, done: number, all: number): void {
  const verdict = survived(result) ? 'survived' : terminal.colors.red('did not survive');
  terminal.line(`  ${done}/${all} ${result.case.id}: ${verdict}, ${result.seconds.toFixed(0)} s`);
  for (const line of complaintsOf(result)) terminal.line(`    ${plain(line)}`);
}

function conclude(terminal: Terminal, results: readonly Result[], seconds: number): Ending {
  for (const line of ['', ...tableLines(results), '']) terminal.line(line);
  const worst = worstOf(results.map(withoutStanding));
  const standing = worstOf(results.filter(({ case: one }) => one.disturbance === 'two-workers'));
  terminal.line(
    `Recovery within ${recoveryTarget} s: ${worst <= recoveryTarget ? 'met' : 'missed'}` +
      (standing === 0 ? '.' : `, but for workers that stand still: ${standing.toFixed(1)} s.`) +
      ` All of it took ${(seconds / 60).toFixed(1)} minutes.`,
  );
  const dead = results.filter((result) => !survived(result));
  if (dead.length === 0) terminal.line('Every case survived.');
  for (const { case: one } of dead) terminal.line(`Did not survive: ${one.id}`);
  return dead.length === 0 ? 'verified' : 'failed';
}

/** The longest recovery, in seconds. */
function worstOf(results: readonly Result[]): number {
  return Math.max(0, ...results.flatMap(({ recoveries }) => recoveries.map(({ ms }) => ms))) / 1000;
}
