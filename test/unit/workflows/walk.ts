import { isSurveyedGate, type GateId } from '../../../workflows/facts.ts';
import type { RunInput } from '../../../workflows/input.ts';
import { nextItem } from '../../../workflows/procedures.ts';
import type { Item } from '../../../workflows/sop.ts';
import { initialState, type RunState, type TargetSummary } from '../../../workflows/state.ts';
import { steps, type StepId } from '../../../workflows/steps.ts';
import { transition, type RunEvent } from '../../../workflows/transition.ts';
import { sampleDigest, sampleEvidence } from '../../workflow/sample-evidence.ts';
import { sampleSummary } from '../../workflow/sample-target.ts';

// States for unit tests are reached as a run reaches them: by walking along events, a millisecond after another.

export const sampleInput: RunInput = { app: 'an-app', requestedBy: 'Rita' };

export const walk = (...path: readonly RunEvent[]): RunState => walkFor(sampleInput, ...path);
export const walkFor = (input: RunInput, ...path: readonly RunEvent[]): RunState =>
  walkOn(initialState(input, 1), ...path);
export const walkOn = (from: RunState, ...path: readonly RunEvent[]): RunState =>
  path.reduce((state, event, index) => transition(state, event, 1001 + index), from);

export const reading = (target: Partial<TargetSummary> = {}): RunEvent => ({
  type: 'targetRead',
  target: { ...sampleSummary, ...target },
});
export const read = reading();
export const started = (step: StepId, attempt = 1): RunEvent => ({ type: 'stepStarted', step, attempt });
export const done = (step: StepId, evidence: unknown = sampleEvidence[step]): RunEvent[] => [
  started(step),
  { type: 'stepDone', step, did: steps[step].writes ? 'acted' : 'observed', evidence },
];
export const failed = (step: StepId, type = 'PlatformRefused'): RunEvent => ({
  type: 'stepFailed',
  step,
  failure: { type, message: 'no' },
});

/** The digest of a gate's question; that of a plan where the gate opens on one. */
export const digestOf = (gate: GateId): string => (isSurveyedGate(gate) ? sampleDigest[gate] : '7e'.repeat(32));

export const opened = (gate: GateId, more: Partial<Extract<RunEvent, { type: 'gateOpened' }>> = {}): RunEvent => ({
  type: 'gateOpened',
  gate,
  digest: digestOf(gate),
  expiresAt: null,
  about: isSurveyedGate(gate) ? null : 'something else',
  changes: [],
  ...more,
});
export const approved = (gate: GateId, more: Partial<Extract<RunEvent, { type: 'approved' }>> = {}): RunEvent => ({
  type: 'approved',
  gate,
  by: 'Ada',
  reason: null,
  backup: null,
  needed: 0,
  alone: false,
  ...more,
});
export const passed = (gate: GateId): RunEvent[] => [
  opened(gate),
  approved(gate),
  { type: 'decided', gate },
  { type: 'gatePassed', gate },
];

/** What a run has done when the gate `go` is next. */
export const preflight: readonly RunEvent[] = [
  read,
  ...done('config-check'),
  ...done('inspect-pull-request'),
  ...done('await-pull-request'),
  ...done('survey'),
];

/** A cutover in which everything before an item is done; all of it, where no item is named. */
export function walkTo(id?: Item['id'], target: RunEvent = read): RunState {
  let state = walk(target);
  for (let item = nextItem(state); item !== undefined && item.id !== id; item = nextItem(state)) {
    const sealing: RunEvent[] = item.kind === 'step' && item.seals === true ? [{ type: 'sealing', by: 'Ada' }] : [];
    state = walkOn(state, ...sealing, ...(item.kind === 'step' ? done(item.id) : passed(item.id)));
  }
  return state;
}
