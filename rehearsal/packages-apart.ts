import { createHash } from 'node:crypto';
import { access, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder } from './cache.ts';
import { runTool, sayProgress } from './run-tool.ts';
import { withLock } from '../scripts/lock.mjs';

const manifests = ['package.json', 'package-lock.json'];
const limitMs = 10 * 60_000;

/** Packages that are not among the project's own dependencies, and have a lockfile of their own. */
export interface PackagesApart {
  /** Folder of `package.json` and its lockfile. */
  readonly from: string;
  /** Of their folder in the cache. */
  readonly name: string;
  /** As people call them. */
  readonly what: string;
}

/**
 * Installs packages from a lockfile of their own, once for each content of it, into the cache folder: they are too large,
 * or too seldom wanted, to be installed for every clone.
 *
 * @returns the folder that has their `node_modules`
 * @throws Error where they could not be installed
 */
export async function installApart(
  { from, name, what }: PackagesApart,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<string> {
  const lockfile = await readFile(path.join(from, 'package-lock.json'));
  const digest = createHash('sha256').update(lockfile).digest('hex').slice(0, 16);
  const folder = path.join(cacheFolder(), name, digest);
  const complete = path.join(folder, 'complete');
  const isInstalled = (): Promise<boolean> =>
    access(complete).then(
      () => true,
      () => false,
    );
  const onWait = (): void => log(`waiting for another process that is installing ${what}`);
  await withLock(`${folder}.lock`, { onWait }, async () => {
    if (await isInstalled()) return;
    log(`installing ${what} (once)`);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    for (const manifest of manifests) await cp(path.join(from, manifest), path.join(folder, manifest));
    const done = sayProgress(log, () => `installing ${what}`);
    // No package's script: nothing of these needs one, and some would look for a compiler.
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const { code, output, timedOut } = await runTool('npm', args, { cwd: folder, limitMs, signal }).finally(done);
    if (code !== 0) throw new Error(`\`npm ci\` ${timedOut ? 'took too long' : 'failed'}.\n${output.trim()}`);
    await writeFile(complete, '');
  });
  return folder;
}
