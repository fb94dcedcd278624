import pc from 'picocolors';
import type { Terminal } from '../../rehearsal/start/terminal.ts';

/** A terminal that keeps what it is shown. */
export interface Recorder {
  readonly terminal: Terminal;
  readonly lines: readonly string[];
  /** The next line that matches, after the one that was found last. */
  next(pattern: RegExp): Promise<string>;
}

export function createRecorder(interactive: boolean): Recorder {
  const lines: string[] = [];
  let seen = 0;
  let look = (): void => undefined;
  return {
    terminal: {
      interactive,
      colors: pc.createColors(false),
      width: Infinity,
      line: (text = '') => {
        lines.push(...text.split('\n'));
        look();
      },
      busy: () => undefined,
      close: () => undefined,
    },
    lines,
    next: (pattern) =>
      new Promise((resolve) => {
        look = () => {
          for (; seen < lines.length; seen += 1) {
            const line = lines[seen] ?? '';
            if (!pattern.test(line)) continue;
            seen += 1;
            look = () => undefined;
            return resolve(line);
          }
        };
        look();
      }),
  };
}
