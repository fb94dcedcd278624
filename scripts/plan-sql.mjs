// `npm run plan:sql`. Needs no development packages.
import { requireNode } from './node-version.mjs';

requireNode();
const { bootstrap } = await import('./bootstrap.mjs');
const { main, runNode, typescriptFlags } = await import('./run-node.mjs');

await main(async () => {
  await bootstrap({ production: true });
  await runNode([...typescriptFlags(), 'worker/plan-sql.ts', ...process.argv.slice(2)]);
});
