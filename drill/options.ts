import { parseArgs } from 'node:util';
import { refusedWords, UsageError } from '../rehearsal/start/options.ts';
import type { Case } from './case.ts';
import { disturbances } from './case.ts';
import { allCases } from './cases.ts';
import { anySeed, randomOf, shuffled } from './random.ts';

export interface DrillOptions {
  readonly help: boolean;
  /** Show which cases there are, and drill none. */
  readonly list: boolean;
  readonly seed: number;
  /** The cases that are drilled. */
  readonly cases: readonly Case[];
  /** How many runs at once. */
  readonly abreast: number;
  /** How many cases share a run at most. */
  readonly share: number;
}

const mostAbreast = 16;
const usualAbreast = 4;
const mostShared = 24;

const listed = Object.entries(disturbances)
  .map(([name, text]) => `  ${name.padEnd(16)} ${text}`)
  .join('\n');

export const usage = `Usage: npm run drill [-- OPTION…]

Kills what a run needs, at every step of every procedure, on real parts on this machine: Temporal's server, PostgreSQL,
worker processes, and the stand-ins for Heroku and GitHub. After each case the world is held against what must be true of
it. Nothing outside of this machine is touched.

  (no option)   every case, in a random order
  --only P,P    only cases whose id has P in it; * stands for anything but a slash
  --cases N     N of them, chosen by the seed
  --seed N      the same choice, order and messages as another drill: it prints its seed first
  --abreast N   how many runs at once; ${usualAbreast} unless said
  --share N     up to N cases in one run, where they go together: faster, and less is known of each; 1 unless said
  --list        print the ids of the cases, and drill none
  --help        this text

An id is procedure/step/disturbance. Disturbances:
${listed}

It exits with 0 when every case survived.

Needs what \`npm start\` needs.`;

/**
 * @param env npm keeps options before a \`--\` for itself and passes them in the environment
 * @throws UsageError
 */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv = process.env): DrillOptions {
  const options = {
    help: { type: 'boolean', short: 'h' },
    list: { type: 'boolean' },
    only: { type: 'string', multiple: true },
    cases: { type: 'string' },
    seed: { type: 'string' },
    abreast: { type: 'string' },
    share: { type: 'string' },
  } as const;
  return refusedWords('npm run drill', Object.keys(options), env, () => {
    const { values } = parseArgs({ args: [...args], options, allowPositionals: false });
    const { help = false, list = false } = values;
    const seed = wholeNumber('seed', values.seed, 0, Number.MAX_SAFE_INTEGER) ?? anySeed();
    const found = named(values.only);
    const count = wholeNumber('cases', values.cases, 1, found.length) ?? found.length;
    const abreast = wholeNumber('abreast', values.abreast, 1, mostAbreast) ?? usualAbreast;
    const share = wholeNumber('share', values.share, 1, mostShared) ?? 1;
    return { help, list, seed, abreast, share, cases: shuffled(found, randomOf(seed, 'order')).slice(0, count) };
  });
}

/** Every case whose id has one of the patterns in it. */
function named(patterns: readonly string[] | undefined): Case[] {
  const all = allCases();
  if (patterns === undefined) return all;
  const wanted = patterns.flatMap((word) => word.split(','));
  const none = wanted.find((pattern) => pattern === '' || !all.some(({ id }) => matches(id, pattern)));
  if (none !== undefined) throw new UsageError(`No case has ${none || '""'} in its id. --list prints them.`);
  return all.filter(({ id }) => wanted.some((pattern) => matches(id, pattern)));
}

function matches(id: string, pattern: string): boolean {
  const source = pattern
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^/]*');
  return new RegExp(source).test(id);
}

function wholeNumber(name: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new UsageError(`--${name} wants a whole number from ${least} to ${most}, and not ${text || '""'}.`);
  return value;
}
