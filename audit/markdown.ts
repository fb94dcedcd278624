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
import { code, inline } from './markdown-text.ts';
import type { AuditRecord, Change, Entry, StepSummary, Summary } from './record-schema.ts';
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

/** `record.md`: the record for a reader of text. People's text is escaped wherever it stands. */
export function renderMarkdown(record: AuditRecord): string {
  const { summary } = record;
  const parts: string[][] = [
    [`# Record of the run on ${inline(summary.app ?? record.workflow.id ?? 'an unknown app')}`, ...inShort(record)],
    ['## Who approved what, and on which evidence', ...approvals(record)],
    ['## What changed in production', ...changes(record, 'changes', 'Nothing: no step changed anything.')],
    ['## What was undone', ...changes(record, 'undone', 'Nothing was undone.')],
    ['## What is in place now', ...inPlace(record)],
    ['## Every step', ...summary.steps.flatMap(step)],
    ['## Messages that did not count', ...messages(record)],
    ['## Timeline', ...timeline(record.entries)],
    ['## How to check this record', ...checking(record)],
  ];
  return `${parts.map((lines) => lines.join('\n\n')).join('\n\n')}\n`;
}

function inShort(record: AuditRecord): string[] {
  const { workflow, runs, continues, summary } = record;
  const { requestedBy, startedAt, endedAt, reason, endedBy, mode } = summary;
  const result = resultText(summary);
  const unread = unreadText(record);
  return [
    bullets([
      `**Result:** ${inline(result)}${reason === null ? '' : `: ${inline(reason)}`}`,
      `**Asked for by:** ${inline(whoText(requestedBy))}`,
      ...(endedBy === null ? [] : [`**Ended from outside by:** ${inline(whoText(endedBy))}`]),
      `**Started:** ${time(startedAt)}`,
      endedAt === null ? '**Ended:** not yet' : `**Ended:** ${time(endedAt)}, after ${lasted(startedAt, endedAt)}`,
      ...(mode === null ? [] : [`**Mode:** ${inline(mode)}`]),
      `**Workflow:** ${code(workflow.id ?? 'unknown')} of type ${code(workflow.type)}, ${runs.length === 1 ? 'one run' : `${runs.length} runs, each continuing the one before`}: ${runs.map(({ run }) => code(run)).join(', ')}`,
      ...(continues === null
        ? []
        : [
            `**Missing:** the run ${code(continues)} before these. Temporal had deleted it; what it carried over is in the timeline.`,
          ]),
      ...(unread === null ? [] : [`**Not readable:** ${inline(unread)}`]),
    ]),
  ];
}

function approvals(record: AuditRecord): string[] {
  const { summary } = record;
  const { decisions, gates } = summary;
  if (decisions.length + gates.length === 0)
    return [nothingText(record, 'Nobody decided anything, and no gate was opened.')];
  const rows = decisions.map((one) => [
    time(one.at),
    inline(nameText(one.who)),
    inline(decisionText(one)),
    one.plan === null ? '–' : code(short(one.plan)),
    inline(knownText(one.who)),
    entryLink(one.entry),
  ]);
  const reasons = decisions.filter((one) => reasonText(one) !== '');
  return [
    rows.length === 0
      ? 'No decision was made.'
      : table(['when', 'who', 'decided', 'plan', 'known of the sender', 'entry'], rows),
    ...(reasons.length === 0
      ? []
      : [
          bullets(
            reasons.map((one) => `${entryLink(one.entry)}, ${inline(nameText(one.who))}: ${inline(reasonText(one))}`),
          ),
        ]),
    ...gatesUndecided(summary).map(
      ({ gate, openedAt, digest }) =>
        `The gate ${code(gate)} was opened at ${time(openedAt)} for the plan ${code(short(digest ?? 'unknown'))}, and nobody decided about it.`,
    ),
    ...plansShown(summary).flatMap(plan),
  ];
}

function plan(made: Summary['plans'][number]): string[] {
  const { digest, step: by, at, entry } = made;
  const { facts, shown } = planParts(made);
  return [
    `### The plan ${code(short(digest))}`,
    `Made by ${code(by)} at ${time(at)} (${entryLink(entry)}). Approvals name its digest, ${code(digest)}. What they bind:`,
    bullets(facts.map(([name, value]) => `${inline(name)}: ${inline(value)}`)),
    ...(shown === null ? [] : [`Shown beside it, and free to change: ${inline(shown)}.`]),
  ];
}

function changes(record: AuditRecord, which: 'changes' | 'undone', nothing: string): string[] {
  const list: readonly Change[] = record.summary[which];
  if (list.length === 0) return [nothingText(record, nothing)];
  return [
    table(
      ['when', 'step', 'what', 'how', 'release', 'entry'],
      list.map((one) => [
        time(one.at),
        code(one.step),
        inline(one.title ?? ''),
        inline(didText(one.did)),
        inline(releaseText(one)),
        entryLink(one.entry),
      ]),
    ),
    bullets(list.map((one) => `${code(one.step)}: ${inline(evidenceText(one.evidence))}`)),
  ];
}

function inPlace(record: AuditRecord): string[] {
  const { inPlace: standing, unsettled, endedAt } = record.summary;
  return [
    'As far as this run knows: nothing else was looked at since.',
    standing.length === 0
      ? nothingText(record, 'Nothing: the run changed nothing, or took back what it had changed.')
      : table(
          ['step', 'what', 'since', 'by', 'release'],
          standing.map((one) => [
            code(one.step),
            inline(one.title ?? ''),
            time(one.at),
            one.did === 'already' ? 'found in place, nothing done' : 'this run',
            inline(releaseText(one)),
          ]),
        ),
    ...(unsettled.length === 0
      ? []
      : [
          `**${endedAt === null ? 'Not ended yet' : 'Not settled'}:** ${unsettled.map(code).join(', ')}. What of it is in place is not known from the history: look.`,
        ]),
  ];
}

function step(one: StepSummary): string[] {
  return [
    `### ${inline(one.step)}`,
    `${inline(one.title ?? one.step)}: ${inline(stepText(one))}.`,
    bullets([
      ...one.attempts.map((attempt) => `${inline(attemptText(attempt))} (${entryLink(attempt.entry)})`),
      ...(one.evidence === null ? [] : [`evidence: ${inline(evidenceText(one.evidence))}`]),
    ]),
  ];
}

function messages(record: AuditRecord): string[] {
  const all = voidMessages(record);
  if (all.length === 0) return [isBlind(record) ? 'None that could be read.' : 'None.'];
  return [
    bullets(
      all.map(
        ({ at, name, from, why, entry }) =>
          `${time(at)}: ${code(name)} from ${inline(from)} ${inline(why)} (${entryLink(entry)})`,
      ),
    ),
  ];
}

function timeline(entries: readonly Entry[]): string[] {
  return [
    table(
      ['entry', 'when', 'what', 'more'],
      entries.map((entry) => [
        `<a id="entry-${entry.seq}"></a>${entry.seq}`,
        time(entry.at),
        inline(entry.text),
        inline(moreText(entry)),
      ]),
    ),
  ];
}

function checking({ head, writtenBy, entries }: AuditRecord): string[] {
  return [
    `This text, \`record.html\` and \`record.json\` follow from \`history.json\` and nothing else; release ${inline(writtenBy)} of this project wrote them. \`npm run audit:verify -- DIR\` works all of it out again, offline, and names the first entry that does not hold. The last of the ${entries.length} entries has the digest`,
    code(head),
    'Whoever kept it elsewhere, or a signature of `SHA256SUMS`, can tell that nothing was changed since.',
  ];
}

function entryLink(seq: number): string {
  return `[entry ${seq}](#entry-${seq})`;
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
