import { plain } from './words.ts';

/**
 * People's text inside a line of Markdown: it must not become markup, since a forged link or table could say what
 * nobody did. It never begins a line, so what is markup only there stays readable.
 */
export function inline(text: string): string {
  return plain(text)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*[\]|~$]|(?<![a-z0-9])_|_(?![a-z0-9])/gi, (sign) => `\\${sign}`);
}

/** In a code span nothing is markup but the backtick; in a table, the bar is too. */
export function code(text: string): string {
  return `\`${plain(text).replace(/[`|]/g, ' ')}\``;
}
