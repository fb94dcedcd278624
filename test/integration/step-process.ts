// Performs single steps as a worker does, behind the same boundary, in a process that has a worker's environment: what
// rendezvous is checked against can only be given to a process as it starts.
import type { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { atBoundary } from '../../activities/boundary.ts';
import { requestTimeoutMs } from '../../activities/clients/http.ts';
import { createActivities } from '../../activities/index.ts';
import { readConfig, type WorkerConfig } from '../../worker/config.ts';
import { servicesOf } from '../../worker/create-worker.ts';
import { steps, type StepCall, type StepResult } from '../../workflows/steps.ts';

export interface StepOrder {
  readonly id: number;
  readonly call: StepCall;
  /** Which try of the activity it is, from 1. */
  readonly tries: number;
}

export type StepAnswer =
  | { readonly id: number; readonly result: StepResult<unknown> }
  | { readonly id: number; readonly failure: { readonly type: string; readonly message: string } };

const activities = createActivities(servicesOf(configured()));
const silent = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };

process.on('message', ({ id, call, tries }: StepOrder) => {
  void perform(call, tries).then(
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

/** A worker's configuration, with another patience where the tests have less. */
function configured(): WorkerConfig {
  const config = readConfig(process.env);
  const timeoutMs = Number(process.env['STEP_REQUEST_TIMEOUT_MS'] ?? requestTimeoutMs);
  return { ...config, heroku: { ...config.heroku, ...{ timeoutMs } }, github: { ...config.github, ...{ timeoutMs } } };
}

function perform(call: StepCall, attempt: number): Promise<StepResult<unknown>> {
  const { activity } = steps[call.step];
  const environment = new MockActivityEnvironment({ startToCloseTimeoutMs: 120_000, attempt }, { logger: silent });
  return environment.run(
    () =>
      atBoundary(environment.context, [call], { listener: () => undefined }, () =>
        activities[activity](call),
      ) as Promise<StepResult<unknown>>,
  );
}
