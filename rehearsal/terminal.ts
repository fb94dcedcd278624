import pc from 'picocolors';

/** Where the rehearsal writes: lines, and on a terminal one line that changes in place. */
export interface Terminal {
  readonly interactive: boolean;
  line(text?: string): void;
  /** Shows what is going on below the last line, until the next line or an empty text. */
  busy(text: string): void;
  close(): void;
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export function createTerminal(out: NodeJS.WriteStream): Terminal {
  const interactive = out.isTTY === true;
  let busy = '';
  let frame = 0;
  const clear = (): void => {
    if (interactive && busy !== '') out.write('\r\x1b[2K');
  };
  const draw = (): void => {
    if (!interactive || busy === '') return;
    const width = (out.columns ?? 80) - 4;
    out.write(`\r\x1b[2K${pc.cyan(frames[frame % frames.length] ?? '')} ${busy.slice(0, width)}`);
  };
  const timer = interactive ? setInterval(() => (frame++, draw()), 100) : undefined;
  timer?.unref();
  return {
    interactive,
    line(text = '') {
      clear();
      out.write(`${text}\n`);
      draw();
    },
    busy(text) {
      clear();
      busy = text;
      draw();
    },
    close() {
      clear();
      busy = '';
      clearInterval(timer);
    },
  };
}

/**
 * Text from people or from a service, made harmless for a terminal: no control characters, so no colours, no cursor
 * movements and no title changes but the rehearsal's own.
 */
export function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').replace(/[\u202a-\u202e\u2066-\u2069]/g, '');
}

/** Seconds with one decimal, or minutes and seconds. */
export function duration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
