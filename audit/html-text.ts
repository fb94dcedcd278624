import { plain } from './words.ts';

/** Text for HTML and SVG, between tags and in quoted attributes alike. */
export function escapeHtml(text: string): string {
  return plain(text)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;')
    .replace(/`/g, '&#96;');
}

/** Text in which web addresses, and only those, are links. */
export function withLinks(text: string): string {
  return text
    .split(/(\bhttps?:\/\/[^\s"'<>`;,()]+)/)
    .map((part, index) =>
      index % 2 === 1
        ? `<a rel="noopener noreferrer nofollow" href="${escapeHtml(part)}">${escapeHtml(part)}</a>`
        : escapeHtml(part),
    )
    .join('');
}
