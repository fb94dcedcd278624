import { rename, writeFile } from 'node:fs/promises';

/** Writes a file by a rename: whoever reads it meanwhile finds the old one or the new one, whole. */
export async function replace(file: string, text: string): Promise<void> {
  const fresh = `${file}.${process.pid}`;
  await writeFile(fresh, text);
  await rename(fresh, file);
}
