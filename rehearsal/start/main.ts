// `npm start`: see usage in options.ts.
import { runCommand } from './command.ts';
import { readOptions, usage } from './options.ts';
import { rehearse } from './rehearse.ts';

await runCommand({
  usage,
  readOptions,
  run: (options, terminal, signal) => rehearse({ ...options, terminal, signal }),
});
