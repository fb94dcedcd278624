import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkerProcess } from '../../rehearsal/worker-process.ts';
import type { Rig } from './cutover-rig.ts';
import type { KillPoint, Orders } from './killable-worker.ts';

const entry = fileURLToPath(new URL('killable-worker.ts', import.meta.url));

export interface MortalWorkers {
  /** The deaths so far, in order. */
  deaths(): KillPoint[];
  stop(): Promise<void>;
}

/**
 * Keeps one worker running that dies at each point of a plan, once. Its successor is already loaded and waits, so that
 * what a test measures is the runbook's recovery and not the time that Node takes to start.
 */
export async function startMortalWorkers(rig: Rig, plan: readonly KillPoint[]): Promise<MortalWorkers> {
  const codePath = process.env['RC_TEST_WORKFLOW_BUNDLE'] ?? '';
  const diary = path.join(rig.dir, 'deaths.jsonl');
  const deaths = (): KillPoint[] =>
    existsSync(diary)
      ? readFileSync(diary, 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line) as KillPoint)
      : [];
  const isDead = (point: KillPoint): boolean =>
    deaths().some((death) => death.step === point.step && death.progress === point.progress);

  let stopped = false;
  const spawn = (): { worker: WorkerProcess; loaded: Promise<void> } => {
    const worker = rig.startWorker({ entry });
    return { worker, loaded: new Promise((resolve) => worker.process.once('message', () => resolve())) };
  };
  let standby = spawn();
  let current: WorkerProcess | undefined;

  const promote = async (): Promise<void> => {
    const { worker, loaded } = standby;
    await loaded;
    if (stopped) return;
    current = worker;
    const orders: Orders = { codePath, diary, plan: plan.filter((point) => !isDead(point)) };
    worker.process.send(orders);
    standby = spawn();
    void worker.ended.then(() => (stopped ? undefined : promote()));
  };
  await promote();

  return {
    deaths,
    async stop() {
      stopped = true;
      await current?.stop();
      await standby.worker.stop();
    },
  };
}
