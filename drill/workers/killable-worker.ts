// A worker that dies by its own SIGKILL when an activity has come as far as it is asked. Everything else is production's:
// the death is the listener's, which in production writes the log.
import { Runtime } from '@temporalio/worker';
import type { Progress } from '../../activities/scope.ts';
import { readConfig } from '../../worker/config.ts';
import { createWorker } from '../../worker/create-worker.ts';
import { steps } from '../../workflows/steps.ts';
import { isDeathAt, readDiary, writeLine } from './diary.ts';

export interface KillPoint {
  readonly step: string;
  readonly progress: Progress;
  /** SIGKILL unless said. By SIGSTOP it stands still, and is there again when somebody continues it. */
  readonly by?: 'SIGKILL' | 'SIGSTOP';
}

export interface Orders {
  readonly codePath: string;
  /** Each of them kills one worker, whichever comes there first. */
  readonly plan: readonly KillPoint[];
  /** Takes a line for each progress, and for each death. */
  readonly diary: string;
}

Runtime.install({ logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} } });

process.once('message', (message: Orders) => {
  void run(message);
});
process.once('disconnect', () => process.exit(0));
process.send?.('loaded');

async function run({ codePath, plan, diary }: Orders): Promise<void> {
  const { pid } = process;
  const { worker, close } = await createWorker(readConfig(process.env), {
    listener: ({ step }, progress) => {
      // What runs beside the steps, and asks who sent a message, is none of them.
      if (!Object.hasOwn(steps, step)) return;
      const line = { at: Date.now(), pid, step, progress };
      const point = plan.find((one) => one.step === step && one.progress === progress);
      if (point === undefined || readDiary(diary).some((earlier) => isDeathAt(earlier, point))) {
        writeLine(diary, line);
        return;
      }
      const { by: dies = 'SIGKILL' } = point;
      writeLine(diary, { ...line, dies });
      process.kill(pid, dies);
    },
    bundle: { codePath },
  });
  process.once('SIGTERM', () => worker.shutdown());
  await worker.run();
  await close();
  process.exit(0);
}
