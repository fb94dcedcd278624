import type { RehearsedApp } from '../../rehearsal/apps.ts';
import type { CutoverInput } from '../../workflows/input.ts';
import { playPeople, type CutoverHandle, type Rig } from './cutover-rig.ts';
import { atGate } from './steering.ts';

/** Starts a cutover and plays the people until it asks for the launch: from there on there may be a way back. */
export async function startToLaunch(rig: Rig, app: RehearsedApp): Promise<CutoverHandle> {
  const handle = await rig.start(app);
  await playPeople(rig, handle, app, atGate('launch'));
  return handle;
}

/** Somebody on call pulls the kill switch. */
export function pullKillSwitch(handle: CutoverHandle): Promise<void> {
  return handle.signal('killSwitch', { by: 'Cy', reason: 'it does not look right' });
}

/** Somebody on call starts a way back as a run of its own, which ends the run that there is. */
export function startWayBack(
  rig: Rig,
  app: RehearsedApp,
  input: Pick<CutoverInput, 'mode' | 'reason'>,
  taskQueue = rig.workerEnv['CUTOVER_TASK_QUEUE'] ?? '',
): Promise<CutoverHandle> {
  return rig.client.workflow.start('productionCutover', {
    taskQueue,
    workflowId: `cutover-${app.herokuApp}`,
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
    args: [{ app: app.herokuApp, requestedBy: 'Cy', ...input }],
  }) as Promise<CutoverHandle>;
}
