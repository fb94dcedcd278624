// `npm run codec-server`: lets the CLI and the Web UI read what workers encrypt. It needs no development packages.
import { requireNode } from './node-version.mjs';

requireNode();
const { bootstrap } = await import('./bootstrap.mjs');
const { main, runNode, typescriptFlags } = await import('./run-node.mjs');

await main(async () => {
  await bootstrap({ production: true });
  await runNode([...typescriptFlags(), 'worker/codec/main.ts', ...process.argv.slice(2)]);
});
