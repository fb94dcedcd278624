// `npm run platform`: the stand-ins alone. Works on a fresh clone.
import { requireNode } from './node-version.mjs';

requireNode();
const { bootstrap } = await import('./bootstrap.mjs');
const { main, runNode, typescriptFlags } = await import('./run-node.mjs');

await main(async () => {
  await bootstrap();
  // `--` ends Node's own options: Node 20 takes an --env-file of ours for its own wherever it stands [ran].
  await runNode([...typescriptFlags(), '--', 'rehearsal/practice/main.ts', ...process.argv.slice(2)]);
});
