import { constants } from 'node:fs';
import { access, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { cacheFolder } from '../../rehearsal/cache.ts';
import { startOrphanGuard } from '../../rehearsal/orphan-guard.ts';
import { runTool } from '../../rehearsal/run-tool.ts';
import { withLock } from '../../scripts/lock.mjs';

/** A Chromium that has answered `--version`. */
export interface Chromium {
  readonly executablePath: string;
  /** The environment in which it answered, and is to be started. */
  readonly env: Readonly<Record<string, string>>;
}

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'] as const;
const fontsFile = 'with-fonts.conf';
const checkLimitMs = 30_000;
const unpackLimitMs = 120_000;

/**
 * Finds a Chromium. In this order: the path in `CHROMIUM_PATH`; a Chromium or Chrome on `PATH`; the one that the package
 * `@sparticuz/chromium` carries, which is unpacked into the cache folder, once. Nothing is downloaded.
 *
 * That one is built for Linux on x64. Where the machine lacks libraries that it needs, or fonts, the package's own serve
 * [ran: in a folder with glibc alone; without any font].
 *
 * @param env what it is looked for with, and started in
 * @throws when `CHROMIUM_PATH` does not work, or nothing does; the message says what to install
 */
export async function findChromium(env: NodeJS.ProcessEnv = process.env): Promise<Chromium> {
  const own = definedOf(env);
  const given = env['CHROMIUM_PATH'];
  if (given) {
    const problem = await problemOf(path.resolve(given), own);
    if (problem === undefined) return { executablePath: path.resolve(given), env: own };
    throw new Error(`CHROMIUM_PATH is ${given}, but that is not a Chromium that works: ${problem}`);
  }
  const failures: string[] = [];
  for (const file of await onPath(env)) {
    const problem = await problemOf(file, own);
    if (problem === undefined) return { executablePath: file, env: own };
    failures.push(`${file}: ${problem}`);
  }
  const packed = await unpacked(env).catch((error: unknown) => String(error));
  if (typeof packed !== 'string') {
    const withFonts = { ...own, FONTCONFIG_FILE: path.join(packed.folder, fontsFile) };
    for (const environment of [withFonts, withLibraries(packed, withFonts)]) {
      const problem = await problemOf(packed.executablePath, environment);
      if (problem === undefined) return { executablePath: packed.executablePath, env: environment };
      failures.push(`${packed.executablePath}: ${problem}`);
    }
  } else failures.push(packed);
  throw new Error(
    'The browser tests need Chromium, and none was found that works: CHROMIUM_PATH is not set, and PATH has no ' +
      `${names.join(' or ')} that does. ${failures.join('; ')}.\nInstall Chromium (on Debian and Ubuntu ` +
      '`apt-get install chromium`), or set CHROMIUM_PATH to a Chromium or Chrome. Then run this again.',
  );
}

/** What is wrong with a file as a Chromium; `undefined` when nothing is. A missing library is named here. */
async function problemOf(file: string, env: Readonly<Record<string, string>>): Promise<string | undefined> {
  const result = await runTool(file, ['--version'], { env, limitMs: checkLimitMs });
  if (result.timedOut) return '`--version` did not answer in time';
  if (result.code === 0 && /\bChrom(e|ium)\b.* \d+\./.test(result.stdout)) return undefined;
  return `\`--version\` answered ${JSON.stringify(result.output.trim().slice(0, 200))}`;
}

async function onPath(env: NodeJS.ProcessEnv): Promise<string[]> {
  const folders = (env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const files = names.flatMap((name) => folders.map((folder) => path.resolve(folder, name)));
  const found = await Promise.all(files.map(async (file) => ((await isExecutable(file)) ? [file] : [])));
  return found.flat();
}

const isExecutable = (file: string): Promise<boolean> =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  );

interface Unpacked {
  readonly folder: string;
  readonly executablePath: string;
}

async function unpacked(env: NodeJS.ProcessEnv): Promise<Unpacked> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`@sparticuz/chromium has none for ${process.platform} on ${process.arch}`);
  }
  const cache = path.join(cacheFolder(env), 'chromium');
  const folder = path.join(cache, await packedVersion());
  const result = { folder, executablePath: path.join(folder, 'chromium') };
  if (await isExecutable(result.executablePath)) return result;
  return withLock(`${folder}.lock`, {}, async () => {
    if (await isExecutable(result.executablePath)) return result;
    // Made here and renamed when it is whole: the cached name never stands for half a browser.
    const staging = await mkdtemp(path.join(cache, 'staging-'));
    const guard = startOrphanGuard();
    guard.watchFolder(staging);
    try {
      await unpackInto(staging, env);
      await writeFile(path.join(staging, fontsFile), fontsOf(folder));
      await rename(staging, folder);
      return result;
    } finally {
      await rm(staging, { recursive: true, force: true });
      await guard.close();
    }
  });
}

async function packedVersion(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  const root = entry.slice(0, entry.lastIndexOf(path.join('@sparticuz', 'chromium')));
  const text = await readFile(path.join(root, '@sparticuz', 'chromium', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** In a process of its own: the package unpacks into the folder for temporary files, whichever that is. */
async function unpackInto(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const script = `
    import chromium from '@sparticuz/chromium';
    await chromium.executablePath();
  `;
  const result = await runTool(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: import.meta.dirname,
    // The libraries come with it only where it takes the machine for this one. [source] isRunningInAmazonLinux2023
    env: { ...env, NODE_OPTIONS: '', TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' },
    limitMs: unpackLimitMs,
  });
  if (result.code !== 0) throw new Error(`unpacking @sparticuz/chromium failed: ${result.output.trim().slice(-500)}`);
}

/** The machine's fonts first. Without any, text would have no height, and nothing on a page be visible. [ran] */
function fontsOf(folder: string): string {
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
    '<fontconfig>',
    '  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>',
    `  <dir>${path.join(folder, 'fonts')}</dir>`,
    '  <cachedir prefix="xdg">fontconfig</cachedir>',
    '</fontconfig>',
    '',
  ].join('\n');
}

function withLibraries({ folder }: Unpacked, env: Readonly<Record<string, string>>): Record<string, string> {
  const paths = [path.join(folder, 'al2023', 'lib'), env['LD_LIBRARY_PATH']];
  return { ...env, LD_LIBRARY_PATH: paths.filter(Boolean).join(path.delimiter) };
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
