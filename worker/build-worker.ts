import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';
import { workerFile } from './built-worker.mjs';
import { replace } from './replace.ts';
import { digestOfFiles, projectFolder, sha256 } from './source-digest.mjs';

/** Besides the worker's code, what decides what is built: how, and of which packages. */
const otherSources = ['worker/build-worker.ts', 'tsconfig.json', 'package-lock.json'];

/**
 * Makes the worker one file: hundreds of modules, and a loader for TypeScript, take seconds to start. Packages stay where
 * they are; some have a native part, and a class must not be there twice. Beside it stands a note of what it was made of,
 * written last.
 *
 * @returns the path of the file
 */
export async function buildWorker(file = workerFile): Promise<string> {
  const folder = path.dirname(file);
  const { outputFiles, metafile } = await build({
    absWorkingDir: projectFolder,
    entryPoints: { [path.basename(file, '.js')]: 'worker/main.ts' },
    outdir: folder,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.3',
    keepNames: true,
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    write: false,
    logLevel: 'warning',
    plugins: [ownUrls(folder)],
  });
  const of = [...Object.keys(metafile.inputs), ...otherSources].sort();
  const texts = new Map(outputFiles.map((output) => [output.path, output.text]));
  const code = texts.get(file) ?? '';
  await rm(`${file}on`, { force: true });
  for (const [output, text] of texts) await replace(output, text);
  const note = { of, sources: await digestOfFiles(of), worker: sha256(code) };
  await replace(`${file}on`, `${JSON.stringify(note)}\n`);
  return file;
}

/** A module that finds files beside itself finds them from the one file too: each keeps the URL of its source. */
function ownUrls(folder: string): Plugin {
  return {
    name: 'own-urls',
    setup(setup) {
      setup.onLoad({ filter: /\.(ts|mjs)$/ }, async ({ path: source }) => {
        const text = await readFile(source, 'utf8');
        const relative = path.relative(folder, source).replaceAll(path.sep, '/');
        const url = `new URL(${JSON.stringify(relative)}, import.meta.url).href`;
        return { contents: text.replaceAll('import.meta.url', url), loader: source.endsWith('.ts') ? 'ts' : 'js' };
      });
    },
  };
}
