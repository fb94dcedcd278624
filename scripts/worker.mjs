// `npm run worker`: the worker alone. In production it needs no development packages.
import { requireNode } from './node-version.mjs';

requireNode();
const { bootstrap } = await import('./bootstrap.mjs');
const { main, programArgs, runNode } = await import('./run-node.mjs');
const { findBuiltWorker, notBuilt } = await import('../worker/built-worker.mjs');

await main(async () => {
  const [built] = await Promise.all([findBuiltWorker(), bootstrap({ production: true })]);
  if ('why' in built && built.why !== notBuilt) console.error(`The worker starts from its sources: ${built.why}.`);
  const file = 'why' in built ? 'worker/main.ts' : built.file;
  await runNode([...programArgs(file), ...process.argv.slice(2)]);
});
