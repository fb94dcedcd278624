import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import type { Dyno } from './clients/heroku.ts';
import { guardAgainstDrift } from './drift.ts';
import { fail } from './fail.ts';
import { perform, type Seen } from './perform.ts';
import { newestRelease, targetOf, type Services } from './services.ts';

type RestartEvidence = Evidence<'restart'>;

/** Milliseconds for the new dynos to be up, and with preboot for the old ones to go. */
const within = 9 * 60_000;
/** Crashes after the restart that are a loop and not bad luck: the platform restarts a crashed dyno by itself [docs]. */
const crashLoop = 2;

/**
 * Restarts every process type of the app's formation; one-off dynos, a stranger's console say, go on. Done when no
 * dyno is older than the newest release (nor, where asked, than the step) and every one of them is up.
 */
export async function restartDynos(services: Services, call: StepCall): Promise<StepResult<RestartEvidence>> {
  const target = await targetOf(services, call);
  const { app, restart } = target;
  const { heroku } = services;
  // With preboot, old web dynos serve on for minutes after the new ones are up, and the list of dynos does not show them.
  const overlap = (await heroku.isFeatureEnabled(app, 'preboot')) ? restart.prebootSeconds * 1000 : 0;
  const formation = (await heroku.listFormation(app)).filter((process) => process.quantity > 0);
  if (!formation.some((process) => process.type === 'web')) {
    throw fail(
      'DynosNotUp',
      `${app} has no web dyno; expected at least one, or "all dynos are up" would mean nothing. Scale it with \`heroku ps:scale web=1 -a ${app}\`.`,
    );
  }

  // The platform's time stamps have whole seconds [docs]: a dyno from the step's own second is not one from before it.
  const since = call.freshDynos === true ? Math.floor(call.since / 1000) * 1000 : 0;
  const crashes = new Set<string>();
  /** Process types of which fewer dynos than the formation asks for satisfy a condition. */
  const lacking = (dynos: readonly Dyno[], condition: (dyno: Dyno) => boolean): string[] =>
    formation
      .filter(({ type, quantity }) => dynos.filter((dyno) => dyno.type === type && condition(dyno)).length < quantity)
      .map(({ type }) => type);

  const probe = async (): Promise<Seen<RestartEvidence>> => {
    const { release, serving } = await newestRelease(services, app);
    if (!serving) return { is: 'underway', what: `release v${release.version} is ${release.status}` };
    const all = await heroku.listDynos(app);
    const dynos = all.filter((dyno) => formation.some((process) => process.type === dyno.type));
    const isOld = (dyno: Dyno): boolean =>
      dyno.release.version < release.version || Date.parse(dyno.created_at) < since;
    const old = dynos.filter(isOld);
    const fresh = dynos.filter((dyno) => !isOld(dyno));
    if (old.length > 0) {
      const what = `from before: ${describe(old)}; new: ${describe(fresh)}`;
      // Where each has its successor already, the restart was asked for and the old ones are about to go.
      return { is: lacking(fresh, () => true).length > 0 ? 'absent' : 'underway', what };
    }
    for (const dyno of dynos) if (dyno.state === 'crashed') crashes.add(`${dyno.id} ${dyno.updated_at}`);
    if (crashes.size >= crashLoop) {
      throw fail(
        'DynosCrashed',
        `The dynos of ${app} crash again and again on release v${release.version}: ${describe(dynos)}. ` +
          `Read \`heroku logs -a ${app}\`, mend what stops them from starting, then try again.`,
      );
    }
    const missing = lacking(dynos, (dyno) => dyno.state === 'up');
    if (missing.length > 0) return { is: 'underway', what: `not up: ${missing.join(', ')}; ${describe(dynos)}` };
    const newest = Math.max(...dynos.filter((dyno) => dyno.type === 'web').map((dyno) => Date.parse(dyno.created_at)));
    if (Date.now() < newest + overlap) {
      return {
        is: 'underway',
        what: `up; with preboot, old dynos may serve until ${new Date(newest + overlap).toISOString()}`,
      };
    }
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
  return perform({ guard: () => guardAgainstDrift(services, target, call), probe, act, within });
}

function describe(dynos: readonly Dyno[]): string {
  return dynos.map((dyno) => `${dyno.name} ${dyno.state}`).join(', ') || 'no dyno';
}
