import { liveThrough } from './life-cycle.ts';
import type { RotationInput } from './input.ts';
import type { RunState } from './state.ts';
import type { Status } from './view.ts';

/**
 * The rotation of one credential of an app's database, from its survey to the proof that the old password is gone.
 *
 * @param input `{ app, requestedBy, credential, reason? }`; see `input.ts`
 * @param carried only continue-as-new passes it
 * @returns the final status; its `outcome` says how the run ended
 * @throws ApplicationFailure of the type that refused the run, before anything was changed
 */
export function rotateCredential(input: RotationInput, carried?: RunState): Promise<Status> {
  return liveThrough('rotateCredential', input, carried);
}
