// `npm run build`: the workflow bundle, so that a worker starts without building it.
import { requireNode } from './node-version.mjs';

requireNode();
const { bootstrap } = await import('./bootstrap.mjs');
const { main, runNode, typescriptFlags } = await import('./run-node.mjs');

await main(async () => {
  await bootstrap({ production: true });
  await runNode([...typescriptFlags(), 'worker/build.ts', ...process.argv.slice(2)]);
});
