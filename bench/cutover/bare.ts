// The activities of a cutover, one after the other in the order of `workflows/sop.ts`, with nothing that would survive
// this process: what the cutover takes without an engine. They run behind the same boundary as in a worker. The one thing
// missing is the lease, which asks Temporal whether the run is still open: here there is no run to ask about.
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { atBoundary } from '../../activities/boundary.ts';
import { createActivities } from '../../activities/index.ts';
import { readConfig } from '../../worker/config.ts';
import { servicesOf } from '../../worker/create-worker.ts';
import type { Plan } from '../../workflows/facts.ts';
import { evidenceOf } from '../../workflows/evidence.ts';
import { itemsOf, nextItem } from '../../workflows/procedures.ts';
import { gateBefore, stepsOfGate, type GateItem, type StepItem } from '../../workflows/sop.ts';
import { initialState, type RunState } from '../../workflows/state.ts';
import { stepCallOf } from '../../workflows/step-calls.ts';
import { steps, type StepResult } from '../../workflows/steps.ts';
import { transition, type RunEvent } from '../../workflows/transition.ts';
import { isPlanGate } from '../../workflows/facts.ts';
import type { StepTime } from './step-time.ts';

export interface BareOrder {
  readonly app: string;
}
export type BareAnswer =
  'loaded' | { readonly ms: number; readonly steps: readonly StepTime[] } | { readonly failed: string };

const run = randomUUID();
const silent = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
const activities = createActivities(servicesOf(readConfig(process.env)));
const tell = (answer: BareAnswer): void => void process.send?.(answer);

process.once('message', ({ app }: BareOrder) => {
  void performAll(app).then(tell, (error: Error) => tell({ failed: error.message }));
});
process.once('disconnect', () => process.exit(0));
process.once('SIGTERM', () => process.exit(0));
tell('loaded');

/** RM-10 and RM-11, to their last step. */
async function performAll(app: string): Promise<Exclude<BareAnswer, string>> {
  const began = performance.now();
  const times: StepTime[] = [];
  let state = initialState({ app, requestedBy: 'Rehearsal Operator' }, Date.now());
  const apply = (event: RunEvent): void => void (state = transition(state, event, Date.now()));

  apply({ type: 'targetRead', target: await activities.readTarget(app) });
  for (let item = nextItem(state); item !== undefined && item.phase !== 'watch'; item = nextItem(state)) {
    if (item.kind !== 'step') {
      passGate(state, item).forEach(apply);
      continue;
    }
    apply({ type: 'stepStarted', step: item.id, attempt: 1 });
    const stepBegan = performance.now();
    const { did, evidence } = await performStep(state, item);
    times.push({ step: item.id, ms: performance.now() - stepBegan });
    apply({ type: 'stepDone', step: item.id, did, evidence });
  }
  return { ms: performance.now() - began, steps: times };
}

function performStep(state: RunState, item: StepItem): Promise<StepResult<unknown>> {
  const call = stepCallOf(state, item, gateBefore(itemsOf(state), item.id), run);
  const { activity } = steps[item.id];
  const info = { startToCloseTimeoutMs: 600_000, activityType: activity };
  const environment = new MockActivityEnvironment(info, { logger: silent });
  return environment.run(
    () =>
      atBoundary(environment.context, [call], { listener: () => undefined }, () =>
        activities[activity](call),
      ) as Promise<StepResult<unknown>>,
  );
}

/** A gate that is approved at once. */
function passGate(state: RunState, { id }: GateItem): RunEvent[] {
  if (!isPlanGate(id)) throw new Error(`the gate ${id} opens on no plan`);
  const digest = evidenceOf<Plan>(state, stepsOfGate[id].survey)?.digest ?? '';
  return [
    { type: 'gateOpened', gate: id, digest, about: null, changes: [], expiresAt: null },
    { type: 'gatePassed', gate: id },
  ];
}
