import type { Notice } from '../workflows/notice.ts';

/** Characters of one text in a message: the whole of it is on the run's page. */
const longest = 700;

/**
 * A notice as Slack's incoming webhooks show it [docs: formatting text for app surfaces]. The message to send stands in a
 * block of its own, in which only the run itself has written.
 *
 * @param page of the run, or null where nobody has said where the Web UI is
 */
export function noticeText({ app, happened, asked }: Notice, page: string | null): string {
  return [
    `*${plain(app)}*: ${plain(happened)}`,
    ...(asked === null ? [] : question(asked)),
    page === null ? `See the run cutover-${plain(app)} in Temporal's Web UI.` : `<${page}|Open the run>`,
  ].join('\n');
}

function question({ what, signal, message, choices, from, needed, changes, until }: NonNullable<Notice['asked']>) {
  const count = needed > 1 ? `${needed} of ` : '';
  return [
    ...(changes.length > 0 ? [`Not as it was asked before: ${plain(changes.join('; '))}`] : []),
    `Waiting for ${plain(what)}, from ${count}${from.map(plain).join(', ')}` +
      `${until === null ? '' : `, until ${new Date(until).toISOString()}`}. Send the signal or update \`${signal}\` with:`,
    `\`\`\`${entities(JSON.stringify(message))}\`\`\``,
    ...(choices.length > 0 ? [`The action may be ${choices.join(', ')}.`] : []),
  ];
}

/**
 * Text that people or services wrote, on one line and without markup: no mention, link or code block can be made of it.
 * Slack knows no escape for its marks of bold, italic and code, so that look-alikes stand for them.
 */
function plain(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ').trim();
  const characters = [...line];
  const short = characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : line;
  return entities(short).replaceAll('`', 'ˋ').replaceAll('*', '∗').replaceAll('~', '∼');
}

function entities(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
