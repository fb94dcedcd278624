import { sql } from 'slonik';
import { z } from 'zod';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { attachedDatabase } from './attached-database.ts';
import { hasBookkeeping, inBookkeeping } from './bookkeeping.ts';
import type { Connection } from './clients/postgres.ts';
import { fail } from './fail.ts';
import { observe, perform } from './perform.ts';
import { targetOf, type Services } from './services.ts';
import { wayBackDatabase } from './way-back-database.ts';

const row = z.object({ addon_id: z.string(), sealed_by: z.string(), run: z.string(), sealed_at: z.string() });
export type Seal = z.infer<typeof row>;

/**
 * The seal that stands in a database, whichever add-on it was made for. One of another add-on came along with a fork or
 * a restored backup: it says nothing of the database that it is found in.
 */
export async function sealIn(connection: Connection): Promise<Seal | null> {
  if (!(await hasBookkeeping(connection, 'seal'))) return null;
  return connection.maybeOne(sql.type(row)`
    SELECT addon_id, sealed_by, run, to_char(sealed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS sealed_at
    FROM cutover.seal`);
}

/** Refuses every way back once the database is launched. Asked first of all by every rollback, of whatever run. */
export async function readSeal(services: Services, call: StepCall): Promise<StepResult<Evidence<'read-seal'>>> {
  const target = await targetOf(services, call);
  return observe(async () => {
    const { addon, url } = await wayBackDatabase(services, target);
    const seal = await services.postgres.connected(url, sealIn);
    if (seal?.addon_id === addon.id) {
      throw fail(
        'Sealed',
        `${addon.name} was sealed by ${seal.sealed_by} at ${seal.sealed_at} (run ${seal.run}): ${target.app} is launched, and its rows are nowhere ` +
          'else. No rollback is possible: mend forward, or restore a backup by hand.',
      );
    }
    return { addon: addon.name, copiedFrom: seal?.addon_id ?? null };
  });
}

/** Writes the seal: from here every rollback is refused, by this run and by every later one. */
export async function sealDatabase(services: Services, call: StepCall): Promise<StepResult<Evidence<'seal'>>> {
  const target = await targetOf(services, call);
  const { addon, url } = await attachedDatabase(services, target);
  const { by, planDigest, backup } = call.seal ?? { by: 'unknown', planDigest: null, backup: null };
  return perform({
    probe: async () => {
      const seal = await services.postgres.connected(url, sealIn);
      if (seal?.addon_id !== addon.id) return { is: 'absent', what: `${addon.name} is not sealed` };
      return {
        is: 'done',
        evidence: { addon: addon.name, by: seal.sealed_by, run: seal.run, at: seal.sealed_at },
      };
    },
    act: () =>
      services.postgres.connected(url, (connection) =>
        inBookkeeping(connection, target.role.credential, async (tx) => {
          await tx.query(sql.unsafe`
            CREATE TABLE IF NOT EXISTS cutover.seal (
              only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
              addon_id text NOT NULL, sealed_by text NOT NULL, sealed_at timestamptz NOT NULL DEFAULT now(),
              run text NOT NULL, plan_digest text, backup jsonb)`);
          // One of this add-on's own stays as it is, whoever was first. One that was copied along is replaced.
          await tx.query(sql.unsafe`
            INSERT INTO cutover.seal (addon_id, sealed_by, run, plan_digest, backup)
            VALUES (${addon.id}, ${by}, ${call.run}, ${planDigest}, ${JSON.stringify(backup)}::jsonb)
            ON CONFLICT (only_one) DO UPDATE
            SET addon_id = EXCLUDED.addon_id, sealed_by = EXCLUDED.sealed_by, sealed_at = EXCLUDED.sealed_at,
                run = EXCLUDED.run, plan_digest = EXCLUDED.plan_digest, backup = EXCLUDED.backup
            WHERE cutover.seal.addon_id <> EXCLUDED.addon_id`);
        }),
      ),
  });
}
