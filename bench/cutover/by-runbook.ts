import path from 'node:path';
import type { Client, Connection } from '@temporalio/client';
import { freePort } from '../../rehearsal/ports.ts';
import { startWorkerProcess } from '../../rehearsal/worker-process.ts';
import { costOf, type Cost } from '../history/recorded.ts';
import type { Place } from '../measurement.ts';
import { untilReady } from '../start/worker-ready.ts';
import { approveAtOnce } from './approver.ts';
import { sharesOf, type Shares } from './history-times.ts';
import type { Stage } from './stage.ts';

/** The last step of RM-11, where the procedure by hand ends too. */
const lastStep = 'verify-sessions';

export interface ByRunbook {
  /** From the request that starts the run until RM-11 was done, by the clock of whoever asked. */
  readonly ms: number;
  readonly shares: Shares;
  /** Of the whole run, launch included. */
  readonly cost: Cost;
  /** To Heroku, from the start of the run to its end. */
  readonly requests: number;
}

export interface TemporalHere {
  readonly address: string;
  readonly connection: Connection;
  readonly client: Client;
}

/** A cutover by the runbook: production's worker, ready before the clock starts, and a script that approves at once. */
export async function cutOverByRunbook(
  { guard, signal }: Place,
  { dir, app, platform, workerEnv }: Stage,
  { address, connection, client }: TemporalHere,
): Promise<ByRunbook> {
  const taskQueue = `bench-${app.herokuApp}`;
  const port = await freePort();
  const worker = startWorkerProcess({
    env: { ...workerEnv, TEMPORAL_ADDRESS: address, CUTOVER_TASK_QUEUE: taskQueue, CUTOVER_HEALTH_PORT: String(port) },
    logFile: path.join(dir, 'worker.log'),
  });
  guard.watchGroup(worker.pid);
  const died = new AbortController();
  void worker.ended.then(() => died.abort(new Error('the worker has ended by itself')));
  const alive = AbortSignal.any([signal, died.signal]);
  try {
    await untilReady(`http://127.0.0.1:${port}/readyz`, alive);
    const requestsBefore = platform.heroku.requests.length;
    const began = performance.now();
    const handle = await client.workflow.start('productionCutover', {
      taskQueue,
      workflowId: `cutover-${app.herokuApp}`,
      args: [{ app: app.herokuApp, requestedBy: 'Rehearsal Operator' }],
    });
    const { ms } = await approveAtOnce({ connection, handle, lastStep, began, signal: alive });
    await handle.result();
    const history = await handle.fetchHistory();
    const requests = platform.heroku.requests.length - requestsBefore;
    return { ms, requests, shares: sharesOf(history.events ?? [], lastStep), cost: costOf(history) };
  } finally {
    await worker.stop();
    guard.unwatchGroup(worker.pid);
  }
}
