// `npm start`: see usage in options.ts.
import { durationsFolder } from '../durations.ts';
import { readOwnApp } from '../own-app/read.ts';
import { runCommand } from './command.ts';
import { readOptions, usage } from './options.ts';
import { rehearse } from './rehearse.ts';

await runCommand({
  usage,
  readOptions,
  run: async ({ ownApp, ...options }, terminal, signal) => {
    const own = ownApp === undefined ? undefined : await readOwnApp(ownApp);
    return rehearse({ ...options, durations: durationsFolder(), terminal, signal, ...(own ? { own } : {}) });
  },
});
