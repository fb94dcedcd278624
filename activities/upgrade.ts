import { sql } from 'slonik';
import { z } from 'zod';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { attachedDatabase } from './attached-database.ts';
import { runOneOff } from './clients/one-off.ts';
import { guardAgainstDrift } from './drift.ts';
import { fail } from './fail.ts';
import { perform, type Seen } from './perform.ts';
import { databaseRevision, lastLines, slugReport } from './revisions.ts';
import { markOf, targetOf, type Services } from './services.ts';

type UpgradeEvidence = Evidence<'upgrade'>;

/** Process types whose dynos run a command once: a person's or our own, and the app's release command [docs]. */
const oneOffTypes = ['run', 'release'];
/** States of a dyno that will write no more, and that is listed still [docs]. */
const over = ['complete', 'crashed', 'down'];

/** The driver's name for SQLSTATE 55P03, which it prints when it ends a migration on it. */
const lockNotAvailable = /\bLockNotAvailable\b|\b55P03\b/;

/**
 * Upgrades the schema to the slug's head in a one-off dyno. What tells whether it happened is the version table, not
 * the dyno: its stream can drop, and `heroku run` itself exits 0 when the remote command fails.
 */
export async function upgradeSchema(services: Services, call: StepCall): Promise<StepResult<UpgradeEvidence>> {
  const target = await targetOf(services, call);
  const { app, migrations } = target;
  const { heroku, postgres } = services;
  const { url } = await attachedDatabase(services, target);
  const { chain } = await slugReport(services, target, `${markOf(call)}/history`);
  const revision = (): Promise<string | null> =>
    postgres.connected(url, (connection) => databaseRevision(connection, target));

  const from = await revision();
  const pending = chain.pending(from);
  let dyno: string | null = null;

  const probe = async (): Promise<Seen<UpgradeEvidence>> => {
    // An interrupted attempt's dyno may still be writing, or a release command that migrates; it is waited for, never
    // joined by a second one.
    const running = (await heroku.listDynos(app)).find(
      (one) => oneOffTypes.includes(one.type) && !over.includes(one.state) && one.command.includes(migrations.upgrade),
    );
    if (running !== undefined) return { is: 'underway', what: `${running.name} is running \`${migrations.upgrade}\`` };
    const now = await revision();
    if (now === chain.head)
      return { is: 'done', evidence: { from, to: now, applied: from === now ? [] : pending, dyno } };
    return { is: 'absent', what: `the database is at ${now ?? 'no revision'}, the slug's head is ${chain.head}` };
  };

  const act = (): Promise<void> =>
    postgres.connected(url, async (connection) => {
      // Held by this session while the dyno runs, so that no other run or worker upgrades the same database meanwhile.
      // The server keeps such locks apart by database, and the key names no app: several may share the database.
      const locked = await connection.oneFirst(
        sql.type(z.object({ locked: z.boolean() }))`SELECT pg_try_advisory_lock(hashtext('cutover upgrade')) AS locked`,
      );
      if (!locked)
        throw fail(
          'MigrationUnderway',
          `Another session holds the upgrade lock of ${app}'s database. It is tried again; see who holds it with ` +
            `\`heroku pg:locks -a ${app}\`.`,
        );
      // What the app itself asks of its sessions stays (a search path, say), or the migration could miss its schema.
      const own = (await heroku.getConfigVars(app))['PGOPTIONS'];
      const lockTimeout = `-c lock_timeout=${Math.round(migrations.lockTimeoutSeconds * 1000)}ms`;
      const outcome = await runOneOff(heroku, {
        app,
        command: migrations.upgrade,
        // A statement that meets a lock gives up, instead of queueing up every reader behind it.
        env: { PGOPTIONS: own === undefined ? lockTimeout : `${own} ${lockTimeout}` },
        mark: markOf(call),
      });
      dyno = outcome.dyno;
      if (outcome.exitStatus === undefined) {
        throw fail(
          'OutcomeUnknown',
          `${outcome.dyno} ended ${outcome.ending}: it was killed, or its stream was lost. The version table settles what it did.`,
        );
      }
      if (outcome.exitStatus !== 0) {
        const now = await databaseRevision(connection, target);
        if (now === chain.head) {
          // One-off dynos are not guaranteed to run exactly once [docs]: of two, one finds its work done or being done.
          throw fail(
            'OutcomeUnknown',
            `\`${migrations.upgrade}\` ended with status ${outcome.exitStatus} in ${outcome.dyno}, and the database is at ${now}, where ` +
              'it should be: the platform may have run it twice. The version table settles it.',
          );
        }
        const met = lockNotAvailable.test(outcome.output);
        const remedy = met
          ? `It gave up on a lock after ${migrations.lockTimeoutSeconds} s, so as not to hold up the app. It is tried again; ` +
            `see who holds it with \`heroku pg:locks -a ${app}\`.`
          : 'Mend the revision, deploy, then try again.';
        throw fail(
          met ? 'DatabaseBusy' : 'MigrationFailed',
          `\`${migrations.upgrade}\` ended with status ${outcome.exitStatus} in ${outcome.dyno}; the database is at ` +
            `${now ?? 'no revision'}, expected ${chain.head}. ${remedy} ` +
            `Its last lines:\n${lastLines(outcome.output)}`,
        );
      }
    });

  return perform({ guard: () => guardAgainstDrift(services, target, call), probe, act });
}
