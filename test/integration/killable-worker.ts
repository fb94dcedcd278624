// A worker that dies by its own SIGKILL when an activity has come as far as the test asks. Everything else is production's:
// the death is the listener's, which in production writes the log.
import { appendFileSync } from 'node:fs';
import { Runtime } from '@temporalio/worker';
import type { Progress } from '../../activities/scope.ts';
import { readConfig } from '../../worker/config.ts';
import { createWorker } from '../../worker/create-worker.ts';

export interface KillPoint {
  readonly step: string;
  readonly progress: Progress;
}

export interface Orders {
  readonly codePath: string;
  readonly plan: readonly KillPoint[];
  /** Takes a line for each death: what a dying process sends may not arrive, what it has written stays. */
  readonly diary: string;
}

Runtime.install({ logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} } });

process.once('message', (message: Orders) => {
  void run(message);
});
process.once('disconnect', () => process.exit(0));
process.send?.('loaded');

async function run({ codePath, plan, diary }: Orders): Promise<void> {
  const { worker, close } = await createWorker(readConfig(process.env), {
    listener: ({ step }, progress) => {
      if (plan.some((point) => point.step === step && point.progress === progress)) {
        appendFileSync(diary, `${JSON.stringify({ step, progress })}\n`);
        process.kill(process.pid, 'SIGKILL');
      }
    },
    bundle: { codePath },
  });
  process.once('SIGTERM', () => worker.shutdown());
  await worker.run();
  await close();
  process.exit(0);
}
