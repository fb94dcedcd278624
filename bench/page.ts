import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { merged, ratiosFirst, readResults, type Measured, type Results } from './results.ts';
import { cellsOf, headings, missed } from './table.ts';

/** The page that holds the latest figures, and the file from which they come. */
export const pagePath = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
export const figuresPath = fileURLToPath(new URL('../docs/performance.json', import.meta.url));

const begin = '<!-- figures: written by `npm run bench -- --write` -->';
const end = '<!-- end of figures -->';

/** The section of the page that holds the figures, as Markdown. */
export function figuresSection(results: Results): string {
  const { version, machine, measurements } = results;
  const { cpu, cores, memoryMiB, system, node } = machine;
  const { ratios } = ratiosFirst(results);
  const misses = missed(results);
  const parts = [
    `Version ${version}; ${cpu}, ${cores} cores, ${Math.round(memoryMiB / 1024)} GiB, ${system}, Node ${node}.`,
    misses.length === 0
      ? 'Every target that was measured is met.'
      : `Missed:\n\n${misses.map((line) => `- ${line}`).join('\n')}`,
  ];
  if (ratios.length > 0) parts.push('### Ratios', markdownTable(headings, ratios.map(cellsOf)));
  for (const { title, figures, comparisons, notes, failed, ...circumstances } of measurements) {
    const others = figures.filter(({ unit }) => unit !== '×');
    parts.push(`### ${title}`);
    if (failed !== undefined) parts.push(`Not measured: ${failed}`);
    if (others.length > 0) parts.push(markdownTable(headings, others.map(cellsOf)));
    for (const one of comparisons) parts.push(`${one.title}:`, markdownTable(one.columns, one.rows));
    if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join('\n'));
    parts.push(`_${told(circumstances)}_`);
  }
  return parts.join('\n\n');
}

function told({ on, quick, seconds, load }: Pick<Measured, 'on' | 'quick' | 'seconds' | 'load'>): string {
  const how = quick ? ' A quick run: few repetitions and small numbers.' : '';
  return `Measured on ${on.slice(0, 10)} in ${Math.round(seconds)} s, with a load average of ${load.toFixed(1)} as it began.${how}`;
}

function markdownTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  // A column in which nothing stands is left out.
  const kept = heading.map((_, index) => index === 0 || rows.some((row) => (row[index] ?? '') !== ''));
  const line = (cells: readonly string[]): string =>
    `| ${heading
      .map((_, index) => (cells[index] ?? '').replaceAll('|', '\\|'))
      .filter((_, index) => kept[index])
      .join(' | ')} |`;
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n');
}

/**
 * The page with the figures of a run in the place of those that stand there.
 *
 * @throws Error where the page has lost the marks around them
 */
export async function pageWith(page: string, results: Results): Promise<string> {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/performance.md has lost its marks: ${begin} and ${end}.`);
  const text = `${page.slice(0, from)}${begin}\n\n${figuresSection(results)}\n\n${page.slice(to)}`;
  return formatted(text, pagePath);
}

async function formatted(text: string, filepath: string): Promise<string> {
  return format(text, { ...(await resolveConfig(filepath)), filepath });
}

/**
 * Writes the figures to the page, and to the file beside it.
 *
 * @param order of the measurements, where those stay that were not made this time
 * @throws Error where those that stay are of another machine or version
 */
export async function writePage(made: Results, order?: readonly string[]): Promise<void> {
  const results = order === undefined ? made : merged(readResults(await readFile(figuresPath, 'utf8')), made, order);
  const page = await pageWith(await readFile(pagePath, 'utf8'), results);
  await writeFile(figuresPath, await formatted(JSON.stringify(results), figuresPath));
  await writeFile(pagePath, page);
}
