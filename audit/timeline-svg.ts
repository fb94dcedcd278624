import { escapeHtml } from './html-text.ts';
import type { AuditRecord } from './record-schema.ts';
import { decisionText, lasted, time } from './words.ts';

const width = 960;
const labels = 190;
const rowHeight = 22;
const top = 34;

interface Bar {
  readonly from: string;
  readonly to: string;
  readonly style: string;
  readonly title: string;
  readonly entry: number;
}
interface Row {
  readonly label: string;
  readonly bars: readonly Bar[];
}

/**
 * A picture of the run: a row for each gate and step, and a mark for each decision. The axis is not to scale, because a
 * run of minutes waits for people for hours: the longer a pause, the more it is shortened.
 */
export function timelineSvg({ summary, runs }: AuditRecord): string {
  const last = summary.endedAt ?? runs.at(-1)?.to ?? summary.startedAt;
  const rows = [...gateRows(summary, last), ...stepRows(summary, last)].sort(
    (a, b) => Date.parse(a.bars[0]?.from ?? '') - Date.parse(b.bars[0]?.from ?? ''),
  );
  const bars = rows.flatMap((row) => row.bars);
  const place = axis([
    summary.startedAt,
    last,
    ...bars.flatMap(({ from, to }) => [from, to]),
    ...summary.decisions.map(({ at }) => at),
  ]);
  const height = top + rows.length * rowHeight + 12;
  return [
    `<svg class="timeline" viewBox="0 0 ${width} ${height}" role="img" aria-label="Timeline of the run">`,
    `<text x="${labels}" y="14" class="axis">${time(summary.startedAt)}</text>`,
    `<text x="${width - 4}" y="14" class="axis end">${time(last)}</text>`,
    ...summary.decisions.map((one) => {
      const x = place(one.at);
      const title = `${time(one.at)}: ${one.who.claimed ?? 'nobody by name'} ${decisionText(one)}`;
      return `<a href="#entry-${one.entry}"><g class="decision"><title>${escapeHtml(title)}</title><line x1="${x}" x2="${x}" y1="${top - 10}" y2="${height - 8}"/><circle cx="${x}" cy="${top - 12}" r="4"/></g></a>`;
    }),
    ...rows.flatMap(({ label, bars: own }, index) => {
      const y = top + index * rowHeight;
      return [
        `<text x="${labels - 8}" y="${y + 14}" class="label">${escapeHtml(label.slice(0, 28))}</text>`,
        ...own.map(({ from, to, style, title, entry }) => {
          const x = place(from);
          const length = Math.max(3, place(to) - x);
          return `<a href="#entry-${entry}"><rect class="${style}" x="${x}" y="${y + 3}" width="${round(length)}" height="${rowHeight - 8}" rx="2"><title>${escapeHtml(title)}</title></rect></a>`;
        }),
      ];
    }),
    '</svg>',
  ].join('\n');
}

function gateRows({ gates, decisions }: AuditRecord['summary'], last: string): Row[] {
  return [...new Set(gates.map(({ gate }) => gate))].map((gate) => ({
    label: `gate ${gate}`,
    bars: gates
      .filter((opened) => opened.gate === gate)
      .map(({ openedAt, entry }) => {
        const to = decisions.find((one) => one.gate === gate && one.entry > entry)?.at ?? last;
        return { from: openedAt, to, style: 'gate', title: `gate ${gate}: open for ${lasted(openedAt, to)}`, entry };
      }),
  }));
}

function stepRows({ steps }: AuditRecord['summary'], last: string): Row[] {
  return steps.map(({ step, attempts }) => ({
    label: step,
    bars: attempts.map(({ from, to, outcome, did, entry }) => ({
      from,
      to: to ?? last,
      style: outcome === 'completed' ? (did === 'acted' || did === 'settled' ? 'changed' : 'seen') : 'failed',
      title: `${step}: ${outcome}${did === null ? '' : `, ${did}`}, ${lasted(from, to ?? last)}`,
      entry,
    })),
  }));
}

/** Where instants are drawn: each gap between two gets a width that grows with its logarithm. */
function axis(instants: readonly string[]): (at: string) => number {
  const sorted = [...new Set(instants.map(Date.parse))].filter(Number.isFinite).sort((a, b) => a - b);
  const gaps = sorted.slice(1).map((at, index) => Math.log1p(at - (sorted[index] ?? at)));
  const whole = gaps.reduce((sum, gap) => sum + gap, 0) || 1;
  const places = new Map<number, number>();
  let sum = 0;
  sorted.forEach((at, index) => {
    if (index > 0) sum += gaps[index - 1] ?? 0;
    places.set(at, round(labels + (sum / whole) * (width - labels - 8)));
  });
  return (at) => places.get(Date.parse(at)) ?? labels;
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}
