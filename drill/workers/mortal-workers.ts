import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkerProcess, WorkerProcessOptions } from '../../rehearsal/worker-process.ts';
import { readDiary, writeLine, type DiaryLine } from './diary.ts';
import type { KillPoint, Orders } from './killable-worker.ts';

const entry = fileURLToPath(new URL('killable-worker.ts', import.meta.url));

/** Where workers are started. */
export interface Workplace {
  /** Takes the diary. */
  readonly dir: string;
  /** Path of the workflow bundle. */
  readonly codePath: string;
  startWorker(options: Pick<WorkerProcessOptions, 'entry'>): WorkerProcess;
}

export interface MortalWorkers {
  /** What they have written down so far, in order. */
  diary(): DiaryLine[];
  /** The deaths so far, in order. */
  deaths(): DiaryLine[];
  /** Kills the worker that runs, as `kill -9` does; the next one takes its place. */
  kill(step: string): void;
  stop(): Promise<void>;
}

/**
 * Keeps workers running of which one dies at each point of a plan. The successor is already loaded and waits, so that what
 * is measured is the runbook's recovery and not the time that Node takes to start.
 *
 * @param atOnce how many run at once
 */
export async function startMortalWorkers(
  workplace: Workplace,
  plan: readonly KillPoint[],
  atOnce = 1,
): Promise<MortalWorkers> {
  const file = path.join(workplace.dir, 'diary.jsonl');
  const diary = (): DiaryLine[] => readDiary(file);
  let stopped = false;
  const spawn = (): { worker: WorkerProcess; loaded: Promise<void> } => {
    const worker = workplace.startWorker({ entry });
    return { worker, loaded: new Promise((resolve) => worker.process.once('message', () => resolve())) };
  };
  let standby = spawn();
  const running = new Set<WorkerProcess>();

  const promote = async (): Promise<void> => {
    const { worker, loaded } = standby;
    await Promise.race([loaded, worker.ended]);
    if (stopped) return;
    running.add(worker);
    const orders: Orders = { codePath: workplace.codePath, diary: file, plan };
    worker.process.send(orders, () => undefined);
    standby = spawn();
    void worker.ended.then(() => {
      running.delete(worker);
      return stopped ? undefined : promote();
    });
  };
  for (let count = 0; count < atOnce; count += 1) await promote();

  return {
    diary,
    deaths: () => diary().filter(({ dies }) => dies !== undefined),
    kill(step) {
      const [worker] = running;
      if (worker === undefined) return;
      writeLine(file, { at: Date.now(), pid: worker.pid, step, progress: 'parked', dies: 'SIGKILL' });
      process.kill(worker.pid, 'SIGKILL');
    },
    async stop() {
      stopped = true;
      await Promise.all([...running].map((worker) => worker.stop()));
      await standby.worker.stop();
    },
  };
}
