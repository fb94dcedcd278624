import { constants } from 'node:os';
import { UsageError } from './options.ts';
import { createTerminal, type Terminal } from './terminal.ts';
import { plain } from './text.ts';

/** `verified`: what was to be shown was seen. `interrupted`: before there was a result. */
export type Ending = 'verified' | 'failed' | 'interrupted';

/** A command that people type in a terminal. */
export interface Command<Options extends { readonly help: boolean }> {
  readonly usage: string;
  /** @throws UsageError */
  readonly readOptions: (args: readonly string[]) => Options;
  /** @param signal ends it, whatever it is doing: Ctrl-C, a closed terminal, a reader that went away */
  readonly run: (options: Options, terminal: Terminal, signal: AbortSignal) => Promise<Ending>;
}

/** Runs a command with the arguments of this process, and ends the process with its exit code. */
export async function runCommand<Options extends { readonly help: boolean }>({
  usage,
  readOptions,
  run,
}: Command<Options>): Promise<void> {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options.help) process.stdout.write(`${usage}\n`);
    else process.exitCode = await untilEnded((terminal, signal) => run(options, terminal, signal));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${message.split('\n').map(plain).join('\n')}\n`);
    if (error instanceof UsageError) process.stderr.write(`\n${usage}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
  // Everything was stopped, or could not be: what still keeps this process alive must not keep the user waiting.
  setTimeout(() => process.exit(), 1_000).unref();
}

async function untilEnded(run: (terminal: Terminal, signal: AbortSignal) => Promise<Ending>): Promise<number> {
  const stop = new AbortController();
  let by: NodeJS.Signals | undefined;
  const stopBy = (signal: NodeJS.Signals): void => {
    by ??= signal;
    stop.abort();
  };
  // Not `once`: a second Ctrl-C would then end this process before it has stopped what it started.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stopBy(name));
  // The reader of a pipe may go away, and a terminal that is closed cannot be written to.
  process.stdout.on('error', () => stopBy('SIGPIPE'));
  process.stderr.on('error', () => stopBy('SIGPIPE'));

  const terminal = createTerminal(process.stdout);
  try {
    return exitCode(await run(terminal, stop.signal), by);
  } finally {
    terminal.close();
  }
}

function exitCode(ending: Ending, by: NodeJS.Signals | undefined): number {
  switch (ending) {
    case 'verified':
      return 0;
    case 'failed':
      return 1;
    case 'interrupted':
      return 128 + constants.signals[by ?? 'SIGTERM'];
  }
}
