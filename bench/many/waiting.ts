import { setTimeout as delay } from 'node:timers/promises';
import { startTemporal } from '../../rehearsal/temporal.ts';
import { started, type Place } from '../measurement.ts';
import { median } from '../statistics.ts';
import { openCrowd, type Crowd } from '../stubbed/crowd.ts';
import { startStubbedWorker, type StubbedWorker } from '../stubbed/process.ts';

const taskQueue = 'bench-many';
const nextStep = 'confirm';
/** Milliseconds in which a worker comes to rest. Nobody can collect the heap of its workflow thread from outside. */
const restMs = 5_000;

/** What one worker is like while that many runs wait at a gate. */
export interface Waiting {
  readonly runs: number;
  /** Those of them that the worker keeps in memory. */
  readonly inMemory: number;
  /** Resident memory of the worker's process, in bytes. */
  readonly rss: number;
  /**
   * From an approval until the next activity began, in milliseconds: runs that the worker has long let go of and must
   * replay, where it keeps some in memory only; else runs that it has there.
   */
  readonly wake: readonly number[];
  /** Runs a second that were brought to the gate. */
  readonly perSecond: number;
}

/** Brings more and more runs to a gate on one worker. */
export async function measureWaiting(place: Place, sizes: readonly number[], cli: string): Promise<Waiting[]> {
  const { dir, quick, signal, report } = place;
  const temporal = await startTemporal({ dir, cli, ui: false, signal });
  const layer = place.teardown.layer();
  layer.add('Temporal', () => temporal.stop());
  const worker = await started(place, 'the worker', () =>
    startStubbedWorker(place, { address: temporal.address, taskQueue, toldOf: [nextStep] }),
  );
  const crowd = await openCrowd(place, temporal.address, taskQueue);
  place.teardown.layer().add('the connection to Temporal', () => crowd.close());
  const seen: Waiting[] = [];
  // Those that were woken wait at the gate behind RM-10 by then.
  let woken = 0;
  for (const runs of sizes) {
    report(`bringing runs to the gate, until ${runs} wait`);
    const before = crowd.waiting.length;
    const began = performance.now();
    await crowd.growTo(runs - woken);
    const perSecond = (crowd.waiting.length - before) / ((performance.now() - began) / 1000);
    await delay(restMs, undefined, { signal });
    const { rss, runs: inMemory } = await worker.memory();
    const wake = await wakeOldest(crowd, worker, quick ? 3 : 9);
    woken += wake.length;
    seen.push({ runs, inMemory, rss, wake, perSecond });
    report(
      `${runs} wait, ${inMemory} of them in memory: ${(rss / 2 ** 20).toFixed(0)} MiB, ` +
        `one wakes in ${median(wake).toFixed(0)} ms`,
    );
  }
  // Before anything else is measured on this machine.
  await worker.stop();
  await crowd.close();
  await temporal.stop();
  return seen;
}

async function wakeOldest(crowd: Crowd, worker: StubbedWorker, times: number): Promise<number[]> {
  const wake: number[] = [];
  for (const app of crowd.waiting.slice(0, times)) {
    const began = worker.began(nextStep, app);
    const sent = await crowd.approve(app, 'go');
    wake.push((await began) - sent);
  }
  return wake;
}
