// `npm test`: Jest. Works on a fresh clone; arguments are Jest's.
import { requireNode } from './node-version.mjs';

requireNode();
const { bootstrap } = await import('./bootstrap.mjs');
const { main, runNode } = await import('./run-node.mjs');

await main(async () => {
  await bootstrap();
  // Jest runs ES modules by an interface of Node's that warns that it is experimental, once in each process.
  const quiet = process.allowedNodeEnvironmentFlags.has('--disable-warning')
    ? '--disable-warning=ExperimentalWarning'
    : '--no-warnings';
  const options = [process.env.NODE_OPTIONS, '--experimental-vm-modules', quiet].filter(Boolean).join(' ');
  await runNode(['node_modules/jest/bin/jest.js', ...process.argv.slice(2)], { ...process.env, NODE_OPTIONS: options });
});
