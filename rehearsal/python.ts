import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from '../scripts/lock.mjs';
import { cacheFolder } from './cache.ts';
import { runTool, sayProgress } from './run-tool.ts';

const REQUIREMENTS = fileURLToPath(new URL('raptor/requirements.txt', import.meta.url));
const CANDIDATES = ['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];
const OLDEST = [3, 9] as const;
const INSTALL_LIMIT_MS = 10 * 60_000;

interface Interpreter {
  readonly file: string;
  /** Version, platform and place: a virtual environment is tied to all three. */
  readonly identity: string;
}

/**
 * Makes the virtual environment of the rehearsal's Python apps, once: it is kept in the cache folder, one for each
 * content of the requirements and each Python. Two processes at once make it once.
 *
 * @returns the folder with `python3` and `alembic`
 * @throws when there is no Python 3.9 or newer, or pip could not install; the message says what to do
 */
export async function preparePython(
  log: (line: string) => void,
  options: { requirements?: string; env?: NodeJS.ProcessEnv; signal?: AbortSignal } = {},
): Promise<{ bin: string }> {
  const { requirements = REQUIREMENTS, env = process.env, signal } = options;
  const python = await findPython(env, signal);
  const content = await requirementsText(requirements);
  const key = createHash('sha256').update(`${python.identity}\n${content}`).digest('hex').slice(0, 16);
  const folder = join(cacheFolder(env), 'python', key);
  const bin = join(folder, 'bin');
  if (await isComplete(folder, bin, env, signal)) return { bin };
  const onWait = (): void => log('waiting for another process that is preparing the Python environment');
  await withLock(`${folder}.lock`, { onWait, signal }, async () => {
    if (await isComplete(folder, bin, env, signal)) return;
    try {
      await build({ python, folder, bin, requirements, env, signal, log });
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  });
  return { bin };
}

/** A requirements file, with the files that it includes behind it: pip reads them too. */
export async function requirementsText(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  const included = [...text.matchAll(/^\s*(?:-r|-c|--requirement|--constraint)[\s=]\s*(\S+)/gm)];
  const below = included.map(([, name = '']) => requirementsText(resolve(dirname(file), name)));
  return [text, ...(await Promise.all(below))].join('\n');
}

async function build(options: {
  python: Interpreter;
  folder: string;
  bin: string;
  requirements: string;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal | undefined;
  log: (line: string) => void;
}): Promise<void> {
  const { python, folder, bin, requirements, env, signal, log } = options;
  log('preparing the Python environment (once)');
  await mkdir(join(folder, '..'), { recursive: true });
  // Not built elsewhere and moved: a virtual environment's scripts hold its absolute path.
  await rm(folder, { recursive: true, force: true });
  const made = await runTool(python.file, ['-m', 'venv', folder], { env, signal, limitMs: 120_000 });
  if (made.code !== 0) {
    throw new Error(
      `\`${python.file} -m venv\` failed. On Debian and Ubuntu it needs the package python3-venv.\n${made.output.trim()}`,
    );
  }
  let doing = 'installing Python packages';
  const done = sayProgress(log, () => doing);
  const pip = await runTool(
    join(bin, 'python3'),
    ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--requirement', requirements],
    {
      env: { ...env, PIP_REQUIRE_VIRTUALENV: 'true', PYTHONUNBUFFERED: '1' },
      signal,
      limitMs: INSTALL_LIMIT_MS,
      onLine: (line) => {
        const name = /^Collecting ([\w.-]+)/.exec(line)?.[1];
        if (name !== undefined) doing = `installing Python packages: ${name}`;
      },
    },
  ).finally(done);
  if (pip.code !== 0) {
    const reasons = pip.output.split('\n').filter((line) => /error/i.test(line));
    const why = pip.timedOut ? 'took too long' : 'failed';
    throw new Error(`pip ${why}: ${requirements} could not be installed.\n${reasons.slice(-5).join('\n')}`);
  }
  await writeFile(join(folder, 'complete'), '');
  log('the Python environment is ready');
}

/** Complete, and its interpreter still there: it is a link to one that may have been upgraded away. */
async function isComplete(
  folder: string,
  bin: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const marked = await access(join(folder, 'complete')).then(
    () => true,
    () => false,
  );
  if (!marked) return false;
  return (await runTool(join(bin, 'python3'), ['-c', ''], { env, signal, limitMs: 10_000 })).code === 0;
}

async function findPython(env: NodeJS.ProcessEnv, signal: AbortSignal | undefined): Promise<Interpreter> {
  const report = 'import sys, platform as p; print(*sys.version_info[:3], p.machine(), sys.base_prefix, sep="\\n")';
  const seen: string[] = [];
  for (const file of CANDIDATES) {
    const { code, stdout } = await runTool(file, ['-c', report], { env, signal, limitMs: 10_000 });
    if (code !== 0) continue;
    const [major = 0, minor = 0] = stdout.split('\n').map(Number);
    if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return { file, identity: stdout };
    seen.push(`${file} is ${major}.${minor}`);
  }
  const found = seen.length > 0 ? `Found only: ${seen.join(', ')}.` : 'None was found on PATH.';
  throw new Error(`Python 3.9 or newer is needed for the rehearsal's apps. ${found} Install it and run this again.`);
}
