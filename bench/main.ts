// `npm run bench`: see usage in options.ts.
import { runCommand } from '../rehearsal/start/command.ts';
import { bench } from './bench.ts';
import { readOptions, usage } from './options.ts';

await runCommand({ usage, readOptions, run: bench });
