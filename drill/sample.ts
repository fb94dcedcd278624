import { disturbances, type Case, type Disturbance } from './case.ts';
import { allCases } from './cases.ts';
import { namedCases } from './named-cases.ts';
import { randomOf, shuffled } from './random.ts';

/** How many of each disturbance make a small drill. Those that want a run to themselves are few: each costs a whole one. */
const howMany: Readonly<Record<Disturbance, number>> = {
  none: 0,
  before: 4,
  during: 4,
  after: 4,
  parked: 2,
  undoing: 1,
  'temporal-killed': 1,
  'postgres-killed': 1,
  'platform-away': 2,
  'two-workers': 1,
  messages: 1,
};

/** About twenty cases: some of every disturbance, chosen by a seed, and the named ones. */
export function smallSample(seed: number): Case[] {
  const all = shuffled(allCases(), randomOf(seed, 'sample'));
  const kinds = Object.keys(disturbances) as Disturbance[];
  const chosen = kinds.flatMap((kind) => all.filter(({ disturbance }) => disturbance === kind).slice(0, howMany[kind]));
  return [...new Set([...all.filter(({ id }) => Object.hasOwn(namedCases, id)), ...chosen])];
}
