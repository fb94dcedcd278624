import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';

interface Nothing {
  doNothing(): Promise<null>;
}
const options = { startToCloseTimeout: '1 minute' } as const;
const steps = {
  activity: proxyActivities<Nothing>(options),
  local: proxyLocalActivities<Nothing>(options),
};
export type StepKind = keyof typeof steps;

/** Steps that do nothing, one after the other: what is left is the engine. */
export async function stepsThatDoNothing(count: number, kind: StepKind): Promise<void> {
  for (let left = count; left > 0; left -= 1) await steps[kind].doNothing();
}
