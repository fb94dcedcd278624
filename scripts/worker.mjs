// `npm run worker`: the worker alone. In production it needs no development packages.
import { requireNode } from './node-version.mjs';

requireNode();
const { bootstrap } = await import('./bootstrap.mjs');
const { main, runNode, typescriptFlags } = await import('./run-node.mjs');
const { findBuiltWorker } = await import('../worker/built-worker.mjs');

await main(async () => {
  const [built] = await Promise.all([findBuiltWorker(), bootstrap({ production: true })]);
  if ('why' in built && built.why !== 'it was not built')
    console.error(`The worker starts from its sources: ${built.why}.`);
  const code = 'why' in built ? [...typescriptFlags(), 'worker/main.ts'] : ['--enable-source-maps', built.file];
  await runNode([...code, ...process.argv.slice(2)]);
});
