import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import type { Dyno } from './clients/heroku.ts';
import { fail } from './fail.ts';
import { perform, type Seen } from './perform.ts';
import { newestRelease, targetOf, type Services } from './services.ts';

type RestartEvidence = Evidence<'restart'>;

/**
 * Restarts every process type of the app's formation; one-off dynos, a stranger's console say, go on. Done when no
 * dyno is older than the newest release (nor, where asked, than the step) and every one of them is up.
 */
export async function restartDynos(services: Services, call: StepCall): Promise<StepResult<RestartEvidence>> {
  const { app } = await targetOf(services, call);
  const { heroku } = services;
  const formation = (await heroku.listFormation(app)).filter((process) => process.quantity > 0);
  if (!formation.some((process) => process.type === 'web')) {
    throw fail(
      'DynosNotUp',
      `${app} has no web dyno; expected at least one, or "all dynos are up" would mean nothing. Scale it with \`heroku ps:scale web=1 -a ${app}\`.`,
    );
  }

  // The platform's time stamps have whole seconds [docs]: a dyno from the step's own second is not one from before it.
  const since = call.freshDynos === true ? Math.floor(call.since / 1000) * 1000 : 0;

  const probe = async (): Promise<Seen<RestartEvidence>> => {
    const { release, serving } = await newestRelease(services, app);
    if (!serving) return { is: 'underway', what: `release v${release.version} is ${release.status}` };
    const dynos = (await heroku.listDynos(app)).filter((dyno) =>
      formation.some((process) => process.type === dyno.type),
    );
    const old = dynos.filter((dyno) => dyno.release.version < release.version || Date.parse(dyno.created_at) < since);
    if (old.length > 0) return { is: 'absent', what: `${old.map((dyno) => dyno.name).join(', ')} run from before` };
    const missing = formation.filter(
      (process) => dynos.filter((dyno) => dyno.type === process.type && dyno.state === 'up').length < process.quantity,
    );
    if (missing.length > 0)
      return {
        is: 'underway',
        what: `not up: ${missing.map((process) => process.type).join(', ')}; ${describe(dynos)}`,
      };
    return {
      is: 'done',
      evidence: {
        release: release.version,
        dynos: dynos.map((dyno) => ({ name: dyno.name, state: dyno.state, since: dyno.created_at })),
      },
    };
  };

  const act = async (): Promise<void> => {
    for (const { type } of formation) await heroku.restartProcesses(app, type);
  };
  return perform({ probe, act });
}

function describe(dynos: readonly Dyno[]): string {
  return dynos.map((dyno) => `${dyno.name} ${dyno.state}`).join(', ') || 'no dyno';
}
