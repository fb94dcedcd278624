import { planAskedAbout, planTexts } from './plan-text.ts';
import type { ItemStatus, Status, WaitingFor } from './view.ts';

const marks: Record<ItemStatus['state'], string> = { ahead: '☐', running: '▶', waiting: '✋', parked: '⏸', done: '☑' };

/** What the Web UI shows under *User Metadata*: the checklist, and the exact message that would move the run. */
export function renderDetails(status: Status): string {
  return [
    `**Cutover of ${code(status.app)}**, asked for by ${escapeMarkdown(status.requestedBy)}: ${status.stage}`,
    '',
    // Above the checklist, which is longer than a screen.
    ...(status.outcome ? [`**${status.outcome.result}**: ${escapeMarkdown(status.outcome.reason)}`, ''] : []),
    ...status.refusedMessages.slice(-1).flatMap(renderRefused),
    ...(status.waitingFor ? [...renderQuestion(status.waitingFor), ...renderPlan(status)] : []),
    ...status.items.map(renderItem),
  ].join('\n');
}

/** The sender of a signal hears nothing else of why it did not count. */
function renderRefused({ message, by, why }: Status['refusedMessages'][number]): string[] {
  return [`Last refused: ${code(message)} from ${escapeMarkdown(by ?? 'nobody')}, because ${escapeMarkdown(why)}`, ''];
}

/** What is asked, of whom, and what to paste. Only what the run itself wrote stands in the block. */
function renderQuestion({ what, signal, message, choices, from, needed, changes, until }: WaitingFor): string[] {
  const count = needed > 1 ? `${needed} of ` : '';
  return [
    `**Waiting for ${escapeMarkdown(what)}.** Send the signal or update ${code(signal)} with:`,
    '',
    '```json',
    inLines(message),
    '```',
    '',
    `From ${count}${from.map(escapeMarkdown).join(', ')}.` +
      (choices.length > 0 ? ` The action may be ${choices.map(code).join(', ')}.` : '') +
      (until === null ? '' : ` Until ${new Date(until).toISOString()}.`),
    '',
    ...(changes.length > 0
      ? [
          'What differs from the plan that was asked about before:',
          ...changes.map((line) => `- ${escapeMarkdown(line)}`),
          '',
        ]
      : []),
  ];
}

/** The plan that the open gate asks about. */
function renderPlan(status: Status): string[] {
  const plan = planAskedAbout(status);
  if (plan === null) return [];
  return [...planTexts(plan).map(([topic, text]) => `- **${topic}** ${escapeMarkdown(text)}`), ''];
}

/** The run as a comment on an issue: what was done, and who approved it. */
export function renderReport(status: Status): string {
  return [
    `Cutover of ${code(status.app)}, asked for by ${escapeMarkdown(status.requestedBy)}`,
    '',
    ...status.items.filter((item) => item.state === 'done').map(renderItem),
  ].join('\n');
}

function renderItem(item: ItemStatus): string {
  const note = item.failure
    ? `${item.failure.type}: ${item.failure.message}`
    : item.approvedBy
      ? `approved by ${item.approvedBy}`
      : (item.did ?? '');
  return `- ${marks[item.state]} ${code(item.id)} ${escapeMarkdown(item.title)}${note ? `: ${escapeMarkdown(note)}` : ''}`;
}

/**
 * A message as the Web UI's dialogue itself lays it out when its box is left. Pasted otherwise, the dialogue grows under
 * the pointer: the press on *Submit* is lost, or closes the dialogue [seen: Web UI 2.42.1].
 */
function inLines(message: WaitingFor['message']): string {
  return JSON.stringify(message, null, 2);
}

function code(text: string): string {
  return `\`${text.replace(/[`\n\r]/g, ' ')}\``;
}

/** People's text must not become markup: a forged link or code block could tell an approver what to paste. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_{}[\]()#+!|~-]/g, (character) => `\\${character}`);
}
