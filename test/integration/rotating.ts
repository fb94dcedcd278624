import type { RehearsedApp } from '../../rehearsal/apps.ts';
import type { RotatedCredential } from '../../workflows/rotation-plan.ts';
import { playPeople, type CutoverHandle, type Rig } from './cutover-rig.ts';

/** An app that was cut over, and launched. */
export async function cutOver(rig: Rig, app: RehearsedApp): Promise<void> {
  const handle = await rig.start(app);
  const status = await playPeople(rig, handle, app);
  await handle.result();
  if (status.outcome?.result !== 'completed') throw new Error(`the cutover is ${JSON.stringify(status.outcome)}`);
}

/** Starts the rotation of a credential as a run of its own, once the run before it is closed. */
export async function startRotation(
  rig: Rig,
  app: RehearsedApp,
  credential: RotatedCredential,
  more: Record<string, unknown> = {},
): Promise<CutoverHandle> {
  const workflowId = `cutover-${app.herokuApp}`;
  // A run says that it has ended a moment before it does.
  await rig.client.workflow
    .getHandle(workflowId)
    .result()
    .catch(() => undefined);
  return (await rig.client.workflow.start('rotateCredential', {
    taskQueue: rig.workerEnv['CUTOVER_TASK_QUEUE'] ?? '',
    workflowId,
    args: [{ app: app.herokuApp, requestedBy: 'Rita', credential, ...more }],
  })) as CutoverHandle;
}

/** How often the platform was asked to rotate a credential. */
export function rotationsAsked({ platform }: Rig, credential: string): number {
  return platform.heroku.requests.filter(
    ({ method, path, status }) =>
      method === 'POST' && path.endsWith(`/credentials/${credential}/credentials_rotation`) && status < 400,
  ).length;
}
