import { sql } from 'slonik';
import { z } from 'zod';
import { hasBookkeeping, inBookkeeping } from './bookkeeping.ts';
import type { Quantity } from './clients/heroku.ts';
import type { Connection } from './clients/postgres.ts';

const row = z.object({ type: z.string(), quantity: z.number().int() });

/** How many dynos each process type had when the fence was raised; empty where none is up. */
export async function keptNumbers(connection: Connection): Promise<readonly Quantity[]> {
  if (!(await hasBookkeeping(connection, 'fence'))) return [];
  return connection.any(sql.type(row)`SELECT process AS type, quantity FROM cutover.fence ORDER BY process`);
}

/**
 * Keeps the numbers where any later run finds them.
 *
 * @param role the restricted role, which is to have no access
 * @param fresh true where no fence is up: what an earlier one left behind is not true any more
 */
export async function keepNumbers(
  connection: Connection,
  role: string,
  numbers: readonly Quantity[],
  fresh: boolean,
): Promise<void> {
  await inBookkeeping(connection, role, async (tx) => {
    await tx.query(sql.unsafe`
      CREATE TABLE IF NOT EXISTS cutover.fence (process text PRIMARY KEY, quantity int NOT NULL)`);
    if (fresh) await tx.query(sql.unsafe`DELETE FROM cutover.fence`);
    for (const { type, quantity } of numbers) {
      // A fence that was raised half way has scaled some to 0 already: that is not their number.
      await tx.query(sql.unsafe`
        INSERT INTO cutover.fence (process, quantity) VALUES (${type}, ${quantity})
        ON CONFLICT (process) DO UPDATE SET quantity = EXCLUDED.quantity WHERE EXCLUDED.quantity > 0`);
    }
  });
}

export async function forgetNumbers(connection: Connection): Promise<void> {
  if (!(await hasBookkeeping(connection, 'fence'))) return;
  await connection.query(sql.unsafe`DELETE FROM cutover.fence`);
}
