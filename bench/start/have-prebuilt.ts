import { DefaultLogger } from '@temporalio/worker';
import { findPrebuilt, prebuild } from '../../worker/prebuilt.ts';

/** Sees to it that there is a bundle as `npm run build` leaves it. */
export async function havePrebuilt(report: (text: string) => void): Promise<void> {
  if (!('why' in (await findPrebuilt(false)))) return;
  report('building the workflow bundle, as `npm run build` does');
  await prebuild(undefined, new DefaultLogger('WARN'));
}
