import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { ratiosFirst, type Results } from './results.ts';
import { cellsOf, headings, missed } from './table.ts';

/** The page that holds the latest figures, and the file from which they come. */
export const pagePath = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
export const figuresPath = fileURLToPath(new URL('../docs/performance.json', import.meta.url));

const begin = '<!-- figures: written by `npm run bench -- --write` -->';
const end = '<!-- end of figures -->';

/** The section of the page that holds the figures, as Markdown. */
export function figuresSection(results: Results): string {
  const { on, version, quick, machine, measurements } = results;
  const { cpu, cores, memoryMiB, system, node } = machine;
  const { ratios } = ratiosFirst(results);
  const misses = missed(results);
  const parts = [
    `Version ${version}, ${on.slice(0, 10)}, ${cpu}, ${cores} cores, ${Math.round(memoryMiB / 1024)} GiB, ${system}, Node ${node}.` +
      (quick ? ' **A quick run**: few repetitions and small numbers.' : ''),
    misses.length === 0
      ? 'Every target that was measured is met.'
      : `Missed:\n\n${misses.map((line) => `- ${line}`).join('\n')}`,
  ];
  if (ratios.length > 0) parts.push('### Ratios', markdownTable(headings, ratios.map(cellsOf)));
  for (const { title, figures, comparisons, notes, load, seconds, failed } of measurements) {
    const others = figures.filter(({ unit }) => unit !== '×');
    parts.push(`### ${title}`);
    if (failed !== undefined) parts.push(`Not measured: ${failed}`);
    if (others.length > 0) parts.push(markdownTable(headings, others.map(cellsOf)));
    for (const one of comparisons) parts.push(`${one.title}:`, markdownTable(one.columns, one.rows));
    if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join('\n'));
    parts.push(
      `_It took ${Math.round(seconds)} s, on a machine with a load average of ${load.toFixed(1)} as it began._`,
    );
  }
  return parts.join('\n\n');
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
  return format(text, { ...(await resolveConfig(pagePath)), filepath: pagePath });
}

/** Writes the figures to the page, and to the file beside it. */
export async function writePage(results: Results): Promise<void> {
  const page = await pageWith(await readFile(pagePath, 'utf8'), results);
  await writeFile(figuresPath, `${JSON.stringify(results, null, 2)}\n`);
  await writeFile(pagePath, page);
}
