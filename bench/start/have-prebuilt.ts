import { DefaultLogger } from '@temporalio/worker';
import { buildWorker } from '../../worker/build-worker.ts';
import { findBuiltWorker } from '../../worker/built-worker.mjs';
import { findPrebuilt, prebuild } from '../../worker/prebuilt.ts';

/** Sees to it that worker and bundle are there as `npm run build` leaves them. */
export async function havePrebuilt(report: (text: string) => void): Promise<void> {
  if ('why' in (await findPrebuilt(false))) {
    report('building the workflow bundle, as `npm run build` does');
    await prebuild(undefined, new DefaultLogger('WARN'));
  }
  if ('why' in (await findBuiltWorker())) {
    report('building the worker, as `npm run build` does');
    await buildWorker();
  }
}
