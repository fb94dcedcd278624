import { createHash, randomInt } from 'node:crypto';

/** The largest seed that is drawn: short enough to be read out. */
const seeds = 1_000_000;

/** A seed for a drill that nobody gave one. */
export function anySeed(): number {
  return randomInt(seeds);
}

/** Numbers from 0 to 1 that look random, and are the same each time for the same seed and name. */
export type Random = () => number;

/**
 * @param name what the numbers are for: the numbers of one case do not depend on which others are drilled
 */
export function randomOf(seed: number, name: string): Random {
  let drawn = 0;
  return () => {
    drawn += 1;
    return createHash('sha256').update(`${seed} ${name} ${drawn}`).digest().readUInt32BE() / 2 ** 32;
  };
}

/** The same things in another order. */
export function shuffled<T>(things: readonly T[], random: Random): T[] {
  return things
    .map((thing) => ({ thing, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ thing }) => thing);
}
