import path from 'node:path';
import { parseArgs } from 'node:util';
import type { OwnAppOptions } from '../own-app/read.ts';
import { scenarios, type ScenarioName } from '../scenarios.ts';
import { states } from '../scenarios/states.ts';

export interface Options {
  readonly help: boolean;
  /** Leave the gates, and the merging of the pull request, to the person at the terminal. */
  readonly hold: boolean;
  /** Bring everything up and start no run. */
  readonly idle: boolean;
  /** The state of production to rehearse; undefined for a clean one. */
  readonly scenario?: ScenarioName;
  /** Make the plan, show it and end. */
  readonly plan: boolean;
  /** With `plan`: file that takes the SQL of the revisions. */
  readonly sqlFile?: string;
  /** Encrypt the payloads, and serve a codec server to read them with. */
  readonly encrypt: boolean;
  /** File that takes the shape of the rehearsed schema. */
  readonly fingerprint?: string;
  /** The user's own app, in place of Raptor. */
  readonly ownApp?: OwnAppOptions;
}

/** The scenarios, a line for each, as a usage shows them. */
export const scenarioList = Object.entries(scenarios)
  .map(([name, { summary }]) => `                  ${name.padEnd(20)} ${summary}`)
  .join('\n');

export const usage = `Usage: npm start [-- OPTION…]

A dress rehearsal of the production cutover, on this machine: a real Temporal server, a real PostgreSQL, real Alembic,
and stand-ins that speak Heroku's and GitHub's protocols. Nothing outside this machine is touched.

  (no option)   perform the whole cutover; a rehearsal approver answers each gate after showing what is asked
  --hold        leave the gates to you: prints the exact Temporal CLI command, and the JSON for the Web UI
  --idle        bring everything up and start no run; prints the commands to do it by hand
  --plan        read everything, change nothing, and print what a cutover would do (docs/plan.md); ends by itself
  --sql F       with --plan: write the SQL of the revisions to F and not to the terminal
  --scenario S  rehearse another state of production, and judge how it ends:
${scenarioList}
  --app-dir D --target F  rehearse your own app: D holds its Procfile, requirements.txt and an Alembic or Flask-Migrate
                project, F is its target file (docs/own-app.md); what F leaves out is found in D where that is possible
  --smoke C     with these: the command that stands in for a smoke suite on GitHub, run at the root of the app
  --vars F      with these: config vars that the app cannot do without, a NAME=VALUE a line
  --fingerprint F  write the shape of the rehearsed schema to F, for schema.fingerprint of a target file
  --encrypt     encrypt what the Temporal server keeps, and tell how CLI and Web UI read it by the codec server
  --help        this text

On a terminal everything stays up after the end until Ctrl-C, so that you can look around. Without a terminal it stops
what it started and exits: 0 if the cutover ended as it should and was verified from outside, else 1. A rehearsal that
is stopped before it has a result exits with 128 and the number of the signal, which is 130 for Ctrl-C.

Needs Node.js, Python 3.9 or newer, and the Temporal CLI, which it gets by itself where it can. TEMPORAL_CLI_PATH names
another one; RAPTOR_CUTOVER_CACHE is where it keeps what is slow to get.`;

/** A word on the command line that means nothing here. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError where there is no such scenario */
export function checkedScenario(name: string | undefined): ScenarioName | undefined {
  const isScenario = (known: string): known is ScenarioName => Object.hasOwn(scenarios, known);
  if (name === undefined || isScenario(name)) return name;
  throw new UsageError(`There is no scenario ${name}. Known: ${Object.keys(scenarios).join(', ')}.`);
}

/**
 * Reads options, with what cannot be read said as a sentence.
 *
 * @param command as people type it
 * @param names of its options
 * @param env npm keeps options before a `--` for itself and passes them in the environment
 * @throws UsageError
 */
export function refusedWords<T>(command: string, names: readonly string[], env: NodeJS.ProcessEnv, read: () => T): T {
  for (const name of names) {
    // Help is npm's own to give.
    if (name !== 'help' && env[`npm_config_${name.replaceAll('-', '_')}`] !== undefined)
      throw new UsageError(`npm kept --${name} for itself. Write: ${command} -- --${name}`);
  }
  try {
    return read();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const [problem = ''] = (error as Error).message.split('. ');
    throw new UsageError(`${problem}.`);
  }
}

/**
 * @param env the environment, in which npm leaves what it kept for itself
 * @throws UsageError
 */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Options {
  const options = {
    help: { type: 'boolean', short: 'h' },
    hold: { type: 'boolean' },
    idle: { type: 'boolean' },
    plan: { type: 'boolean' },
    sql: { type: 'string' },
    scenario: { type: 'string' },
    fingerprint: { type: 'string' },
    encrypt: { type: 'boolean' },
    'app-dir': { type: 'string' },
    target: { type: 'string' },
    smoke: { type: 'string' },
    vars: { type: 'string' },
  } as const;
  return refusedWords('npm start', Object.keys(options), env, () => {
    const { values } = parseArgs({ args: [...args], options, allowPositionals: false });
    const { help = false, hold = false, idle = false, encrypt = false, plan = false, fingerprint, sql } = values;
    if (hold && idle)
      throw new UsageError('--hold and --idle exclude each other: with --idle there is no run to hold.');
    const scenario = checkedScenario(values.scenario);
    if (idle && fingerprint !== undefined)
      throw new UsageError('--fingerprint needs a run, and with --idle there is none.');
    if (plan) checkPlan({ hold, idle, fingerprint, scenario });
    else if (sql !== undefined) throw new UsageError('--sql goes with --plan: it takes the SQL of the plan.');
    const ownApp = ownAppOptions(values, env);
    if (ownApp !== undefined && scenario !== undefined)
      throw new UsageError('--scenario is about Raptor: it does not go with --app-dir.');
    return {
      help,
      hold,
      idle,
      encrypt,
      plan,
      ...(sql === undefined ? {} : { sqlFile: path.resolve(calledFrom(env), sql) }),
      ...(scenario ? { scenario } : {}),
      ...(fingerprint ? { fingerprint } : {}),
      ...(ownApp ? { ownApp } : {}),
    };
  });
}

interface BesidePlan {
  readonly hold: boolean;
  readonly idle: boolean;
  readonly fingerprint: string | undefined;
  readonly scenario: ScenarioName | undefined;
}

function checkPlan({ hold, idle, fingerprint, scenario }: BesidePlan): void {
  if (hold) throw new UsageError('--plan and --hold exclude each other: a plan asks nobody.');
  if (idle)
    throw new UsageError('--plan and --idle exclude each other: a plan is a run that starts and ends by itself.');
  if (fingerprint !== undefined)
    throw new UsageError('--fingerprint needs a cutover, which --plan does not perform: run it without --plan.');
  if (scenario !== undefined && !Object.hasOwn(states, scenario)) {
    throw new UsageError(
      `${scenario} is about what happens behind the plan. With --plan: ${Object.keys(states).join(', ')}.`,
    );
  }
}

/** npm runs its commands in the project's folder, and says where it was called. */
function calledFrom(env: NodeJS.ProcessEnv): string {
  return env['INIT_CWD'] ?? process.cwd();
}

type OwnAppWords = Partial<Record<'app-dir' | 'target' | 'smoke' | 'vars', string>>;

function ownAppOptions(words: OwnAppWords, env: NodeJS.ProcessEnv): OwnAppOptions | undefined {
  const { 'app-dir': dir, target, smoke, vars } = words;
  if (dir === undefined && target === undefined) {
    const [word] = Object.entries({ smoke, vars }).flatMap(([name, value]) => (value === undefined ? [] : [name]));
    if (word !== undefined) throw new UsageError(`--${word} goes with --app-dir and --target.`);
    return undefined;
  }
  if (dir === undefined || target === undefined)
    throw new UsageError('--app-dir and --target go together: the folder of the app, and its target file.');
  const from = calledFrom(env);
  return {
    dir: path.resolve(from, dir),
    target: path.resolve(from, target),
    ...(smoke === undefined ? {} : { smoke }),
    ...(vars === undefined ? {} : { vars: path.resolve(from, vars) }),
  };
}
