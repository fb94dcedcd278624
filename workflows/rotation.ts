import { ApplicationFailure, ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import { liveThrough } from './life-cycle.ts';
import { checkStart, type RotationInput } from './input.ts';
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

/**
 * Starts a rotation and is done. A Temporal Schedule appends the time to the id of what it starts [docs], and the runs of a
 * target are kept apart by having one id: so a schedule starts this, under whatever id, and this starts the rotation.
 *
 * @param input what the rotation is told
 * @returns the run that it has started
 * @throws ApplicationFailure `ProcedureOpen` where a run of the target is open; what `rotateCredential` would be refused for
 */
export async function startRotation(input: RotationInput): Promise<{ workflowId: string; runId: string }> {
  const app = String((input as Partial<RotationInput> | null | undefined)?.app);
  const workflowId = `cutover-${app}`;
  const started = checkStart(input, { ...workflowInfo(), workflowType: 'rotateCredential', workflowId });
  if ('problem' in started) throw ApplicationFailure.nonRetryable(started.problem.message, started.problem.type);
  try {
    const child = await startChild(rotateCredential, {
      workflowId,
      args: [input],
      // It has a life of its own: this one ends now.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `Rotation of the ${input.credential} of ${app}`,
    });
    return { workflowId, runId: child.firstExecutionRunId };
  } catch (error) {
    // By its name: its class is not among what the SDK gives to workflow code [source: 1.24.0].
    if (!(error instanceof Error) || error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
    throw ApplicationFailure.nonRetryable(
      `A run of ${app} is open, and a target has one open procedure. Nothing was changed. During the watch of a cutover, send it the ` +
        'message rotate; else wait until it has ended, and run the schedule again (temporal schedule trigger).',
      'ProcedureOpen',
    );
  }
}
