import { createHash } from 'node:crypto';
import type { Facts } from '../workflows/facts.ts';
import type { Preview } from '../workflows/preview.ts';
import type { StepCall } from '../workflows/steps.ts';
import type { GrantMatrix } from './matrix.ts';
import { offlineSql, type OfflineSql, type RevisionRange } from './offline-sql.ts';
import { privilegesPreview } from './privileges.ts';
import { markOf, type Services } from './services.ts';
import type { Target } from './target.ts';
import { varChanges, type Configured } from './var-changes.ts';

/** What a survey has read already. */
export interface Surveyed extends Configured {
  readonly migrations: Facts['migrations'];
  readonly matrix: GrantMatrix;
}

/** Works out what a cutover would do. Changes nothing: the sessions may only read, and the dyno reaches no database. */
export async function previewOf(
  services: Services,
  target: Target,
  call: StepCall,
  { migrations, matrix, ...configured }: Surveyed,
): Promise<Preview> {
  const range = rangeOf(migrations);
  const printed = range && (await offlineSql(services, target, range, `${markOf(call)}/sql`));
  const migrates = migrations.pending.length > 0;
  const granted = await services.postgres.connected(configured.database.url, (connection) =>
    privilegesPreview(connection, target, matrix, migrates),
  );
  const vars = await varChanges(services, target, configured);
  return {
    ...sqlOf(target, printed),
    ...granted,
    vars: vars.vars,
    obstacles: [...vars.obstacles, ...granted.obstacles],
  };
}

/** The revisions that a cutover would run, or undefined where there are none. */
export function rangeOf({ current, heads, pending }: Facts['migrations']): RevisionRange | undefined {
  const [to] = heads;
  return to === undefined || pending.length === 0 ? undefined : { from: current, to, pending };
}

/** SHA-256 of SQL as it was printed, in hex. */
export function digestOfSql(sql: string): string {
  return createHash('sha256').update(sql).digest('hex');
}

function sqlOf({ migrations }: Target, printed: OfflineSql | undefined): Pick<Preview, 'revisions' | 'sql' | 'noSql'> {
  if (printed === undefined) return { revisions: [], sql: null, noSql: null };
  const { command, sql, files } = printed;
  const revisions = [...files];
  if (command === null) {
    const noSql = `\`${migrations.upgrade}\` is not a plain \`alembic upgrade\` or \`flask db upgrade\`, so it is not asked to print`;
    return { revisions, sql: null, noSql };
  }
  if (sql === null) {
    const noSql = `a revision or env.py needs a database to say what it runs: \`${command}\` printed none`;
    return { revisions, sql: null, noSql };
  }
  const lines = sql.split('\n').length - 1;
  return { revisions, sql: { command, sha256: digestOfSql(sql), lines }, noSql: null };
}
