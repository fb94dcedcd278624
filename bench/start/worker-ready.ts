import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { workerFile } from '../../worker/built-worker.mjs';
import { freePort } from '../../rehearsal/ports.ts';
import { startWorkerProcess } from '../../rehearsal/worker-process.ts';
import type { Place } from '../measurement.ts';

/** What a worker's start took, in milliseconds from the moment at which its process was asked for. */
export interface WorkerStart {
  /** Until its own code ran and had read its configuration. */
  readonly loaded: number;
  /** Until it had its workflow bundle and a connection to Temporal. */
  readonly created: number;
  /** Until `/readyz` answered 200. */
  readonly ready: number;
}

/** Milliseconds between two looks: what the figure may be off by. */
const lookEveryMs = 5;
const limitMs = 60_000;

/**
 * Starts production's worker once, as `npm run build` has made it, measures how long it takes until it is ready, and stops it.
 *
 * @param env what the worker is started with
 */
export async function measureWorkerStart(place: Place, env: Readonly<Record<string, string>>): Promise<WorkerStart> {
  const port = await freePort();
  const logFile = path.join(place.dir, `worker-${port}.log`);
  const began = Date.now();
  const worker = startWorkerProcess({
    env: { ...env, CUTOVER_HEALTH_PORT: String(port) },
    logFile,
    entry: workerFile,
  });
  place.guard.watchGroup(worker.pid);
  const ended = new AbortController();
  void worker.ended.then(() => ended.abort(new Error('the worker has ended; see its log')));
  const signal = AbortSignal.any([ended.signal, place.signal]);
  try {
    await untilReady(`http://127.0.0.1:${port}/readyz`, signal);
    const ready = Date.now() - began;
    const log = await readFile(logFile, 'utf8');
    const at = (message: string): number => timeIn(log, message) - began;
    return { loaded: at('health is answered'), created: at('workflow bundle'), ready };
  } finally {
    await worker.stop();
    place.guard.unwatchGroup(worker.pid);
  }
}

/** Resolves when an endpoint answers 200. */
export async function untilReady(url: string, signal: AbortSignal): Promise<void> {
  for (const deadline = Date.now() + limitMs; ;) {
    signal.throwIfAborted();
    const status = await fetch(url, { signal }).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    if (Date.now() > deadline) throw new Error(`the worker was not ready after ${limitMs / 1000} s`);
    await delay(lookEveryMs, undefined, { signal });
  }
}

/** When the worker's log said something, in milliseconds since 1970. */
export function timeIn(log: string, message: string): number {
  for (const line of log.split('\n')) {
    if (!line.startsWith('{')) continue;
    const entry = JSON.parse(line) as { time?: string; message?: string };
    if (entry.message === message) return Date.parse(entry.time ?? '');
  }
  throw new Error(`the log of the worker does not say "${message}"`);
}
