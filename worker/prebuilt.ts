import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BundleOptions } from '@temporalio/worker';
import { z } from 'zod';
import { buildWorkflowBundle } from './bundle.ts';
import { replace } from './replace.ts';
import { digestOfFiles, projectFolder, sha256 } from './source-digest.mjs';

/** Where `npm run build` puts the bundle, and a worker looks for it. */
export const distFolder = path.join(projectFolder, 'dist');
/** Besides the workflow's code, what a bundle is made of: what both sides write failures with, and the packages. */
const otherSources = ['worker/bundle.ts', 'worker/codec/failure-converter.cjs', 'package-lock.json'];
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
  const workflows = (await readdir(path.join(projectFolder, 'workflows'))).sort();
  return digestOfFiles([...workflows.map((name) => `workflows/${name}`), ...otherSources]);
}

const read = (file: string): Promise<string | undefined> => readFile(file, 'utf8').catch(() => undefined);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
