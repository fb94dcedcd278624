import { expect } from '@jest/globals';
import type { RehearsedApp } from '../../../rehearsal/apps.ts';
import type { StepId } from '../../../workflows/steps.ts';
import type { Rig } from '../cutover-rig.ts';
import { clientOf, eventually } from '../heroku-client.ts';
import { dynosOf } from '../run-control.ts';

/** The steps that write to the platform: forward and back again, so that the next fault finds the world as this one did. */
export const circle: readonly StepId[] = [
  'credential',
  'bind-url',
  'flag',
  'settle-dynos',
  'fence',
  'to-sqlite',
  'lift-fence',
  'unbind-url',
  'drop-credential',
  'promote',
  'restart',
];

/** Brings about what a step of the circle needs besides what those before it left. */
export async function prepare(rig: Rig, app: RehearsedApp, step: StepId): Promise<void> {
  if (step === 'restart') await dynosHaveAged(rig, app);
  if (step === 'settle-dynos') await leaveDyno(rig, app);
}

/** Leaves a dyno running, as a run does that is terminated. */
export async function leaveDyno({ platform }: Rig, app: RehearsedApp): Promise<void> {
  const dyno = { command: ': cutover/old/upgrade/1; ( sleep 300 )', attach: false };
  const { status } = await clientOf(platform.heroku)('POST', `/apps/${app.herokuApp}/dynos`, dyno);
  expect(status).toBe(201);
}

/**
 * Resolves when what the step has asked for shows: every dyno that was asked to stop has ended. Before, another attempt would ask
 * it again, which changes nothing: whether it does would be chance.
 */
export async function settle(rig: Rig, app: RehearsedApp, step: StepId): Promise<void> {
  if (step !== 'settle-dynos') return;
  const asked = new Set(
    rig.platform.heroku.requests.flatMap(({ path }) => /\/dynos\/([^/]+)\/actions\/stop$/.exec(path)?.[1] ?? []),
  );
  await eventually(
    () => dynosOf(rig, app),
    (dynos) => !dynos.some(({ name }) => asked.has(name)),
  );
}

/** Resolves in a second in which no dyno was made: the platform's time stamps have whole seconds. */
export async function dynosHaveAged(rig: Rig, app: RehearsedApp): Promise<void> {
  await eventually(
    async () => Math.max(...(await dynosOf(rig, app)).map((dyno) => Date.parse(dyno.created_at))),
    (newest) => newest < Math.floor(Date.now() / 1000) * 1000,
  );
}
