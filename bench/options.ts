import path from 'node:path';
import { parseArgs } from 'node:util';
import { refusedWords, UsageError } from '../rehearsal/start/options.ts';

/** What can be measured, in the order in which it is. */
export const measurementIds = [
  'history',
  'start',
  'approval',
  'many',
  'together',
  'cutover',
  'engine',
  'dbos',
] as const;
export type MeasurementId = (typeof measurementIds)[number];

export interface BenchOptions {
  readonly help: boolean;
  /** What is to be measured, in the order of the list. */
  readonly only: readonly MeasurementId[];
  /** Few repetitions and small numbers. */
  readonly quick: boolean;
  /** File that takes the figures. */
  readonly jsonFile?: string;
  /** Write the figures to docs/performance.md. */
  readonly write: boolean;
  /** File with figures of an earlier run, which are shown and written in the place of new ones. */
  readonly from?: string;
}

export const usage = `Usage: npm run bench [-- OPTION…]

Measures the runbook on this machine, side by side with other ways, and prints a table: ratios first. Nothing outside of
this machine is touched. The figures mean something on a machine that does nothing else meanwhile.

  (no option)   everything, which takes half an hour or so
  --only M,M    only these measurements:
                  history   events and bytes of each path through the runbook
                  start     how long until a worker is ready, and the phases of \`npm start\`
                  approval  from an approval to the next activity's start
                  many      many runs that wait, on one worker: its memory, and waking one
                  together  many runs at RM-10 at once: on a platform without a limit, and within one
                  cutover   a whole cutover: the runbook, its activities without an engine, the official Heroku CLI
                  engine    a step that does nothing on Temporal's dev server, and what makes it dearer or cheaper
                  dbos      the same, and 500 runs of 13 of them: dev server, server on PostgreSQL, DBOS Transact
  --quick       few repetitions and small numbers: whether it runs, rather than how fast
  --json F      write the figures to F as well
  --write       write them to docs/performance.md and docs/performance.json; what was not measured this time stays there
  --from F      measure nothing: take the figures from F, which --json has written
  --help        this text

It exits with 0 when everything was measured, whether or not the targets were met; what was missed stands in the end.

Needs what \`npm start\` needs; \`cutover\` wants psql too. What is compared with, the official Heroku CLI and DBOS Transact,
is installed the first time, into the folder in which \`npm start\` keeps what is slow to get. \`dbos\` wants Go the first
time, and ten minutes: Temporal's server is built from its module.`;

/**
 * @param env npm keeps options before a \`--\` for itself and passes them in the environment
 * @throws UsageError
 */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv = process.env): BenchOptions {
  const options = {
    help: { type: 'boolean', short: 'h' },
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean' },
    json: { type: 'string' },
    write: { type: 'boolean' },
    from: { type: 'string' },
  } as const;
  return refusedWords('npm run bench', Object.keys(options), env, () => {
    const { values } = parseArgs({ args: [...args], options, allowPositionals: false });
    const { help = false, quick = false, write = false, json, from } = values;
    const only = measurementsNamed(values.only ?? []);
    if (from !== undefined && (quick || values.only !== undefined))
      throw new UsageError('--from measures nothing: --only and --quick do not go with it.');
    // npm runs its commands in the project's folder, and says where it was called.
    const resolve = (file: string): string => path.resolve(env['INIT_CWD'] ?? process.cwd(), file);
    for (const [name, file] of Object.entries({ json, from }))
      if (file === '') throw new UsageError(`--${name} wants the name of a file.`);
    return {
      help,
      only,
      quick,
      write,
      ...(json === undefined ? {} : { jsonFile: resolve(json) }),
      ...(from === undefined ? {} : { from: resolve(from) }),
    };
  });
}

function measurementsNamed(words: readonly string[]): MeasurementId[] {
  if (words.length === 0) return [...measurementIds];
  const wanted = words.flatMap((word) => word.split(','));
  const unknown = wanted.find((word) => !measurementIds.some((id) => id === word));
  if (unknown !== undefined)
    throw new UsageError(`There is no measurement ${unknown || '""'}. Known: ${measurementIds.join(', ')}.`);
  return measurementIds.filter((id) => wanted.includes(id));
}
