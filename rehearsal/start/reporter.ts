import type { Terminal } from './terminal.ts';
import { plain } from './text.ts';

/** Set-up can take minutes the first time: what it does is a line of its own where there is no spinner to show it. */
export function createReporter(terminal: Terminal): (text: string) => void {
  let last = '';
  return (told) => {
    // What tools say of themselves is in it.
    const text = plain(told);
    if (text === last) return;
    last = text;
    if (terminal.interactive) terminal.busy(text);
    else terminal.line(`  ${text}`);
  };
}

/** Stops everything, and says what did not stop. */
export async function stopAll(terminal: Terminal, teardown: { run(): Promise<string[]> }): Promise<void> {
  terminal.busy('stopping everything');
  const left = await teardown.run();
  terminal.busy('');
  for (const line of left) terminal.line(`  ${plain(line)}`);
}
