import { z } from 'zod';

/** Milliseconds since 1970, as the workflow's own clock has them. */
const instant = z.number().int();

/** How a soak goes, as the target file says. */
export const soakRules = z.object({
  /** Milliseconds that must be clean. */
  forMs: z.number().int(),
  /** Milliseconds between two samples. */
  everyMs: z.number().int(),
  onRed: z.enum(['restart', 'pause']),
  onGap: z.enum(['restart', 'pause']),
  /** Whether the way back is rehearsed before the clock begins; and if not, why not. */
  rehearses: z.boolean(),
  whyNot: z.string().nullable(),
});
export type SoakRules = z.infer<typeof soakRules>;

const hour = 3_600_000;
/** As RM-9 had it. */
export const usualSoak: SoakRules = {
  forMs: 72 * hour,
  everyMs: hour / 12,
  onRed: 'restart',
  onGap: 'pause',
  rehearses: false,
  whyNot: 'the worker that read the target file knew of no rehearsal',
};

/** Where the clock of a soak stands. */
export const soak = z.object({
  since: instant,
  /** Clean milliseconds that count. */
  cleanMs: z.number().int(),
  /** When the clock last began from nothing. */
  clockSince: instant,
  /** How often clean time was lost. */
  restarts: z.number().int(),
  samples: z.number().int(),
  red: z.number().int(),
  gaps: z.number().int(),
  /** Milliseconds in which nobody knows how the app was. */
  gapMs: z.number().int(),
  lastAt: instant,
  /** `late`: green, and so late that nobody knows how the app was before. */
  last: z.enum(['green', 'late', 'red', 'missed']),
  problems: z.array(z.string()),
});
export type Soak = z.infer<typeof soak>;

/** What a sample has seen, as far as the clock needs it. */
export interface Seen {
  readonly healthy: boolean;
  readonly problems: readonly string[];
}

/**
 * The clock of a soak behind one more sample. The only place that knows its rules:
 *
 * - The first sample begins the soak, and counts nothing yet.
 * - The time between two green samples counts, where the second came in time.
 * - The time before a red sample does not, nor that from it to the next green one: nobody knows since when it was wrong.
 * - A sample that could not be taken, or came late by as much as lies between two, is a gap, whose time does not count.
 * - `restart` sets the clock back to nothing, at a red sample or a gap; `pause` keeps what was clean before.
 *
 * @param seen undefined where the sample could not be taken
 * @param now milliseconds since 1970
 */
export function afterSoakSample(
  before: Soak | null,
  seen: Seen | undefined,
  now: number,
  rules: Pick<SoakRules, 'everyMs' | 'onRed' | 'onGap'>,
): Soak {
  const elapsed = before === null ? 0 : Math.max(0, now - before.lastAt);
  const isLate = elapsed >= 2 * rules.everyMs;
  const isGap = seen === undefined || isLate;
  const isRed = seen?.healthy === false;
  const restarts = (isRed && rules.onRed === 'restart') || (isGap && rules.onGap === 'restart');
  const wasGreen = before?.last === 'green' || before?.last === 'late';
  const counts = wasGreen && seen?.healthy === true && !isLate;
  const was = before ?? begun(now);
  return {
    since: was.since,
    cleanMs: restarts ? 0 : was.cleanMs + (counts ? elapsed : 0),
    clockSince: restarts ? now : was.clockSince,
    restarts: was.restarts + (restarts && was.cleanMs > 0 ? 1 : 0),
    samples: was.samples + (seen === undefined ? 0 : 1),
    red: was.red + (isRed ? 1 : 0),
    gaps: was.gaps + (isGap ? 1 : 0),
    gapMs: was.gapMs + (isGap ? elapsed : 0),
    lastAt: now,
    last: seen === undefined ? 'missed' : isRed ? 'red' : isLate ? 'late' : 'green',
    problems: seen === undefined ? ['the sample could not be taken'] : [...seen.problems],
  };
}

function begun(now: number): Soak {
  return {
    since: now,
    cleanMs: 0,
    clockSince: now,
    restarts: 0,
    samples: 0,
    red: 0,
    gaps: 0,
    gapMs: 0,
    lastAt: now,
    last: 'green',
    problems: [],
  };
}

/** What is worth a line in the journal: a change for the worse or the better, and not each sample. */
export function soakNews(before: Soak | null, after: Soak): string | null {
  if (after.last === (before?.last ?? 'green')) return null;
  const lost = after.restarts > (before?.restarts ?? 0) ? ', and the clock begins from nothing' : '';
  switch (after.last) {
    case 'red':
      return `soak: red${lost}: ${after.problems.join('; ')}`;
    case 'missed':
    case 'late':
      return `soak: no sample for ${lengthText(after.gapMs - (before?.gapMs ?? 0))}${lost}`;
    case 'green':
      return `soak: green again; ${lengthText(after.cleanMs)} clean`;
  }
}

/** True once enough was clean. */
export function isSoaked(now: Soak | null, { forMs }: Pick<SoakRules, 'forMs'>): boolean {
  return now !== null && now.cleanMs >= forMs && (now.last === 'green' || now.last === 'late');
}

/** The clock as it is shown. */
export interface SoakView extends Soak {
  readonly forMs: number;
  readonly leftMs: number;
}

export function viewSoak(now: Soak | null, rules: SoakRules | undefined): SoakView | null {
  if (now === null || rules === undefined) return null;
  return { ...now, forMs: rules.forMs, leftMs: Math.max(0, rules.forMs - now.cleanMs) };
}

/** For people: how much was clean, how much is left, and what was not clean. */
export function soakText({ cleanMs, leftMs, forMs, samples, red, gaps, restarts }: SoakView): string {
  const often = restarts === 0 ? '' : `, begun anew ${restarts} times`;
  return `${lengthText(cleanMs)} of ${lengthText(forMs)} clean, ${lengthText(Math.ceil(leftMs / 1000) * 1000)} left; ${samples} samples, ${red} red, ${gaps} gaps${often}`;
}

/** A length of time in its two largest units: `71 h 5 min`, `40 s`. */
export function lengthText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([number]) => number > 0);
  const shown = first === -1 ? [] : parts.slice(first, first + 2).filter(([number]) => number > 0);
  return shown.map(([number, unit]) => `${number} ${unit}`).join(' ') || '0 s';
}
