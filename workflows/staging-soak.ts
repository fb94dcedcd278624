import { liveThrough } from './life-cycle.ts';
import type { CutoverInput } from './input.ts';
import type { RunState } from './state.ts';
import type { Status } from './view.ts';

/**
 * The soak of a staging app: its cutover, the rehearsal of the way back, the soak itself, and a certificate.
 *
 * @param input `{ app, requestedBy }`; see `input.ts`
 * @param carried only continue-as-new passes it
 * @returns the final status; its `outcome` says how the run ended
 * @throws ApplicationFailure of the type that refused the run, before anything was changed
 */
export function stagingSoak(input: Pick<CutoverInput, 'app' | 'requestedBy'>, carried?: RunState): Promise<Status> {
  return liveThrough('stagingSoak', input, carried);
}
