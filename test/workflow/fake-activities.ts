import { ApplicationFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import type { Activities } from '../../activities/index.ts';
import type { TargetSummary } from '../../workflows/state.ts';
import { steps, stepIds, type StepCall, type StepId } from '../../workflows/steps.ts';
import { sampleEvidence } from './sample-evidence.ts';

/** What a step of the fake world does instead of succeeding; given the call, it may throw, wait or return. */
export type Behaviour = (call: StepCall) => Promise<void> | void;

export interface FakeWorld {
  readonly activities: Activities;
  /** The steps in the order in which they ended well. */
  readonly performed: StepId[];
  readonly calls: StepCall[];
  behave(step: StepId, behaviour: Behaviour): void;
}

/** Activities that change a world of their own, so that a workflow test asserts what happened and not what was called. */
export function createFakeWorld(target: Partial<TargetSummary> = {}): FakeWorld {
  const performed: StepId[] = [];
  const calls: StepCall[] = [];
  const behaviours = new Map<StepId, Behaviour>();

  const perform = async (call: StepCall): Promise<unknown> => {
    calls.push(call);
    await behaviours.get(call.step)?.(call);
    const did = !steps[call.step].writes ? 'observed' : performed.includes(call.step) ? 'already' : 'acted';
    performed.push(call.step);
    return { did, evidence: sampleEvidence[call.step] };
  };
  const byName = Object.fromEntries(stepIds.map((step) => [steps[step].activity, perform]));
  const readTarget = (app: string): Promise<TargetSummary> => {
    if (app === 'unknown-app') throw ApplicationFailure.nonRetryable('There is no target file for unknown-app.', 'UnknownApp');
    return Promise.resolve({ digest: 'c3'.repeat(32), hasPullRequest: true, pullRequest: 'owner/name#12', historyEventLimit: 10_000, ...target });
  };
  return {
    activities: { ...byName, readTarget } as unknown as Activities,
    performed,
    calls,
    behave: (step, behaviour) => void behaviours.set(step, behaviour),
  };
}

/** A failure that no retry mends. */
export function finalFailure(type: string, message = `${type} was staged`): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}

/** Waits inside an activity until `release` is called, or the activity is cancelled; heartbeats as a real one does. */
export function barrier(): { reached: Promise<void>; release: () => void; hold: () => Promise<void> } {
  let reach: () => void = () => undefined;
  let release: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  return {
    reached,
    release: () => release(),
    hold: async () => {
      const context = Context.current();
      reach();
      const heart = setInterval(() => context.heartbeat(), 200);
      try {
        await Promise.race([released, context.cancelled]);
      } finally {
        clearInterval(heart);
      }
    },
  };
}
