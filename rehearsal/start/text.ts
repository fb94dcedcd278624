/**
 * Text from people or from a service, made harmless for a terminal: no control characters, so no colours, cursor
 * movements and titles but the rehearsal's own, and nothing that turns the direction of writing round.
 */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ');
}

/** The text, or its beginning and an ellipsis. */
export function shortened(text: string, length: number): string {
  const characters = [...text];
  if (characters.length <= length) return text;
  return length < 2 ? '' : `${characters.slice(0, length - 1).join('')}…`;
}

/** Seconds with one decimal, or minutes and seconds. */
export function duration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Hours, minutes and seconds of an instant, in the time zone of this machine. */
export function timeOfDay(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** A word for a POSIX shell that means exactly this text. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** What sets these variables in a POSIX shell, a line for each. */
export function exportLines(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `export ${name}=${shellWord(value)}`);
}
