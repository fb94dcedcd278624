import { liveThrough } from './life-cycle.ts';
import type { CutoverInput } from './input.ts';
import type { RunState } from './state.ts';
import type { Status } from './view.ts';

/**
 * The production cutover of one app, from preflight to the end of RM-11.
 *
 * @param input `{ app, requestedBy, mode? }`; see `input.ts`
 * @param carried only continue-as-new passes it
 * @returns the final status; its `outcome` says how the run ended
 * @throws ApplicationFailure of the type that refused the run, before anything was changed
 */
export function productionCutover(input: CutoverInput, carried?: RunState): Promise<Status> {
  return liveThrough('productionCutover', input, carried);
}
