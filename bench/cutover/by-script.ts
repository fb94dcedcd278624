import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startWorkerProcess } from '../../rehearsal/worker-process.ts';
import type { Place } from '../measurement.ts';
import type { BareAnswer, BareOrder } from './bare.ts';
import type { Stage } from './stage.ts';
import type { StepTime } from './step-time.ts';

const entry = fileURLToPath(new URL('bare.ts', import.meta.url));

/** A cutover by the runbook's activities alone, in a process of its own that has loaded before the clock starts. */
export async function cutOverByScript(
  { guard, signal }: Place,
  { dir, app, workerEnv }: Stage,
): Promise<{ ms: number; steps: readonly StepTime[] }> {
  const logFile = path.join(dir, 'bare.log');
  // Its configuration wants an address of Temporal, which it never calls.
  const env = { ...workerEnv, TEMPORAL_ADDRESS: '127.0.0.1:1' };
  const child = startWorkerProcess({ env, logFile, entry });
  guard.watchGroup(child.pid);
  const answer = (): Promise<BareAnswer> =>
    new Promise((resolve, reject) => {
      child.process.once('message', (message: BareAnswer) => resolve(message));
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      void child.ended.then(() => reject(new Error(`the script has ended; see ${logFile}`)));
    });
  try {
    await answer();
    const done = answer();
    const order: BareOrder = { app: app.herokuApp };
    child.process.send(order);
    const told = await done;
    if (typeof told === 'string') throw new Error('the script said twice that it was loaded');
    if ('failed' in told) throw new Error(`the script failed: ${told.failed}`);
    return told;
  } finally {
    await child.stop();
    guard.unwatchGroup(child.pid);
  }
}
