import { raptor, type RehearsedApp } from '../../../rehearsal/apps.ts';
import { lookFromOutside } from '../../../rehearsal/outside.ts';
import type { RotatedCredential } from '../../../workflows/rotation-plan.ts';
import type { StepCall } from '../../../workflows/steps.ts';
import { eventually } from '../heroku-client.ts';
import { withoutPullRequest } from '../run-control.ts';
import { configVars } from '../world.ts';
import { impatientMs } from './faults.ts';
import { startSpoiltService, type SpoiltService } from './spoilt-service.ts';

/** What is rotated, and how the app has it. */
export interface Rotated {
  readonly credential: RotatedCredential;
  /** As the platform names it. */
  readonly name: string;
  readonly bindBy: 'attachment' | 'config-var';
  readonly variable: string;
}

export const rotated = {
  owner: { credential: 'owner', name: 'default', bindBy: 'attachment', variable: 'DATABASE_URL' },
  role: { credential: 'role', name: 'raptor_app', bindBy: 'attachment', variable: 'RAPTOR_APP_DATABASE_URL' },
  copy: { credential: 'role', name: 'raptor_app', bindBy: 'config-var', variable: 'RAPTOR_APP_DATABASE_URL' },
} as const satisfies Record<string, Rotated>;

/** An app that was cut over, on a platform of its own, whose requests can be spoilt: several are rotated side by side. */
export interface RotatedApp extends SpoiltService {
  readonly app: RehearsedApp;
  readonly what: Rotated;
  stop(): Promise<void>;
}

/** Milliseconds that the second user name of a role stays: there is time for a look, and for a copy to be written twice. */
const rotationMs = 700;

export async function startRotatedApp(what: Rotated): Promise<RotatedApp> {
  const spoilt = await startSpoiltService('heroku', impatientMs);
  spoilt.rig.platform.heroku.settings.rotationMs = rotationMs;
  const app = await spoilt.rig.add(raptor, {
    target: (target) => {
      withoutPullRequest(target);
      (target['role'] as Record<string, unknown>)['bindBy'] = what.bindBy;
      Object.assign(target['migrations'] as object, { lockTimeoutSeconds: 0.5 });
      target['soak'] = { health: { path: '/health', requests: 2 } };
    },
  });
  await spoilt.steps.cutOver(app);
  return { ...spoilt, app, what };
}

/** What the steps of a rotation are told once its plan is approved. */
export async function approvedRotation({ steps, app, what }: RotatedApp): Promise<Partial<StepCall>> {
  const { credential } = what;
  const { evidence } = await steps.perform(app, 'survey-rotation', { rotation: { credential } });
  return { rotation: { credential, facts: evidence.facts, planDigest: evidence.digest } };
}

/** The URL that the app has of what is rotated. */
export async function urlOf({ rig, app, what }: RotatedApp): Promise<string> {
  return (await configVars(rig, app))[what.variable] ?? '';
}

/** Resolves once the app serves as it is to; rejects where it does not within a while. */
export async function serves({ rig, app }: Pick<RotatedApp, 'rig' | 'app'>): Promise<void> {
  await eventually(
    () => lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app),
    ({ ok }) => ok,
  );
}
