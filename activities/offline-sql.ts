import { runOneOff } from './clients/one-off.ts';
import { fail } from './fail.ts';
import { isNamedAfter, revisionFileName } from './revisions.ts';
import type { Services } from './services.ts';
import type { Target } from './target.ts';

/** Stands between what two commands print, with the exit status of the first one behind it. */
const divider = '--- cutover: revision files, after status';

/**
 * Upgrade commands that take a range of revisions and print instead of running: Alembic's own and Flask-Migrate's. A
 * script could take no notice of what is put behind it and upgrade, so no other command is ever tried.
 */
const takesRange =
  /^(?<upgrade>(?:cd [\w./-]+ && )?(?:python3? -m )?(?:alembic(?: -[cnx] [\w./=:-]+)*|flask(?: (?:-A|--app) [\w.:/-]+)? db) upgrade)(?: heads?)?$/;

/** A URL of PostgreSQL's that leads nowhere: only its kind matters, and nothing listens on that port. */
const nowhere = 'postgres://offline@127.0.0.1:9/offline';

/** Revisions of a slug that are to be run. */
export interface RevisionRange {
  /** Null: from the beginning. */
  readonly from: string | null;
  readonly to: string;
  /** Oldest first; at least one. */
  readonly pending: readonly string[];
}

export interface OfflineSql {
  /** Prints the SQL where it is run at the root of the slug; null where no such command is known. */
  readonly command: string | null;
  /** What it printed; null where it did not come to an end. */
  readonly sql: string | null;
  /** SHA-256 of each revision's file in the slug, in hex; null where no file is named after it. */
  readonly files: readonly { readonly revision: string; readonly sha256: string | null }[];
}

/**
 * What revisions would run, as the deployed slug itself tells it in a one-off dyno. No variable of that dyno leads to a
 * database, so that a revision or an `env.py` that connects all the same cannot reach one.
 *
 * @param mark of the dyno
 * @throws ApplicationFailure `OutcomeUnknown` when the dyno was killed or lost
 */
export async function offlineSql(
  services: Services,
  target: Target,
  range: RevisionRange,
  mark: string,
): Promise<OfflineSql> {
  const vars = await services.heroku.getConfigVars(target.app);
  const command = offlineCommand(target, range, vars);
  const print = command === null ? 'false' : `${command} 2>/dev/null`;
  const digests = `find '${target.migrations.versions}' -name '*.py' -exec sha256sum {} +`;
  const { exitStatus, ending, output } = await runOneOff(services.heroku, {
    app: target.app,
    command: `( ${print} ); echo "${divider} $?"; ${digests}`,
    mark,
  });
  const [sql = '', rest] = output.split(divider);
  if (exitStatus === undefined || rest === undefined) {
    throw fail(
      'OutcomeUnknown',
      `The one-off dyno that prints the SQL of the revisions ended ${ending}: it was killed, or its stream was lost. It only prints; it is run again.`,
    );
  }
  const [status = '', ...files] = rest.split('\n');
  const printed = command !== null && status.trim() === '0' && sql.trim() !== '';
  return {
    command,
    sql: printed ? sql : null,
    files: range.pending.map((revision) => ({ revision, sha256: digestOf(files, revision) })),
  };
}

/** What prints the SQL of a range of revisions; null where it is not known that the command would print and not run. */
export function offlineCommand(
  { database, migrations }: Target,
  { from, to }: RevisionRange,
  vars: Readonly<Record<string, string>>,
): string | null {
  const upgrade = takesRange.exec(migrations.upgrade)?.groups?.['upgrade'];
  if (upgrade === undefined) return null;
  const leading = Object.keys(vars).filter((name) => /^postgres(ql)?:/.test(vars[name] ?? ''));
  const urls = [...new Set([`${database.attachment}_URL`, ...leading])].sort().map((name) => `${name}=${nowhere}`);
  // Whoever gets to a database by other means finds that it may only read.
  const readOnly = `PGOPTIONS='-c default_transaction_read_only=on'`;
  return `export ${urls.join(' ')} ${readOnly}; ${upgrade} ${from ?? 'base'}:${to} --sql`;
}

/** Of the lines that `sha256sum` prints, the one for a revision's file. */
function digestOf(lines: readonly string[], revision: string): string | null {
  for (const line of lines) {
    const [, digest, file] = /^([0-9a-f]{64}) [ *](.+\.py)$/.exec(line.trim()) ?? [];
    if (digest !== undefined && isNamedAfter(revisionFileName(file ?? ''), revision)) return digest;
  }
  return null;
}
