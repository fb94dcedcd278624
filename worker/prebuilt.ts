import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BundleOptions } from '@temporalio/worker';
import { z } from 'zod';
import { buildWorkflowBundle } from './bundle.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Where `npm run build` puts the bundle, and a worker looks for it. */
export const distFolder = path.join(root, 'dist');
/** Everything that a bundle is made of: the workflow's code, what both sides write failures with, and the packages. */
const sources = ['workflows', 'worker/bundle.ts', 'worker/codec/failure-converter.ts', 'package-lock.json'];
const note = z.object({ sources: z.string(), bundle: z.string() });

/** Keys, or none, make two bundles: with them, failures are written so that they can be encrypted. */
const nameOf = (encrypts: boolean): string => `workflow-bundle${encrypts ? '-encrypting' : ''}`;

/**
 * Builds both bundles. Beside each stands a note of what it was made of, written last.
 *
 * @returns the paths of the bundles
 */
export async function prebuild(folder = distFolder, logger?: BundleOptions['logger']): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const digest = await digestOfSources();
  const made: string[] = [];
  for (const encrypts of [false, true]) {
    const { code } = await buildWorkflowBundle(logger, encrypts);
    const file = path.join(folder, `${nameOf(encrypts)}.js`);
    await replace(file, code);
    await replace(`${file}on`, `${JSON.stringify({ sources: digest, bundle: sha256(code) })}\n`);
    made.push(file);
  }
  return made;
}

/**
 * The prebuilt bundle, where there is one and it is whole and of these very sources, by the digests in its note.
 *
 * @returns it as it was checked, or why there is none to use
 */
export async function findPrebuilt(
  encrypts: boolean,
  folder = distFolder,
): Promise<{ readonly code: string } | { readonly why: string }> {
  const codePath = path.join(folder, `${nameOf(encrypts)}.js`);
  const [code, noted] = await Promise.all([read(codePath), read(`${codePath}on`)]);
  if (code === undefined || noted === undefined) return { why: 'there is none' };
  const told = note.safeParse(parsed(noted));
  if (!told.success || told.data.bundle !== sha256(code)) return { why: 'it is not whole' };
  return told.data.sources === (await digestOfSources()) ? { code } : { why: 'it is of other sources' };
}

async function digestOfSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) {
    const inFolder = path.extname(source) === '' ? (await readdir(path.join(root, source))).sort() : [''];
    for (const name of inFolder) {
      const text = await readFile(path.join(root, source, name), 'utf8');
      hash.update(`${path.posix.join(source, name)} ${text.length}\0`).update(text);
    }
  }
  return hash.digest('hex');
}

/** By a rename: a worker that starts meanwhile finds the old one or the new one. */
async function replace(file: string, text: string): Promise<void> {
  const fresh = `${file}.${process.pid}`;
  await writeFile(fresh, text);
  await rename(fresh, file);
}

const read = (file: string): Promise<string | undefined> => readFile(file, 'utf8').catch(() => undefined);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
