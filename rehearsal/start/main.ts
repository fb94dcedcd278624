// `npm start`: see usage in options.ts.
import { readOwnApp } from '../own-app/read.ts';
import { runCommand } from './command.ts';
import { readOptions, usage } from './options.ts';
import { rehearse } from './rehearse.ts';

await runCommand({
  usage,
  readOptions,
  run: async ({ ownApp, ...options }, terminal, signal) => {
    const own = ownApp === undefined ? undefined : await readOwnApp(ownApp);
    return rehearse({ ...options, terminal, signal, ...(own ? { own } : {}) });
  },
});
