import type { RunInput, WorkflowType } from '../../workflows/input.ts';
import type { CutoverHandle, Session } from '../workflow/harness.ts';
import { createFakeWorld, finalFailure, type FakeWorld } from '../workflow/fake-activities.ts';

export interface Behaviour {
  /** How the last run of the chain must have ended: what is replayed is what it is called. */
  readonly ends: 'workflowExecutionCompletedEventAttributes' | 'workflowExecutionFailedEventAttributes';
  /** What its outcome must say, where it completed. */
  readonly result?: string;
  /** The cutover, unless said. */
  readonly type?: WorkflowType;
  readonly input?: Partial<RunInput>;
  readonly world: () => FakeWorld;
  /** What people do until the run has ended. */
  readonly play: (handle: CutoverHandle, session: Session, world: FakeWorld) => Promise<unknown>;
}

export const completed = 'workflowExecutionCompletedEventAttributes';
export const failed = 'workflowExecutionFailedEventAttributes';
export const nobody = (): Promise<void> => Promise.resolve();

export function worldWhere(
  step: Parameters<FakeWorld['behave']>[0],
  behaviour: Parameters<FakeWorld['behave']>[1],
  world = createFakeWorld(),
): FakeWorld {
  world.behave(step, behaviour);
  return world;
}

/** Fails for good in the first attempt of a step. */
export const failsOnce =
  (type: string): Parameters<FakeWorld['behave']>[1] =>
  (call) => {
    if (call.attempt === 1) throw finalFailure(type);
  };
