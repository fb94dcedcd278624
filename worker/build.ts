// `npm run build`.
import { DefaultLogger } from '@temporalio/worker';
import { buildWorker } from './build-worker.ts';
import { prebuild } from './prebuilt.ts';

const built = [...(await prebuild(undefined, new DefaultLogger('WARN'))), await buildWorker()];
for (const file of built) process.stderr.write(`Built ${file}\n`);
