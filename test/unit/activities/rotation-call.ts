import { createFingerprints } from '../../../activities/rotation-holders.ts';
import { rotationDigest } from '../../../activities/rotation-survey.ts';
import type { RotationFacts } from '../../../workflows/rotation-plan.ts';
import type { StepCall } from '../../../workflows/steps.ts';
import { app } from './fake-heroku.ts';
import type { World } from './world.ts';

/** What the rotation of a world's owner is told once its plan is approved. */
export function rotationOfOwner(world: World): Partial<StepCall> {
  return rotationOf(world, { which: 'owner', credential: 'default', user: 'owner', variable: 'DATABASE_URL' });
}

/** The same for any credential whose only holder is one attachment, or one copy, of the app. */
export function rotationOf(
  { heroku, target }: World,
  {
    user,
    variable,
    by = 'attachment',
    ...which
  }: Pick<RotationFacts, 'which' | 'credential'> & {
    user: string;
    variable: string;
    by?: RotationFacts['bindings'][number]['by'];
  },
): Partial<StepCall> {
  const addon = { id: 'id-main-db', name: 'main-db' };
  const fingerprint = createFingerprints({ run: 'run-1' }, addon);
  const facts: RotationFacts = {
    app,
    targetDigest: target.digest,
    ...which,
    addonId: addon.id,
    addon: addon.name,
    plan: 'heroku-postgresql:standard-0',
    fingerprint: fingerprint(heroku.urlOf(addon.name, user)),
    bindings: [{ app, variable, by }],
    unreadable: [],
    asRole: false,
  };
  return { rotation: { credential: which.which, facts, planDigest: rotationDigest(target, facts) } };
}
