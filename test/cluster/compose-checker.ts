import { rename } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder } from '../../rehearsal/cache.ts';
import { cachedBuild } from '../../rehearsal/cached-build.ts';
import { goInstall, isExecutable } from '../../rehearsal/go-install.ts';

/** Of the library with which Docker Compose itself reads its files. */
const VERSION = 'v2.16.2';
const PACKAGE = `github.com/compose-spec/compose-go/v2/cmd@${VERSION}`;

/**
 * Builds the program with which that library checks a file against the Compose Specification.
 *
 * @returns its path
 */
export async function buildComposeChecker(log: (line: string) => void): Promise<string> {
  const built = path.join(cacheFolder(), 'compose-checker', VERSION);
  const name = 'compose-checker';
  await cachedBuild({
    what: 'the checker of compose files',
    built,
    works: (folder) => isExecutable(path.join(folder, name)),
    async build(folder) {
      const program = { what: `the checker of compose files ${VERSION}`, package: PACKAGE, into: folder };
      const { file, what, problem } = await goInstall(program, process.env, log, undefined);
      if (file === undefined) throw new Error(`The checker of compose files could not be built. ${what}: ${problem}`);
      await rename(file, path.join(folder, name));
      return folder;
    },
    log,
    signal: undefined,
  });
  return path.join(built, name);
}
