import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { typescriptFlags } from '../../scripts/run-node.mjs';
import startServices from '../setup/global-setup.mjs';

/** Besides what other tests share: Temporal's server with the tool for its schema, and the checker of compose files. */
export default async function globalSetup() {
  Object.assign(process.env, JSON.parse(await buildPrograms()));
  await startServices();
}

async function buildPrograms() {
  const script = fileURLToPath(new URL('build-programs.ts', import.meta.url));
  const child = spawn(process.execPath, [...typescriptFlags(), script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let programs = '';
  child.stdout.on('data', (chunk) => (programs += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error('what these tests run could not be built; see above');
  return programs;
}
