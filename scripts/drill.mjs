// `npm run drill`: the crash drill. Works on a fresh clone.
import { requireNode } from './node-version.mjs';

requireNode();
const { bootstrap } = await import('./bootstrap.mjs');
const { main, runNode, typescriptFlags } = await import('./run-node.mjs');

await main(async () => {
  await bootstrap();
  await runNode([...typescriptFlags(), 'drill/main.ts', ...process.argv.slice(2)]);
});
