import { isPlanGate, withAttachments, type Plan, type SurveyedGate } from './facts.ts';
import { stepsOfGate } from './sop.ts';
import type { RunState } from './state.ts';
import type { Baseline, Evidence } from './steps.ts';
import { evidenceOf } from './evidence.ts';

/**
 * What the drift guard of a write compares with: the facts of the plan on which it rests, and what earlier writes of the
 * run have declared to change beyond the runbook's own variables.
 */
export function baselineOf(state: RunState, gate: SurveyedGate): Baseline | undefined {
  // A rotation compares its own facts, right before its act.
  if (!isPlanGate(gate)) return undefined;
  const facts = evidenceOf<Plan>(state, stepsOfGate[gate].survey)?.facts;
  if (facts === undefined) return undefined;
  const { release, config, migrations, matrixDigest } = facts;
  const kept = evidenceOf<Evidence<'promote'>>(state, 'promote')?.kept ?? [];
  return { release, config: withAttachments(config, kept), migrations, matrixDigest };
}
