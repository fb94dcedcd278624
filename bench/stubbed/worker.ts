// A worker as production's, with the real workflow code, in a process of its own; only its activities do nothing. What it
// is asked comes by the channel to its parent, which it does not outlive.
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createHerokuClient } from '../../activities/clients/heroku.ts';
import { tuning } from '../../worker/create-worker.ts';
import { createGuard } from '../../worker/guard.ts';
import { keepHeapsSmall } from '../../worker/heap.ts';
import { KnownSecrets } from '../../worker/known-secrets.ts';
import { findPrebuilt } from '../../worker/prebuilt.ts';
import type { StepId } from '../../workflows/steps.ts';
import type { Answer, Question, StubSettings } from './process.ts';
import { createStubActivities } from './stub-activities.ts';

keepHeapsSmall();
const say = (): void => undefined;
Runtime.install({ logger: { log: say, trace: say, debug: say, info: say, warn: console.error, error: console.error } });

const tell = (answer: Answer): void => void process.send?.(answer);
process.once('message', (settings: StubSettings) => void serve(settings).then(() => process.exit(0)));
process.once('disconnect', () => process.exit(0));
tell({ is: 'loaded' });

async function serve({ address, taskQueue, platform, toldOf }: StubSettings): Promise<void> {
  const prebuilt = await findPrebuilt(false);
  if ('why' in prebuilt) throw new Error(`the workflow bundle is not there: ${prebuilt.why}`);
  const ended = new Map<StepId, number>();
  const activities = createStubActivities({
    heroku: platform && createHerokuClient({ ...platform, dataUrl: platform.apiUrl }),
    listener(step, app, what, at) {
      if (what === 'ended') ended.set(step, (ended.get(step) ?? 0) + 1);
      else if (toldOf.includes(step)) tell({ is: 'began', step, app, at });
    },
  });
  const connection = await NativeConnection.connect({ address });
  const known = new KnownSecrets(platform ? [platform.token] : []);
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowBundle: prebuilt,
    activities,
    ...createGuard(known, undefined, say).options,
    ...tuning,
  });
  process.on('message', (question: Question) => {
    switch (question.ask) {
      case 'memory':
        return tell({
          is: 'memory',
          rss: process.memoryUsage().rss,
          runs: worker.getStatus().numCachedWorkflows,
        });
      case 'ended':
        return tell({ is: 'ended', steps: Object.fromEntries(ended) });
    }
  });
  // Its own handler of SIGTERM shuts it down.
  tell({ is: 'running' });
  await worker.run();
  await connection.close();
}
