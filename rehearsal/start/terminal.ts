import pc from 'picocolors';
import { shortened } from './text.ts';

/** Where the rehearsal writes: lines, and on a terminal one line below them that changes in place. */
export interface Terminal {
  /** True where a person sees it as it comes, and can press Ctrl-C. */
  readonly interactive: boolean;
  readonly colors: Colors;
  /** Characters that fit on a line. */
  readonly width: number;
  line(text?: string): void;
  /** Shows what is going on below the last line, until the next text; an empty one shows nothing. */
  busy(text: string): void;
  close(): void;
}

export type Colors = ReturnType<typeof pc.createColors>;

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameMs = 100;
const eraseLine = '\r\x1b[2K';

/** Colours and the spinner are for terminals only: a log file gets plain lines. */
export function createTerminal(out: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): Terminal {
  const interactive = out.isTTY === true;
  const animated = interactive && env['TERM'] !== 'dumb';
  let busy = '';
  let frame = 0;
  const erase = (): string => (animated && busy !== '' ? eraseLine : '');
  const drawn = (): string => {
    if (!animated || busy === '') return '';
    // A line that wraps could not be erased.
    return `${colors.cyan(frames[frame % frames.length] ?? '')} ${shortened(busy, widthOf(out) - 3)}`;
  };
  const colors = pc.createColors(animated && env['NO_COLOR'] === undefined);
  const timer = animated
    ? setInterval(() => ((frame += 1), busy !== '' && out.write(eraseLine + drawn())), frameMs)
    : undefined;
  timer?.unref();
  return {
    interactive,
    colors,
    get width() {
      return interactive ? widthOf(out) : Infinity;
    },
    line(text = '') {
      out.write(`${erase()}${text}\n${drawn()}`);
    },
    busy(text) {
      if (text === busy) return;
      const erased = erase();
      busy = text;
      out.write(erased + drawn());
    },
    close() {
      clearInterval(timer);
      out.write(erase());
      busy = '';
    },
  };
}

/** A terminal that does not tell its width says 0. */
function widthOf(out: NodeJS.WriteStream): number {
  return out.columns || 80;
}
