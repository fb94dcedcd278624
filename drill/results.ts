import { median } from '../bench/statistics.ts';
import { columns } from '../bench/table.ts';
import { disturbances, type Case, type Disturbance } from './case.ts';
import type { Verdict } from './invariants.ts';
import type { Recovery } from './recovery.ts';

/** Seconds in which another worker should have taken over. */
export const recoveryTarget = 15;

/** How one case went. */
export interface Result extends Verdict {
  readonly case: Case;
  readonly recoveries: readonly Recovery[];
  /** How often a person had a step of its run tried again. */
  readonly triedAgain: number;
  readonly seconds: number;
}

export function survived({ duplicates, lost, problems }: Verdict): boolean {
  return duplicates.length + lost.length + problems.length === 0;
}

const headings = [
  'disturbance',
  'injected',
  'survived',
  'duplicate effects',
  'lost effects',
  'tried again by people',
  'recovery: least',
  'median',
  'worst',
];

/** What the terminal shows in the end, a line for each disturbance, and one for all of them. */
export function tableLines(results: readonly Result[]): string[] {
  const names = Object.keys(disturbances) as Disturbance[];
  const rows = names.flatMap((name) => {
    const those = results.filter(({ case: one }) => one.disturbance === name);
    return those.length === 0 ? [] : [cellsOf(name, those)];
  });
  const all = results.filter(({ case: one }) => one.disturbance !== 'none').map(withoutStanding);
  return columns([headings, ...rows, cellsOf('all', all)]);
}

/**
 * A worker that stands still is not dead: its connections are there, and for a while the server gives it tasks that it does not
 * do. How long that takes stands in its own line, and is no recovery from a death.
 */
export function withoutStanding(result: Result): Result {
  return result.case.disturbance === 'two-workers' ? { ...result, recoveries: [] } : result;
}

function cellsOf(name: string, results: readonly Result[]): string[] {
  const total = (count: (result: Result) => number): string =>
    String(results.reduce((sum, result) => sum + count(result), 0));
  const recoveries = results.flatMap((result) => result.recoveries.map(({ ms }) => ms));
  const times =
    recoveries.length === 0 ? ['', '', ''] : [Math.min(...recoveries), median(recoveries), Math.max(...recoveries)];
  return [
    name,
    String(results.length),
    total((result) => Number(survived(result))),
    total((result) => result.duplicates.length),
    total((result) => result.lost.length),
    total((result) => result.triedAgain),
    ...times.map((ms) => (typeof ms === 'string' ? ms : `${(ms / 1000).toFixed(1)} s`)),
  ];
}

/** What was wrong with a case, a line for each thing. */
export function complaintsOf({ duplicates, lost, problems }: Verdict): string[] {
  return [...duplicates.map((line) => `twice: ${line}`), ...lost.map((line) => `lost: ${line}`), ...problems];
}
