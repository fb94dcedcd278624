import { proxyActivities } from '@temporalio/workflow';

const { doNothing } = proxyActivities<{ doNothing(): Promise<null> }>({ startToCloseTimeout: '1 minute' });

/** Steps that do nothing, one after the other: what is left is the engine. */
export async function stepsThatDoNothing(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) await doNothing();
}
