import { runTool } from '../../rehearsal/run-tool.ts';
import { ROOT } from '../../scripts/bootstrap.mjs';
import type { Place } from '../measurement.ts';

/** A phase of `npm start`, and the milliseconds that it took. */
export interface Phase {
  readonly what: string;
  readonly ms: number;
}

const limitMs = 5 * 60_000;

/** The first line of each phase, as `npm start` says it where it has no terminal. */
const begins: readonly (readonly [RegExp, string])[] = [
  [/^Raptor Cutover: a rehearsal/, 'Temporal, PostgreSQL, the stand-ins'],
  [/^ *starting the worker/, 'the worker, the app deployed'],
  [/^ *everything is up/, 'the cutover, launch included'],
  [/^Summary:/, 'everything stopped'],
];

/** Runs `npm start` once, as somebody does who has run it before. */
export async function measureNpmStart({ signal }: Pick<Place, 'signal'>): Promise<readonly Phase[]> {
  const began = performance.now();
  const marks: { what: string; at: number }[] = [{ what: 'npm, packages checked, code loaded', at: began }];
  const lines: string[] = [];
  const ended = await runTool('npm', ['start'], {
    cwd: ROOT,
    limitMs,
    signal,
    onLine(line) {
      lines.push(line);
      const next = begins[marks.length - 1];
      if (next !== undefined && next[0].test(line)) marks.push({ what: next[1], at: performance.now() });
    },
  });
  const over = performance.now();
  if (ended.code !== 0) throw new Error(`\`npm start\` ended with ${ended.code}: ${lines.slice(-5).join(' / ')}`);
  return [
    ...marks.map(({ what, at }, index) => ({ what, ms: (marks[index + 1]?.at ?? over) - at })),
    { what: 'all of it', ms: over - began },
  ];
}
