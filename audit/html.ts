import { escapeHtml, withLinks } from './html-text.ts';
import {
  attemptText,
  gatesUndecided,
  isBlind,
  knownText,
  moreText,
  nameText,
  nothingText,
  planParts,
  plansShown,
  reasonText,
  unreadText,
  voidMessages,
} from './entry-text.ts';
import type { AuditRecord, Change, Entry } from './record-schema.ts';
import { timelineSvg } from './timeline-svg.ts';
import {
  decisionText,
  didText,
  lasted,
  releaseText,
  resultText,
  short,
  stepText,
  time,
  evidenceText,
  whoText,
} from './words.ts';

const style = `
:root { color-scheme: light dark; --line: #8886; --soft: #8882; --good: #2a8f4f; --bad: #c4382f; --wait: #c08a1e; --seen: #5b7fb0; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line); } h3 { font-size: 1rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--soft); overflow-wrap: anywhere; }
td:nth-child(-n+5):not(:last-child, :empty) { min-width: 6.6em; }
code { font: .88em ui-monospace, monospace; overflow-wrap: anywhere; } dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
.result { font-size: 1.15rem; padding: .6rem .9rem; border-left: 5px solid var(--seen); background: var(--soft); } .result.good { border-color: var(--good); } .result.bad { border-color: var(--bad); }
.timeline { width: 100%; height: auto; font: 12px system-ui, sans-serif; } .timeline text { fill: currentColor; } .timeline .label, .timeline .end { text-anchor: end; } .timeline .axis { opacity: .7; }
.timeline .changed { fill: var(--good); } .timeline .seen { fill: var(--seen); } .timeline .failed { fill: var(--bad); } .timeline .gate { fill: var(--wait); } .decision line { stroke: currentColor; opacity: .25; } .decision circle { fill: currentColor; }
.note { opacity: .75; } .key span { margin-right: 1.2em; } .key i { display: inline-block; width: .8em; height: .8em; margin-right: .35em; }
@media print { a { color: inherit; text-decoration: none; } }
`;

/**
 * `record.html`: the record for a reader with a browser, in one file without scripts. People's text is escaped wherever
 * it stands, and the page may load nothing.
 */
export function renderHtml(record: AuditRecord): string {
  const { summary } = record;
  const title = `Record of the run on ${summary.app ?? record.workflow.id ?? 'an unknown app'}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${[
  `<h1>${escapeHtml(title)}</h1>`,
  ...inShort(record),
  timelineSvg(record),
  '<p class="key note"><span><i style="background:var(--good)"></i>changed something</span><span><i style="background:var(--seen)"></i>looked</span><span><i style="background:var(--bad)"></i>failed or not ended</span><span><i style="background:var(--wait)"></i>waited for people</span><span>● a decision</span>Pauses are shortened.</p>',
  '<h2>Who approved what, and on which evidence</h2>',
  ...approvals(record),
  '<h2>What changed in production</h2>',
  changes(summary.changes, nothingText(record, 'Nothing: no step changed anything.')),
  '<h2>What was undone</h2>',
  changes(summary.undone, nothingText(record, 'Nothing was undone.')),
  '<h2>What is in place now</h2>',
  '<p class="note">As far as this run knows: nothing else was looked at since.</p>',
  changes(summary.inPlace, nothingText(record, 'Nothing: the run changed nothing, or took back what it had changed.')),
  ...(summary.unsettled.length === 0
    ? []
    : [
        `<p><strong>Not settled:</strong> ${summary.unsettled.map(code).join(', ')}. What of it is in place is not known from the history: look.</p>`,
      ]),
  '<h2>Every step</h2>',
  ...steps(record),
  '<h2>Messages that did not count</h2>',
  messages(record),
  '<h2>Timeline</h2>',
  table(['', 'when', 'what', 'more'], record.entries.map(timelineRow)),
  '<h2>How to check this record</h2>',
  `<p>This page, <code>record.md</code> and <code>record.json</code> follow from <code>history.json</code> and nothing else; release ${escapeHtml(record.writtenBy)} of this project wrote them. <code>npm run audit:verify -- DIR</code> works all of it out again, offline, and names the first entry that does not hold. The last of the ${record.entries.length} entries has the digest ${code(record.head)}. Whoever kept it elsewhere, or a signature of <code>SHA256SUMS</code>, can tell that nothing was changed since.</p>`,
].join('\n')}
</body>
</html>
`;
}

function inShort(record: AuditRecord): string[] {
  const { workflow, runs, continues, summary } = record;
  const unread = unreadText(record);
  const { startedAt, endedAt, reason, requestedBy, endedBy, mode, status, result } = summary;
  const mood =
    status === 'completed' && (result ?? 'completed') === 'completed' ? 'good' : status === 'running' ? '' : 'bad';
  return [
    `<p class="result ${mood}"><strong>${escapeHtml(resultText(summary))}</strong>${reason === null ? '' : `: ${withLinks(reason)}`}</p>`,
    `<dl>${[
      ['Asked for by', escapeHtml(whoText(requestedBy))],
      ...(endedBy === null ? [] : [['Ended from outside by', escapeHtml(whoText(endedBy))]]),
      ['Started', time(startedAt)],
      ['Ended', endedAt === null ? 'not yet' : `${time(endedAt)}, after ${lasted(startedAt, endedAt)}`],
      ...(mode === null ? [] : [['Mode', escapeHtml(mode)]]),
      ['Workflow', `${code(workflow.id ?? 'unknown')} of type ${code(workflow.type)}`],
      ['Runs', runs.map(({ run }) => code(run)).join(', ')],
      ...(continues === null
        ? []
        : [['Missing', `the run ${code(continues)} before these, which Temporal had deleted`]]),
      ...(unread === null ? [] : [['Not readable', escapeHtml(unread)]]),
    ]
      .map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`)
      .join('')}</dl>`,
  ];
}

function approvals(record: AuditRecord): string[] {
  const { summary } = record;
  const { decisions, gates } = summary;
  if (decisions.length + gates.length === 0)
    return [`<p>${escapeHtml(nothingText(record, 'Nobody decided anything, and no gate was opened.'))}</p>`];
  return [
    table(
      ['when', 'who', 'decided', 'reason and more', 'plan', 'known of the sender', ''],
      decisions.map((one) => [
        time(one.at),
        escapeHtml(nameText(one.who)),
        escapeHtml(decisionText(one)),
        withLinks(reasonText(one)),
        one.plan === null ? '' : code(short(one.plan)),
        escapeHtml(knownText(one.who)),
        entryLink(one.entry),
      ]),
    ),
    ...gatesUndecided(summary).map(
      ({ gate, openedAt, digest }) =>
        `<p>The gate ${code(gate)} was opened at ${time(openedAt)} for the plan ${code(short(digest ?? 'unknown'))}, and nobody decided about it.</p>`,
    ),
    ...plansShown(summary).map((made) => {
      const { facts, shown } = planParts(made);
      return [
        `<h3>The plan ${code(short(made.digest))}</h3>`,
        `<p>Made by ${code(made.step)} at ${time(made.at)} (${entryLink(made.entry)}). Approvals name its digest, ${code(made.digest)}. What they bind:</p>`,
        `<dl>${facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${withLinks(value)}</dd>`).join('')}</dl>`,
        ...(shown === null ? [] : [`<p class="note">Shown beside it, and free to change: ${withLinks(shown)}.</p>`]),
      ].join('\n');
    }),
  ];
}

function changes(list: readonly Change[], nothing: string): string {
  if (list.length === 0) return `<p>${escapeHtml(nothing)}</p>`;
  return table(
    ['when', 'step', 'what', 'how', 'release', 'evidence', ''],
    list.map((one) => [
      time(one.at),
      code(one.step),
      escapeHtml(one.title ?? ''),
      escapeHtml(didText(one.did)),
      escapeHtml(releaseText(one)),
      withLinks(evidenceText(one.evidence)),
      entryLink(one.entry),
    ]),
  );
}

function steps({ summary }: AuditRecord): string[] {
  return summary.steps.map((step) => {
    const lines = [
      ...step.attempts.map((one) => `${withLinks(attemptText(one))} (${entryLink(one.entry)})`),
      ...(step.evidence === null ? [] : [`evidence: ${withLinks(evidenceText(step.evidence))}`]),
    ];
    return [
      `<h3>${escapeHtml(step.step)}</h3>`,
      `<p>${escapeHtml(step.title ?? step.step)}: ${escapeHtml(stepText(step))}.</p>`,
      `<ul>${lines.map((line) => `<li>${line}</li>`).join('')}</ul>`,
    ].join('\n');
  });
}

function messages(record: AuditRecord): string {
  const all = voidMessages(record);
  if (all.length === 0) return isBlind(record) ? '<p>None that could be read.</p>' : '<p>None.</p>';
  return table(
    ['when', 'message', 'from', 'what became of it', ''],
    all.map(({ at, name, from, why, entry }) => [
      time(at),
      escapeHtml(name),
      escapeHtml(from),
      withLinks(why),
      entryLink(entry),
    ]),
  );
}

function timelineRow(entry: Entry): string[] {
  return [
    `<a id="entry-${entry.seq}">${entry.seq}</a>`,
    time(entry.at),
    escapeHtml(entry.text),
    withLinks(moreText(entry)),
  ];
}

function code(text: string): string {
  return `<code>${escapeHtml(text)}</code>`;
}

function entryLink(seq: number): string {
  return `<a href="#entry-${seq}">entry ${seq}</a>`;
}

/** @param rows cells that are HTML already */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((text) => `<th>${text}</th>`).join('');
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('\n');
  return `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}
