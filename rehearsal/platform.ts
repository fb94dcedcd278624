import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { DeployedApp } from './apps.ts';
import { deployApp, type AppOptions } from './deploy-app.ts';
import { startGithub, type GithubStandIn } from './github/index.ts';
import { startHeroku, type HerokuOptions, type HerokuStandIn } from './heroku/index.ts';
import { herokuCliEnv } from './heroku-cli-env.ts';
import { startPostgres, type RehearsalPostgres } from './postgres.ts';

/** The services that a cutover talks to, all on this machine. */
export interface Platform {
  readonly postgres: RehearsalPostgres;
  readonly heroku: HerokuStandIn;
  readonly github: GithubStandIn;
  /** What points a worker at them: base URLs and tokens, exactly the variables that production sets. */
  readonly workerEnv: Readonly<Record<string, string>>;
  /** What points the official Heroku CLI at them. */
  readonly cliEnv: Readonly<Record<string, string>>;
  /** Deploys an app and its repository in the state in which its cutover finds them. */
  addApp(app: DeployedApp, options?: AppOptions): Promise<void>;
  /** Every secret of this run, for the search for leaks. */
  secrets(): string[];
  /** May be called twice. */
  stop(): Promise<void>;
}

export interface PlatformOptions {
  /** An existing scratch folder; the caller removes it. */
  readonly dir: string;
  /** Folder with `python3` and `alembic`. */
  readonly pythonBin: string;
  readonly heroku?: Pick<HerokuOptions, 'intercept' | 'settings'>;
  /** Gives up a start that is under way, leaving nothing. */
  readonly signal?: AbortSignal;
}

/** Starts PostgreSQL and the stand-ins for Heroku and GitHub. */
export async function startPlatform({
  dir,
  pythonBin,
  heroku: herokuOptions,
  signal,
}: PlatformOptions): Promise<Platform> {
  const cleanups: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      for (const cleanup of cleanups.reverse()) await cleanup();
    })());
  const folder = async (name: string): Promise<string> => {
    const made = path.join(dir, name);
    await mkdir(made, { recursive: true });
    return made;
  };

  try {
    const postgres = await startPostgres({ dir: await folder('postgres'), ...(signal ? { signal } : {}) });
    cleanups.push(() => postgres.stop());
    const heroku = await startHeroku({ postgres, workDir: await folder('heroku'), pythonBin, ...herokuOptions });
    cleanups.push(() => heroku.stop());
    const github = await startGithub({ workDir: await folder('github') });
    cleanups.push(() => github.stop());

    return {
      postgres,
      heroku,
      github,
      workerEnv: {
        HEROKU_API_URL: heroku.url,
        HEROKU_DATA_URL: heroku.url,
        HEROKU_API_KEY: heroku.token,
        NODE_EXTRA_CA_CERTS: heroku.caFile,
        GITHUB_API_URL: github.url,
        GITHUB_TOKEN: github.token,
      },
      cliEnv: await herokuCliEnv(heroku, await folder('heroku-cli')),
      addApp: async (app, options = {}) =>
        deployApp({ heroku, github, pythonBin, slugs: await folder('slugs') }, app, options),
      secrets: () => [...heroku.secrets(), github.token],
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
