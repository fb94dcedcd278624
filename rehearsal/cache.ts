import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * The folder that keeps what is slow to make: the Temporal CLI and the Python environment. `RAPTOR_CUTOVER_CACHE`, or
 * `raptor-cutover` in the user's cache folder. Nothing in it is needed twice: it may be deleted at any time.
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env['RAPTOR_CUTOVER_CACHE']) return env['RAPTOR_CUTOVER_CACHE'];
  const xdg = env['XDG_CACHE_HOME'];
  // A relative path there is to be ignored. [docs] XDG Base Directory Specification
  return join(xdg && isAbsolute(xdg) ? xdg : join(env['HOME'] || homedir(), '.cache'), 'raptor-cutover');
}
