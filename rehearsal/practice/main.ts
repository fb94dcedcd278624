// `npm run platform`: see usage in options.ts.
import { runCommand } from '../start/command.ts';
import { readOptions, usage } from './options.ts';
import { practise } from './practise.ts';

await runCommand({ usage, readOptions, run: practise });
