// `npm run audit:example`: writes the record of a rehearsal to docs/examples/ anew.
import { requireNode } from './node-version.mjs';

requireNode();
const { bootstrap } = await import('./bootstrap.mjs');
const { main, runNode, typescriptFlags } = await import('./run-node.mjs');

await main(async () => {
  await bootstrap();
  await runNode([...typescriptFlags(), 'rehearsal/example-record.ts', ...process.argv.slice(2)]);
});
