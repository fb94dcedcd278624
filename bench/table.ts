import { meets, ratiosFirst, type Figure, type Results, type Unit } from './results.ts';

/** Digits behind the point. */
const digits: Partial<Record<Unit, number>> = { '×': 2, s: 2, MiB: 1, KiB: 1, ms: 1 };

/** A number with its unit, with as many digits as mean something. */
export function shown(value: number, unit: Unit): string {
  const size = Math.abs(value);
  const places = size >= 100 && unit !== '×' ? 0 : (digits[unit] ?? (Number.isInteger(value) || size >= 10 ? 0 : 1));
  const number = value.toLocaleString('en-GB', { minimumFractionDigits: places, maximumFractionDigits: places });
  return unit === '/s' ? `${number}/s` : `${number} ${unit}`;
}

/** One figure as cells: what, value, target, how it grows. */
export function cellsOf(figure: Figure): string[] {
  const { what, value, unit, of, range, atMost, grows } = figure;
  const [least, most] = range ?? [value, value];
  const spread = least === most ? '' : ` (${shown(least, unit)} to ${shown(most, unit)}${of ? `, ${of}` : ''})`;
  const verdict = { true: 'met', false: '**missed**', undefined: '' }[`${meets(figure)}`];
  return [what, shown(value, unit) + spread, atMost === undefined ? '' : `≤ ${shown(atMost, unit)}: ${verdict}`, grows];
}

export const headings = ['figure', 'value', 'target', 'how it grows'];

/** Columns that stand under each other, in plain text. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => [...(row[index] ?? '')].length)));
  const padded = (cell: string, index: number): string => cell + ' '.repeat((widths[index] ?? 0) - [...cell].length);
  return rows.map((row) => `  ${row.map(padded).join('  ')}`.trimEnd());
}

/** What the terminal shows in the end: ratios first. */
export function tableLines(results: Results): string[] {
  const plain = (figure: Figure): string[] => cellsOf(figure).map((cell) => cell.replaceAll(/[*`]/g, ''));
  const { ratios } = ratiosFirst(results);
  const lines: string[] = [];
  if (ratios.length > 0) lines.push('Ratios', ...columns([headings, ...ratios.map(plain)]), '');
  for (const { title, figures, comparisons, notes, failed } of results.measurements) {
    const others = figures.filter(({ unit }) => unit !== '×');
    lines.push(title);
    if (failed !== undefined) lines.push(`  failed: ${failed}`);
    if (others.length > 0) lines.push(...columns([headings, ...others.map(plain)]));
    for (const one of comparisons) lines.push(`  ${one.title}`, ...columns([one.columns, ...one.rows]));
    lines.push(...notes.map((note) => `  ${note.replaceAll('`', '')}`), '');
  }
  return lines;
}

/** The figures that are not as they should be, for people. */
export function missed({ measurements }: Results): string[] {
  return measurements
    .flatMap((one) => one.figures)
    .filter((figure) => meets(figure) === false)
    .map(
      ({ what, value, unit, atMost = 0 }) =>
        `${what}: ${shown(value, unit)}, and should be ${shown(atMost, unit)} at most`,
    );
}
