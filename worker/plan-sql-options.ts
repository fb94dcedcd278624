import path from 'node:path';
import { parseArgs } from 'node:util';

export interface PlanSqlOptions {
  readonly help: boolean;
  readonly app: string;
  /** What the SHA-256 of the SQL must be, or begin with, in hex. */
  readonly sha256: string | undefined;
  /** Takes the SQL, in place of standard output. */
  readonly out: string | undefined;
}

/** What is wrong with a command line, for people. */
export class PlanSqlUsageError extends Error {
  override readonly name = 'PlanSqlUsageError';
}

export const planSqlUsage = `Usage: npm run plan:sql -- APP [--sha256 DIGEST] [--out FILE]

Prints the SQL of the revisions that a cutover of APP would run, as the deployed slug tells it. Changes nothing: a one-off
dyno that reaches no database prints it. Wants the environment of a worker: HEROKU_API_KEY and so on.

  --sha256 DIGEST  the digest in a plan (sql.sha256), or its first 12 digits: ends with 1 where the SQL is another one
  --out FILE       writes the SQL to FILE
  --help           explains`;

/**
 * @param env in which npm says where it was called
 * @throws PlanSqlUsageError
 */
export function readPlanSqlOptions(args: readonly string[], env: NodeJS.ProcessEnv): PlanSqlOptions {
  const options = { help: { type: 'boolean' }, sha256: { type: 'string' }, out: { type: 'string' } } as const;
  const { values, positionals } = parsed(() => parseArgs({ args: [...args], options, allowPositionals: true }));
  const [app = '', ...others] = positionals;
  const { help = false, sha256, out } = values;
  if (!help && (app === '' || others.length > 0)) throw new PlanSqlUsageError('Name one app, as its target file does.');
  if (sha256 !== undefined && !/^[0-9a-f]{12,64}$/.test(sha256)) {
    throw new PlanSqlUsageError(
      '--sha256 wants the digest of the SQL in a plan: 12 to 64 digits of a hexadecimal number.',
    );
  }
  const from = env['INIT_CWD'] ?? process.cwd();
  return { help, app, sha256, out: out === undefined ? undefined : path.resolve(from, out) };
}

function parsed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const [problem = ''] = (error as Error).message.split('. ');
    throw new PlanSqlUsageError(`${problem}.`);
  }
}
