import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { runOneOff } from './clients/one-off.ts';
import { fail } from './fail.ts';
import { askPatiently } from './http-checks.ts';
import { observe } from './perform.ts';
import { lastLines } from './revisions.ts';
import { markOf, newestRelease, targetOf, webUrlOf, type Services } from './services.ts';
import { rollbackOf } from './way-back-database.ts';

/**
 * Has the app's own command read and write on SQLite, in a dyno of the release that serves. What it writes is gone with
 * the dyno, whose file system is its own [docs].
 */
export async function verifySqlite(services: Services, call: StepCall): Promise<StepResult<Evidence<'verify-sqlite'>>> {
  const target = await targetOf(services, call);
  const { app } = target;
  const { verify } = rollbackOf(target);
  return observe(async () => {
    const { release } = await newestRelease(services, app);
    const outcome = await runOneOff(services.heroku, { app, command: verify, mark: markOf(call) });
    if (outcome.exitStatus === undefined) {
      throw fail(
        'OutcomeUnknown',
        `The one-off dyno ${outcome.dyno} for \`${verify}\` ended without telling its status. It is run again.`,
      );
    }
    if (outcome.exitStatus !== 0) {
      throw fail(
        'SqliteNotProven',
        `\`${verify}\` ended with status ${outcome.exitStatus} in ${outcome.dyno} of ${app}; expected 0. The fence is still up. Mend the slug and ` +
          `deploy it, or correct rollback.verify, then try again. Its last lines:\n${lastLines(outcome.output)}`,
      );
    }
    return { command: verify, dyno: outcome.dyno, release: release.version };
  });
}

/** Asks the app as its users do, once the fence is lifted; tells how long they had to go without it. */
export async function verifyServing(
  services: Services,
  call: StepCall,
): Promise<StepResult<Evidence<'verify-serving'>>> {
  const target = await targetOf(services, call);
  const { checks, patienceSeconds } = rollbackOf(target);
  return observe(async () => {
    const base = await webUrlOf(services, target.app);
    const problem = await askPatiently(target.app, base, checks, patienceSeconds * 1000);
    const now = Date.now();
    if (problem !== null) {
      throw fail(
        'NotServing',
        `For ${patienceSeconds} s ${problem}. Read \`heroku logs -a ${target.app}\`, mend it, then try again.`,
      );
    }
    return {
      link: base,
      checks: checks.length,
      servingAt: new Date(now).toISOString(),
      secondsSinceKilled: call.killedAt === undefined ? null : Math.round((now - call.killedAt) / 100) / 10,
    };
  });
}
