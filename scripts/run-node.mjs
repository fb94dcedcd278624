import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { ROOT } from './bootstrap.mjs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * What makes Node run TypeScript, without a process of tsx's own in between.
 *
 * @returns {string[]}
 */
export function typescriptFlags(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  // `--import` registers a loader from Node 20.6 on; before, a loader is an option of its own.
  return major > 20 || minor >= 6 ? ['--import', 'tsx'] : ['--no-warnings', '--loader', 'tsx'];
}

/**
 * What Node is started with for a program: one in TypeScript, or one that was built of it.
 *
 * @param {string} file
 * @returns {string[]} with the file
 */
export function programArgs(file) {
  return [...(file.endsWith('.ts') ? typescriptFlags() : ['--enable-source-maps']), file];
}

/**
 * Runs Node in this terminal's process group and ends this process as that one ends, with its exit code, or 128 plus
 * the number of the signal that ended it.
 *
 * A signal to this process alone is passed on. One from the terminal reaches both, and npm sends it once more; the
 * child takes what comes in quick succession as one (parent-guard.mjs).
 *
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export async function runNode(args, env = process.env) {
  const guard = new URL('parent-guard.mjs', import.meta.url).href;
  const child = spawn(process.execPath, ['--import', guard, ...args], {
    cwd: ROOT,
    env: { ...env, RAPTOR_CUTOVER_PARENT_PIPE: '3' },
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  });
  const pass = (signal) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, pass);
  const { code, signal } = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status, by) => resolve({ code: status, signal: by }));
  });
  for (const name of SIGNALS) process.off(name, pass);
  process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
}

/**
 * Runs one of the project's commands; what goes wrong before it starts is one plain line.
 *
 * @param {() => Promise<void>} command
 */
export async function main(command) {
  try {
    await command();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
