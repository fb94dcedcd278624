import { disturbances, type Case, type Disturbance } from './case.ts';
import { allCases } from './cases.ts';
import { namedCases } from './named-cases.ts';
import { randomOf, shuffled } from './random.ts';
import type { Drilled } from './starts.ts';

/** How many of each disturbance make a small drill. Those that want a run to themselves are few: each costs a whole one. */
const howMany: Readonly<Record<Disturbance, number>> = {
  none: 0,
  before: 5,
  during: 4,
  after: 5,
  parked: 2,
  undoing: 1,
  'temporal-killed': 1,
  'postgres-killed': 1,
  'platform-away': 1,
  'two-workers': 1,
  messages: 1,
};

/** Each costs an undisturbed run as well. A plan is the beginning of a cutover, and of the rotations one is enough. */
const sampled: readonly Drilled[] = ['cutover', 'kill-switch', 'undo-rm-11', 'staging-soak', 'rotation-owner'];

/** About twenty cases: some of every disturbance and of what differs most, chosen by a seed, and the named ones. */
export function smallSample(seed: number): Case[] {
  const all = shuffled(allCases(), randomOf(seed, 'sample'));
  const kinds = Object.keys(disturbances) as Disturbance[];
  const named = all.filter(({ id }) => Object.hasOwn(namedCases, id));
  const more = (kind: Disturbance): number => howMany[kind] - named.filter((one) => one.disturbance === kind).length;
  const chosen = kinds.flatMap((kind, index) => {
    const ordered = [...sampled.slice(index % sampled.length), ...sampled.slice(0, index % sampled.length)];
    const those = ordered.map((name) =>
      all.filter(({ procedure, disturbance }) => procedure === name && disturbance === kind),
    );
    return inTurn(those).slice(0, Math.max(0, more(kind)));
  });
  return [...new Set([...named, ...chosen])];
}

/** The first of each list, then the second of each, and so on. */
function inTurn<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, index) => lists.flatMap((list) => list.slice(index, index + 1))).flat();
}
