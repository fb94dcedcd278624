import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { classify } from './classify.ts';
import type { Quantity } from './clients/heroku.ts';
import type { Connection } from './clients/postgres.ts';
import { forgetNumbers, keepNumbers, keptNumbers } from './fence-numbers.ts';
import { perform } from './perform.ts';
import { webAnswers } from './http-checks.ts';
import { targetOf, webUrlOf, type Services } from './services.ts';
import { oneOffDynos } from './settle-dynos.ts';
import { wayBackDatabase } from './way-back-database.ts';

/** Milliseconds for dynos to end, or to be up again. */
const within = 5 * 60_000;

/** Process types that the fence stops: `web` is behind the router, and `release` runs with a release and never stands. */
function isFenced({ type }: Quantity): boolean {
  return type !== 'web' && type !== 'release';
}

/**
 * Raises the fence: nobody reaches the app, and none of its other processes writes. The numbers of the processes are
 * kept in the database before they are scaled, so that any later run can lift the fence. Where the database is away
 * they stay with this run (`call.formation`): users come first.
 */
export async function raiseFence(services: Services, call: StepCall): Promise<StepResult<Evidence<'fence'>>> {
  const target = await targetOf(services, call);
  const { app } = target;
  const { heroku, postgres } = services;
  const { url } = await wayBackDatabase(services, target);
  const kept = (): Promise<readonly Quantity[] | null> =>
    unlessUnreachable(() => postgres.connected(url, (connection) => keptNumbers(connection)));

  return perform({
    within,
    probe: async () => {
      const [{ maintenance }, formation, dynos] = await Promise.all([
        heroku.getApp(app),
        heroku.listFormation(app),
        heroku.listDynos(app),
      ]);
      if (!maintenance) return { is: 'absent', what: `${app} is not in maintenance` };
      const standing = formation.filter((one) => isFenced(one) && one.quantity > 0);
      if (standing.length > 0) return { is: 'absent', what: `${describe(standing)} of ${app} are not scaled to 0` };
      const left = dynos.filter((dyno) => formation.some((one) => isFenced(one) && one.type === dyno.type));
      if (left.length > 0)
        return { is: 'underway', what: `${left.map((dyno) => dyno.name).join(', ')} are about to end` };
      const numbers = await kept();
      const { others } = await oneOffDynos(services, app);
      return {
        is: 'done',
        evidence: {
          kept: [...(numbers === null || numbers.length === 0 ? (call.formation ?? []) : numbers)],
          keptIn: numbers === null || numbers.length === 0 ? 'run' : 'database',
          others: others.map((one) => one.name),
        },
      };
    },
    act: async () => {
      const [{ maintenance }, formation] = await Promise.all([heroku.getApp(app), heroku.listFormation(app)]);
      const numbers = formation.filter((one) => one.type !== 'release');
      await unlessUnreachable(() =>
        postgres.connected(url, (connection) => keepNumbers(connection, target.role.credential, numbers, !maintenance)),
      );
      if (!maintenance) await heroku.setMaintenance(app, true);
      const standing = numbers.filter((one) => isFenced(one) && one.quantity > 0);
      if (standing.length > 0)
        await heroku.scale(
          app,
          standing.map(({ type }) => ({ type, quantity: 0 })),
        );
    },
  });
}

/**
 * Lifts the fence, whoever raised it: the processes get their numbers back, and last of all the router lets people in.
 * Numbers that are kept while maintenance is off are what an earlier fence left behind: they only go.
 */
export async function liftFence(services: Services, call: StepCall): Promise<StepResult<Evidence<'lift-fence'>>> {
  const target = await targetOf(services, call);
  const { app } = target;
  const { heroku, postgres } = services;
  const { url } = await wayBackDatabase(services, target);
  const inDatabase = <T>(work: (connection: Connection) => Promise<T>): Promise<T | null> =>
    unlessUnreachable(() => postgres.connected(url, work));
  const base = await webUrlOf(services, app);

  const before = (await inDatabase(keptNumbers)) ?? [];
  const numbers = before.length > 0 ? before : (call.formation ?? []);
  const from = before.length > 0 ? 'database' : numbers.length > 0 ? 'run' : 'nowhere';

  return perform({
    within,
    probe: async () => {
      const [{ maintenance }, formation, kept] = await Promise.all([
        heroku.getApp(app),
        heroku.listFormation(app),
        inDatabase(keptNumbers),
      ]);
      if (maintenance) return { is: 'absent', what: `${app} is in maintenance` };
      if (kept !== null && kept.length > 0) return { is: 'absent', what: 'the numbers of the fence are still kept' };
      const hasWeb = formation.some((one) => one.type === 'web' && one.quantity > 0);
      if (hasWeb && !(await webAnswers(base))) return { is: 'underway', what: `${app} does not answer yet` };
      return { is: 'done', evidence: { restored: [...numbers], from } };
    },
    act: async () => {
      const [{ maintenance }, formation] = await Promise.all([heroku.getApp(app), heroku.listFormation(app)]);
      const lacking = numbers.filter((one) => {
        const now = formation.find(({ type }) => type === one.type);
        return isFenced(one) && now !== undefined && now.quantity !== one.quantity;
      });
      if (maintenance && lacking.length > 0) await heroku.scale(app, lacking);
      await inDatabase(forgetNumbers);
      if (maintenance) await heroku.setMaintenance(app, false);
    },
  });
}

/** What asking the database gave, or null where it is away: the fence goes up and down without it. */
async function unlessUnreachable<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (classify(error).type === 'DatabaseUnreachable') return null;
    throw error;
  }
}

function describe(formation: readonly Quantity[]): string {
  return formation.map(({ type, quantity }) => `${type}=${quantity}`).join(', ');
}
