import { createHash } from 'node:crypto';
import { access, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../../rehearsal/cache.ts';
import { runTool, sayProgress } from '../../rehearsal/run-tool.ts';
import { withLock } from '../../scripts/lock.mjs';

// Installs the official CLI from the lockfile in official/, once for each content of it, into the cache folder: it
// is too large to be installed for every clone. Says the folder of `heroku` on standard output.

const here = fileURLToPath(new URL('official', import.meta.url));
const manifests = ['package.json', 'package-lock.json'];
const limitMs = 10 * 60_000;
const log = (line: string): void => console.error(line);

const lockfile = await readFile(path.join(here, 'package-lock.json'));
const digest = createHash('sha256').update(lockfile).digest('hex').slice(0, 16);
const folder = path.join(cacheFolder(), 'heroku-cli', digest);
const complete = path.join(folder, 'complete');
const isInstalled = (): Promise<boolean> =>
  access(complete).then(
    () => true,
    () => false,
  );

try {
  const onWait = (): void => log('waiting for another process that is installing the official Heroku CLI');
  await withLock(`${folder}.lock`, { onWait }, async () => {
    if (!(await isInstalled())) await install();
  });
  process.stdout.write(`${path.join(folder, 'node_modules', '.bin')}\n`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function install(): Promise<void> {
  log('installing the official Heroku CLI (once)');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const name of manifests) await cp(path.join(here, name), path.join(folder, name));
  const done = sayProgress(log, () => 'installing the official Heroku CLI');
  // No package's script: nothing of the CLI needs one, and two of them would look for a compiler.
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, output, timedOut } = await runTool('npm', args, { cwd: folder, limitMs }).finally(done);
  if (code !== 0) throw new Error(`\`npm ci\` ${timedOut ? 'took too long' : 'failed'}.\n${output.trim()}`);
  await writeFile(complete, '');
}
