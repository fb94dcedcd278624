// Performs single steps as a worker does, behind the same boundary, in a process that has a worker's environment: what
// rendezvous is checked against can only be given to a process as it starts.
import type { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { atBoundary } from '../../activities/boundary.ts';
import { createActivities } from '../../activities/index.ts';
import { readConfig } from '../../worker/config.ts';
import { servicesOf } from '../../worker/create-worker.ts';
import { steps, type StepCall, type StepResult } from '../../workflows/steps.ts';

export interface StepOrder {
  readonly id: number;
  readonly call: StepCall;
}

export type StepAnswer =
  | { readonly id: number; readonly result: StepResult<unknown> }
  | { readonly id: number; readonly failure: { readonly type: string; readonly message: string } };

const activities = createActivities(servicesOf(readConfig(process.env)));
const silent = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };

process.on('message', ({ id, call }: StepOrder) => {
  void perform(call).then(
    (result) => answer({ id, result }),
    (error: unknown) => {
      const { type, message } = error as ApplicationFailure;
      answer({ id, failure: { type: type ?? 'Unknown', message } });
    },
  );
});
process.once('disconnect', () => process.exit(0));
process.once('SIGTERM', () => process.exit(0));

function answer(message: StepAnswer): void {
  process.send?.(message);
}

function perform(call: StepCall): Promise<StepResult<unknown>> {
  const { activity } = steps[call.step];
  const environment = new MockActivityEnvironment({ startToCloseTimeoutMs: 120_000 }, { logger: silent });
  return environment.run(
    () =>
      atBoundary(environment.context, [call], { listener: () => undefined }, () =>
        activities[activity](call),
      ) as Promise<StepResult<unknown>>,
  );
}
