import type { RunInput, WorkflowType } from '../../workflows/input.ts';
import type { Behaviour } from './behaviour.ts';
import { cutovers } from './cutovers.ts';
import { decisions } from './decisions.ts';
import { rotations } from './rotations.ts';
import { soaks } from './soaks.ts';
import { waysBack } from './ways-back.ts';

/** The ways that a run can take whose histories are kept: code that cannot replay one would break a run in the field. */
export const behaviours: Readonly<Record<string, Behaviour>> = {
  ...cutovers,
  ...decisions,
  ...waysBack,
  ...soaks,
  ...rotations,
};

/** What a behaviour is started with: all but one of them well. */
export function startOf(behaviour: string): { type: WorkflowType; input: Partial<RunInput> & { app: string } } {
  const app = `recorded-${behaviour}`.slice(0, 30).replace(/-$/, '');
  const more = behaviour === 'refused-at-start' ? { approvers: ['Mallory'] } : behaviours[behaviour]?.input;
  const { type = 'productionCutover' } = behaviours[behaviour] ?? {};
  return { type, input: { app, requestedBy: 'Rita', ...more } };
}
