// `npm start`: see usage in options.ts.
import { constants } from 'node:os';
import { readOptions, usage, UsageError, type Options } from './options.ts';
import { rehearse, type Ending } from './rehearse.ts';
import { createTerminal } from './terminal.ts';
import { plain } from './text.ts';

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(`${usage}\n`);
  else process.exitCode = await main(options);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message.split('\n').map(plain).join('\n')}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${usage}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
// Everything was stopped, or could not be: what still keeps this process alive must not keep the user waiting.
setTimeout(() => process.exit(), 1_000).unref();

async function main(options: Options): Promise<number> {
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
    return exitCode(await rehearse({ ...options, terminal, signal: stop.signal }), by);
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
