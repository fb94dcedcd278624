// In JavaScript, for a script asks before anything can read TypeScript.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const projectFolder = fileURLToPath(new URL('..', import.meta.url));

/**
 * The digest of files by their names and what is in them, so that what was built of them is known again.
 *
 * @param {readonly string[]} files paths inside the project's folder, with slashes
 * @returns {Promise<string>} SHA-256 in hex
 * @throws where one of them cannot be read
 */
export async function digestOfFiles(files) {
  const hash = createHash('sha256');
  const texts = await Promise.all(files.map((file) => readFile(join(projectFolder, file), 'utf8')));
  files.forEach((file, index) => hash.update(`${file} ${texts[index].length}\0`).update(texts[index]));
  return hash.digest('hex');
}

/** @param {string} text @returns {string} SHA-256 in hex */
export const sha256 = (text) => createHash('sha256').update(text).digest('hex');
