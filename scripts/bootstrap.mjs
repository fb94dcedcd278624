import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installProblem, packagesWithoutLinks } from './installed.mjs';
import { withLock } from './lock.mjs';

/** The project's folder. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Installs the project's packages when they are not what the lockfile says, and says so. Two processes at once install
 * once.
 *
 * @param {{ production?: boolean }} [options] `production`: development packages may be missing
 */
export async function bootstrap(options = {}) {
  const ready = async () =>
    (await installProblem(ROOT, options)) === undefined && (await packagesWithoutLinks(ROOT)).length === 0;
  if (await ready()) return;
  // Not in node_modules, which `npm ci` deletes first.
  const place = createHash('sha256')
    .update(await realpath(ROOT))
    .digest('hex')
    .slice(0, 16);
  const lock = join(tmpdir(), `raptor-cutover-install-${userInfo().username}-${place}.lock`);
  const onWait = () => say('waiting for another process that is installing the packages');
  await withLock(lock, { onWait }, async () => {
    const problem = await installProblem(ROOT, options);
    if (problem !== undefined) await install(problem);
    for (const folder of await packagesWithoutLinks(ROOT)) {
      await run(process.execPath, [join('scripts', 'hydrate-symlinks.js')], folder);
    }
    const left = [await installProblem(ROOT, options), ...(await packagesWithoutLinks(ROOT))].find(Boolean);
    if (left !== undefined) throw new Error(`the packages are still not installed: ${left}`);
  });
}

async function install(problem) {
  say(`installing packages with \`npm ci\` (${problem})`);
  const start = Date.now();
  const seconds = () => `${Math.round((Date.now() - start) / 1000)} s`;
  const progress = setInterval(() => say(`still installing packages (${seconds()})`), 10_000);
  try {
    // The very npm that runs this script, where there is one: PATH may have another or none.
    const cli = process.env.npm_execpath;
    const own = cli !== undefined && basename(cli).startsWith('npm-cli');
    const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    await (own ? run(process.execPath, [cli, ...args], ROOT) : run('npm', args, ROOT));
  } finally {
    clearInterval(progress);
  }
  say(`packages installed (${seconds()})`);
}

async function run(file, args, cwd) {
  const child = spawn(file, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status, signal) => resolve(status ?? signal));
  });
  if (code !== 0) throw new Error(`\`${basename(file)} ${args.join(' ')}\` ended with ${code}`);
}

function say(line) {
  console.error(line);
}
