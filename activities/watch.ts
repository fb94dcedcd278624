import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { classify } from './classify.ts';
import { problemOf, webAnswers } from './http-checks.ts';
import { observe } from './perform.ts';
import { databaseRevision } from './revisions.ts';
import { countSessions, usersOf } from './sessions.ts';
import { targetOf, webUrlOf, type Services } from './services.ts';
import type { HttpCheck, Target } from './target.ts';
import { isSameDatabase, wayBackDatabase } from './way-back-database.ts';

/**
 * One sample of health and drift. What is wrong is what it reports, so it fails only where the platform cannot be asked
 * at all.
 */
export async function sampleWatch(services: Services, call: StepCall): Promise<StepResult<Evidence<'watch-sample'>>> {
  const target = await targetOf(services, call);
  return observe(() => takeSample(services, target, call, target.watch.checks));
}

/** What a sample looks at, for the watch and for a soak. */
export async function takeSample(
  services: Services,
  target: Target,
  call: StepCall,
  checks: readonly HttpCheck[],
): Promise<Evidence<'watch-sample'>> {
  const { heroku } = services;
  const [app, releases, vars, expiresIn, web, database] = await Promise.all([
    heroku.getApp(target.app),
    heroku.listReleases(target.app, 1),
    heroku.getConfigVars(target.app),
    heroku.tokenExpiresIn(),
    webProblems(services, target, checks),
    sampleDatabase(services, target),
  ]);
  const release = releases[0];
  const hours = typeof expiresIn === 'number' ? Math.floor(expiresIn / 360) / 10 : null;
  const revisionMoved =
    call.baselineRevision !== undefined && database.reached && database.revision !== call.baselineRevision;
  const problems = [
    ...(app.maintenance ? [`${target.app} is in maintenance mode`] : web),
    ...database.problems,
    ...(revisionMoved
      ? [`the database is at ${database.revision ?? 'no revision'}; expected ${call.baselineRevision ?? 'none'}`]
      : []),
    ...(vars[target.flag.name] === target.flag.value ? [] : [`${target.flag.name} is not ${target.flag.value}`]),
    ...(release?.status === 'failed' ? [`release v${release.version} has failed`] : []),
    ...(call.baselineRelease !== undefined && release !== undefined && release.version !== call.baselineRelease
      ? [`the newest release is v${release.version} (${release.description ?? ''}); expected v${call.baselineRelease}`]
      : []),
    ...(hours !== null && hours < target.tokenValidForHours
      ? [`the worker's Heroku token expires in ${hours} hours; expected ${target.tokenValidForHours} or more`]
      : []),
  ];
  return {
    healthy: problems.length === 0,
    problems,
    release: release?.version ?? 0,
    revision: database.revision,
    tokenHoursLeft: hours,
    at: new Date().toISOString(),
  };
}

async function webProblems(services: Services, { app }: Target, checks: readonly HttpCheck[]): Promise<string[]> {
  const base = await webUrlOf(services, app);
  if (!(await webAnswers(base))) return [`${app} does not answer`];
  const found = await Promise.all(checks.map((check) => problemOf(app, base, check)));
  return found.filter((one) => one !== null);
}

interface DatabaseSample {
  readonly reached: boolean;
  readonly revision: string | null;
  readonly problems: string[];
}

async function sampleDatabase(services: Services, target: Target): Promise<DatabaseSample> {
  const database = await wayBackDatabase(services, target);
  const { url, variable, value, addon } = database;
  // Another database in use is drift of the worst kind: nothing else that is asked of this one would mean anything.
  if (!isSameDatabase(value, url))
    return { reached: false, revision: null, problems: [`${variable} is not ${addon.name}'s`] };
  const users = await usersOf(services, target, database);
  try {
    return await services.postgres.connected(url, async (connection) => {
      const { role, owner } = await countSessions(connection, users);
      return {
        reached: true,
        revision: await databaseRevision(connection, target),
        problems: [
          ...(role === 0 ? [`no session of ${target.role.credential}`] : []),
          ...(owner > 0 ? [`${owner} sessions of the owner`] : []),
        ],
      };
    });
  } catch (error) {
    const failure = classify(error);
    if (
      !['DatabaseUnreachable', 'DatabaseBusy', 'DatabaseRefused', 'MigrationHeadsUnclear'].includes(failure.type ?? '')
    )
      throw error;
    return { reached: false, revision: null, problems: [`${addon.name} cannot be asked: ${failure.message}`] };
  }
}
