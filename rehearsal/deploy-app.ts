import { createHash } from 'node:crypto';
import path from 'node:path';
import type { DeployedApp } from './apps.ts';
import type { GithubStandIn, PullFile, PullOptions } from './github/index.ts';
import type { HerokuStandIn, SlugSource } from './heroku/index.ts';
import { composeSlug, type RevisionVariant } from './slugs.ts';

/** In which state an app's cutover finds it; what is left out is as a clean production has it. */
export interface AppOptions {
  /** Changes each composed slug before it is deployed. */
  readonly alterSlug?: (dir: string) => Promise<void>;
  readonly configVars?: Record<string, string>;
  /** Name under which the app's own add-on is attached; null leaves the app without a database. */
  readonly attachAs?: string | null;
  /** Other add-ons of the app, made before its own. */
  readonly others?: readonly Omit<AddonOptions, 'app'>[];
  /** What the platform is told of the app besides its slug. */
  readonly platform?: Omit<Parameters<HerokuStandIn['createApp']>[0], 'name' | 'slug' | 'configVars'>;
  /** The files that the pull request touches, where they are not the app's own. */
  readonly pullFiles?: readonly PullFile[];
  /** How the pull request's revision is written, where it brings one. */
  readonly revision?: RevisionVariant;
  /** False: merging deploys nothing. */
  readonly deployOnMerge?: boolean;
  /** True: it was merged, and what it brings was deployed, before the cutover begins. */
  readonly merged?: boolean;
  /** How the pull request stands otherwise. */
  readonly pull?: Partial<Pick<PullOptions, 'base' | 'closed'>>;
  /** What is particular to the app's own add-on: a leader that it follows, a server of its own. */
  readonly addon?: Omit<AddonOptions, 'app' | 'name' | 'plan' | 'attachAs'>;
}

type AddonOptions = Parameters<HerokuStandIn['createAddon']>[0];

export interface Standing {
  readonly heroku: HerokuStandIn;
  readonly github: GithubStandIn;
  readonly pythonBin: string;
  /** Takes the composed slugs. */
  readonly slugs: string;
}

/** Deploys an app and its repository in the state in which its cutover is to find them. */
export async function deployApp(standing: Standing, app: DeployedApp, options: AppOptions): Promise<void> {
  const { heroku, github, pythonBin } = standing;
  // The repository has the files of each commit that was deployed.
  const contents = new Map<string, string>();
  const composed = async (withPull: boolean): Promise<SlugSource> => {
    const made = await compose(standing, app, options, withPull);
    contents.set(made.commit, made.dir);
    return made;
  };
  const slug = await composed(options.merged === true);
  await heroku.createApp({
    name: app.herokuApp,
    slug,
    ...(options.configVars ? { configVars: options.configVars } : {}),
    ...options.platform,
  });
  for (const other of options.others ?? []) await heroku.createAddon({ app: app.herokuApp, ...other });
  const { attachAs = 'DATABASE' } = options;
  if (attachAs !== null) {
    await heroku.createAddon({ app: app.herokuApp, ...app.addon, ...options.addon, attachAs });
  }

  github.addRepository({
    fullName: app.repository,
    defaultBranch: app.base,
    headCommit: slug.commit,
    issues: app.issues,
    contents: (commit) => contents.get(commit),
    pulls: [
      {
        ...app.pull,
        base: app.base,
        ...(options.merged === true ? { merged: { commit: slug.commit } } : {}),
        ...options.pull,
        files: [...(options.pullFiles ?? app.pull.files)],
        // As with automatic deploys: merging makes a new slug and releases it.
        onMerge: async () => {
          const merged = await composed(true);
          if (options.deployOnMerge !== false) await heroku.deploy(app.herokuApp, merged);
          return { commit: merged.commit };
        },
      },
    ],
    smoke: {
      workflow: app.smokeWorkflow,
      command:
        app.smokeCommand === undefined
          ? [path.join(pythonBin, 'python3'), path.join(slug.dir, 'smoke.py')]
          : ['/bin/sh', '-c', `cd "$1" && PATH="$2:$PATH"; ${app.smokeCommand}`, 'sh', slug.dir, pythonBin],
      env: () => ({ SMOKE_BASE_URL: heroku.webUrl(app.herokuApp) }),
    },
  });
}

async function compose(
  { slugs }: Standing,
  { herokuApp, source }: DeployedApp,
  { alterSlug, pullFiles, revision }: AppOptions,
  merged: boolean,
): Promise<SlugSource> {
  const into = path.join(slugs, `${herokuApp}-${merged ? 'merged' : 'base'}`);
  // Other files than the app's own are documents: merging them is a commit, and changes nothing that runs.
  const withPullRequest = merged && pullFiles === undefined;
  const slug = await composeSlug({ app: source, into, withPullRequest, ...(revision ? { variant: revision } : {}) });
  await alterSlug?.(slug.dir);
  if (!merged || withPullRequest) return slug;
  return { ...slug, commit: createHash('sha1').update(`${slug.commit} merged`).digest('hex') };
}
