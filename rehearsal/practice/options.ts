import { parseArgs } from 'node:util';
import { isPlan, type Plan } from '../heroku/index.ts';
import { checkedScenario, refusedWords, scenarioList, UsageError } from '../start/options.ts';
import type { ScenarioName } from '../scenarios.ts';

export interface PracticeOptions {
  readonly help: boolean;
  /** File that takes the environment as `export` lines. */
  readonly envFile?: string;
  /** Plan of the app's own add-on. */
  readonly plan?: Plan;
  /** The state of production to practise in; undefined for a clean one. */
  readonly scenario?: ScenarioName;
  /** The pull request is merged and deployed already. */
  readonly merged: boolean;
  /** The add-on is attached under another name: DATABASE_URL is empty. */
  readonly unattached: boolean;
  /** DATABASE_URL was set by hand to SQLite, and the add-on is attached under another name. */
  readonly sqlite: boolean;
}

export const usage = `Usage: npm run platform [-- OPTION…]

The stand-ins alone, on this machine: PostgreSQL, Heroku with its rendezvous for one-off dynos, GitHub, and Raptor
deployed on them. A place to practise the procedure by hand, with the official Heroku CLI: docs/practice.md. Nothing
outside this machine is touched.

  (no option)   Raptor as its cutover finds it; prints the environment that points the Heroku CLI at the stand-ins
  --env-file F  write that environment to F instead, as export lines: \`. F\` takes it into a shell
  --plan P      the plan of the app's add-on: standard-0 unless said; essential-0, premium-0 and the like
  --unattached  the add-on is attached under another name than DATABASE, so DATABASE_URL is empty
  --sqlite      the same, and DATABASE_URL was set by hand to SQLite
  --merged      the pull request is merged and deployed already
  --scenario S  another state of production:
${scenarioList}
  --help        this text

Everything stays up until Ctrl-C, which stops all of it; the exit code is then 130.

Needs Node.js and Python 3.9 or newer; to practise, the Heroku CLI, and psql for \`heroku pg:psql\`.`;

/**
 * @param env npm keeps options before a `--` for itself and passes them in the environment
 * @throws UsageError
 */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv = process.env): PracticeOptions {
  const options = {
    help: { type: 'boolean', short: 'h' },
    'env-file': { type: 'string' },
    plan: { type: 'string' },
    scenario: { type: 'string' },
    merged: { type: 'boolean' },
    unattached: { type: 'boolean' },
    sqlite: { type: 'boolean' },
  } as const;
  return refusedWords('npm run platform', Object.keys(options), env, () => {
    const { values } = parseArgs({ args: [...args], options, allowPositionals: false });
    const { help = false, merged = false, unattached = false, sqlite = false, plan, 'env-file': envFile } = values;
    if (plan !== undefined && !isPlan(plan)) {
      throw new UsageError(
        `There is no plan ${plan}. Plans are called standard-0, essential-0, premium-2 and the like.`,
      );
    }
    const scenario = checkedScenario(values.scenario);
    if (scenario !== undefined && (unattached || sqlite)) {
      throw new UsageError(
        '--scenario says how the database is attached: --unattached and --sqlite do not go with it.',
      );
    }
    return {
      help,
      merged,
      unattached,
      sqlite,
      ...(plan ? { plan } : {}),
      ...(scenario ? { scenario } : {}),
      ...(envFile ? { envFile } : {}),
    };
  });
}
