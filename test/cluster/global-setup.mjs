import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { typescriptFlags } from '../../scripts/run-node.mjs';
import startServices from '../setup/global-setup.mjs';

/** Besides what other tests share: Temporal's server and the tool for its schema. */
export default async function globalSetup() {
  process.env.RC_TEST_TEMPORAL_SERVER = await buildServer();
  await startServices();
}

/** Answers where it is, as JSON. */
async function buildServer() {
  const script = fileURLToPath(new URL('build-server.ts', import.meta.url));
  const child = spawn(process.execPath, [...typescriptFlags(), script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let programs = '';
  child.stdout.on('data', (chunk) => (programs += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error("Temporal's server could not be built; see above");
  return programs;
}
