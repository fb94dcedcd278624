import type { RunState } from './state.ts';
import type { StepId } from './steps.ts';

/** The evidence that a step left, once it is done. The state holds it as it came out of its activity's own schema. */
export function evidenceOf<E>(state: RunState, step: StepId): E | undefined {
  const record = state.steps[step];
  return record?.did ? (record.evidence as E) : undefined;
}
