// Playwright's own Chromium, for a machine without one.
import { bootstrap } from './bootstrap.mjs';
import { main, runNode } from './run-node.mjs';

await main(async () => {
  await bootstrap();
  await runNode(['node_modules/playwright-core/cli.js', 'install', 'chromium']);
});
