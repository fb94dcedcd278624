// `npm run drill`: see usage in options.ts.
import { runCommand } from '../rehearsal/start/command.ts';
import { drill } from './drill.ts';
import { readOptions, usage } from './options.ts';

await runCommand({ usage, readOptions, run: drill });
