import type { RehearsedApp } from '../../../rehearsal/apps.ts';
import type { StepId } from '../../../workflows/steps.ts';
import type { Rig } from '../cutover-rig.ts';
import { eventually } from '../heroku-client.ts';
import { dynosOf } from '../run-control.ts';

/** The steps that write to the platform: forward and back again, so that the next fault finds the world as this one did. */
export const circle: readonly StepId[] = [
  'credential',
  'bind-url',
  'flag',
  'fence',
  'to-sqlite',
  'lift-fence',
  'unbind-url',
  'drop-credential',
  'promote',
  'restart',
];

/** Resolves in a second in which no dyno was made: the platform's time stamps have whole seconds. */
export async function dynosHaveAged(rig: Rig, app: RehearsedApp): Promise<void> {
  await eventually(
    async () => Math.max(...(await dynosOf(rig, app)).map((dyno) => Date.parse(dyno.created_at))),
    (newest) => newest < Math.floor(Date.now() / 1000) * 1000,
  );
}
