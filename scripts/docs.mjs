// `npm run docs`: writes what is generated in docs/ anew.
import { requireNode } from './node-version.mjs';

requireNode();
const { bootstrap } = await import('./bootstrap.mjs');
const { main, runNode, typescriptFlags } = await import('./run-node.mjs');

await main(async () => {
  await bootstrap();
  await runNode([...typescriptFlags(), 'scripts/docs/main.ts']);
});
