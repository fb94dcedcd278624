import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { typescriptFlags } from '../../scripts/run-node.mjs';
import startServices from '../setup/global-setup.mjs';

/** Besides what other tests share: the official CLI, and the psql that it runs. */
export default async function globalSetup() {
  await requirePsql();
  const [bin] = await Promise.all([installCli(), startServices()]);
  process.env.RC_TEST_HEROKU_CLI_BIN = bin;
}

async function requirePsql() {
  const found = await new Promise((resolve) => {
    spawn('psql', ['--version'], { stdio: 'ignore' })
      .once('error', () => resolve(false))
      .once('exit', (code) => resolve(code === 0));
  });
  if (found) return;
  throw new Error(
    'psql is missing, which `heroku pg:psql` runs. Install it and run this again: `apt-get install postgresql-client` on ' +
      'Debian and Ubuntu, `brew install libpq` and its bin folder on PATH on macOS.',
  );
}

/** Answers the folder that `heroku` is in. */
async function installCli() {
  const child = spawn(process.execPath, [...typescriptFlags(), fileURLToPath(new URL('install.ts', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let bin = '';
  child.stdout.on('data', (chunk) => (bin += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error('the official Heroku CLI could not be installed; see above');
  return bin.trim();
}
