// `npm run certificate:verify`. Needs no development packages.
import { requireNode } from './node-version.mjs';

requireNode();
const { bootstrap } = await import('./bootstrap.mjs');
const { main, runNode, typescriptFlags } = await import('./run-node.mjs');

await main(async () => {
  await bootstrap({ production: true });
  await runNode([...typescriptFlags(), 'audit/certificate-main.ts', ...process.argv.slice(2)]);
});
