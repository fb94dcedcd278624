import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { HerokuStandIn } from './heroku/index.ts';

/**
 * What points the official Heroku CLI at the stand-in, and keeps it from writing beside the user's own files.
 *
 * @param dir takes what the CLI keeps; made if it is missing
 */
export async function herokuCliEnv(
  { url, token, caFile }: Pick<HerokuStandIn, 'url' | 'token' | 'caFile'>,
  dir: string,
): Promise<Record<string, string>> {
  await mkdir(dir, { recursive: true });
  const gitConfig = path.join(dir, 'gitconfig');
  await writeFile(gitConfig, '');
  return {
    // The scheme is required; without it, and for hosts that it does not take for local, it asks the real service [seen].
    HEROKU_HOST: url,
    // A host name only: scheme and port come from HEROKU_HOST [seen].
    HEROKU_DATA_HOST: new URL(url).hostname,
    // `heroku run` asks it for the account; it gives up on the real one after 7 s where there is no network [seen].
    HEROKU_PARTICLEBOARD_URL: url,
    HEROKU_API_KEY: token,
    // For the rendezvous of `heroku run`, which is TLS whatever HEROKU_HOST says [seen].
    NODE_EXTRA_CA_CERTS: caFile,
    DISABLE_TELEMETRY: 'true',
    HEROKU_SKIP_NEW_VERSION_CHECK: 'true',
    // It makes itself a credential helper of git's, with nearly every command [source].
    GIT_CONFIG_GLOBAL: gitConfig,
    XDG_CACHE_HOME: path.join(dir, 'cache'),
    XDG_CONFIG_HOME: path.join(dir, 'config'),
    XDG_DATA_HOME: path.join(dir, 'data'),
  };
}
