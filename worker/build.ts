// `npm run build`.
import { DefaultLogger } from '@temporalio/worker';
import { prebuild } from './prebuilt.ts';

for (const file of await prebuild(undefined, new DefaultLogger('WARN'))) process.stderr.write(`Built ${file}\n`);
