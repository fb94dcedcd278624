import { readFile, writeFile } from 'node:fs/promises';
import { expect } from '@jest/globals';
import { format, resolveConfig } from 'prettier';
import { failures, isFailureType } from '../../../workflows/failures.ts';

const page = 'docs/faults.md';

/** What was seen of one step that met one fault. */
export interface Observed {
  /** As the row's beginning: `is answered with 500, and was not taken`. */
  readonly fault: string;
  readonly step: string;
  /** The failure of the attempt that met it; null where that attempt came to its end. */
  readonly failure: SeenFailure | null;
  /** What the runbook did about it. */
  readonly does: string;
}

export type SeenFailure = { readonly type: string; readonly message: string };

/** How a failure is handled, by the table of failures. */
export function handlingOf({ type }: SeenFailure): string {
  return isFailureType(type) ? failures[type].handling : 'retried';
}

/** What is done about a fault with which the attempt comes to its end all the same. */
export function withoutFailure({ taken }: { readonly taken: boolean }): string {
  return taken
    ? 'waits for the answer'
    : 'waits, all runs of the worker with it, and sends it again in the same attempt';
}

/** A table of what was seen: one row for all steps that fared alike. */
export function tableOf(what: string, observed: readonly Observed[]): string {
  const rows = new Map<string, { seen: Observed; steps: Set<string> }>();
  for (const seen of observed) {
    const key = [seen.fault, seen.does, seen.failure?.type].join('|');
    const row = rows.get(key) ?? { seen, steps: new Set() };
    row.steps.add(`\`${seen.step}\``);
    rows.set(key, row);
  }
  const lines = [...rows.values()].map(
    ({ seen: { fault, does, failure }, steps }) =>
      `| ${fault} | ${[...steps].join(', ')} | ${does} | ${shown(failure)} |`,
  );
  return [
    `| ${what} | in these steps | what the runbook does | what the operator sees |`,
    '| --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

function shown(failure: SeenFailure | null): string {
  return failure === null ? 'nothing but the time that it takes' : `\`${failure.type}\``;
}

/**
 * Holds a section of the page against what was seen. With `CUTOVER_WRITE_FAULTS` it is written first; the files of these
 * tests must then run one after the other.
 */
export async function expectSection(heading: string, body: string): Promise<void> {
  const text = await readFile(page, 'utf8');
  const section = new RegExp(`(?<=^|\\n)## ${heading}\\n[^]*?(?=\\n## |$)`);
  const seen = await format(`## ${heading}\n\n${body}\n`, { ...(await resolveConfig(page)), filepath: page });
  if (process.env['CUTOVER_WRITE_FAULTS'] !== undefined) {
    const others = text.replace(section, '').trimEnd();
    const written = section.test(text) ? text.replace(section, () => seen) : `${others}\n\n${seen}`;
    await writeFile(page, written);
  }
  expect(section.exec(await readFile(page, 'utf8'))?.[0].trimEnd()).toBe(seen.trimEnd());
}
