// In JavaScript, for `npm run worker` asks before anything can read TypeScript.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOfFiles, projectFolder, sha256 } from './source-digest.mjs';

/** Where `npm run build` puts the worker, beside the workflow bundles. */
export const workerFile = join(projectFolder, 'dist', 'worker.js');

/** Why there is nothing to use where nothing was ever built. */
export const notBuilt = 'it was not built';

/**
 * The worker as `npm run build` has made it, where there is one and it is whole and of these very sources, by the digests in
 * its note.
 *
 * @param {string} [file]
 * @returns {Promise<{ file: string } | { why: string }>} its path, or why there is none to use
 */
export async function findBuiltWorker(file = workerFile) {
  const [code, note] = await Promise.all([read(file), read(`${file}on`)]);
  if (code === undefined || note === undefined) return { why: notBuilt };
  try {
    const { of, sources, worker } = JSON.parse(note);
    if (worker !== sha256(code)) return { why: 'what was built is not whole' };
    return (await digestOfFiles(of)) === sources ? { file } : { why: 'what was built is of other sources' };
  } catch {
    // The note is none, or a source is gone.
    return { why: 'what was built is of other sources' };
  }
}

const read = (file) => readFile(file, 'utf8').catch(() => undefined);
