import type { ItemStatus, Status } from './view.ts';

const marks: Record<ItemStatus['state'], string> = { ahead: '☐', running: '▶', waiting: '✋', parked: '⏸', done: '☑' };

/** What the Web UI shows under *User Metadata*: the checklist, and the exact message that would move the run. */
export function renderDetails(status: Status): string {
  return [
    `**Cutover of ${code(status.app)}**, asked for by ${escapeMarkdown(status.requestedBy)}: ${status.stage}`,
    '',
    ...(status.waitingFor
      ? [
          `**Waiting for ${escapeMarkdown(status.waitingFor.what)}.** Send the signal ${code(status.waitingFor.signal)} with:`,
          '',
          '```json',
          JSON.stringify(status.waitingFor.message),
          '```',
          '',
        ]
      : []),
    ...status.items.map(renderItem),
    ...(status.outcome ? ['', `**${status.outcome.result}**: ${escapeMarkdown(status.outcome.reason)}`] : []),
    ...status.refusedMessages
      .slice(-1)
      .map(
        (last) =>
          `\nLast refused: ${code(last.message)} from ${escapeMarkdown(last.by ?? 'nobody')}, because ${escapeMarkdown(last.why)}`,
      ),
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
