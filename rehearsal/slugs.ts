import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The apps that can be rehearsed: those of this repository, and the one in a folder of the user's. */
export type RehearsedApp = 'raptor' | 'ledger' | { readonly dir: string };

/** A folder that is to be laid over the slug: its files, at these places. */
interface Layer {
  readonly from: string;
  /** Path in the slug; empty for its root. */
  readonly to: string;
  /** Names at the top of `from` that are taken; all when left out. */
  readonly only?: readonly string[];
  readonly except?: readonly string[];
}

interface Composition {
  readonly layers: readonly Layer[];
  /** Files that the app's pull request adds: where each lies here, and where in the slug and the repository. */
  readonly pullRequest: readonly { readonly from: string; readonly to: string }[];
}

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url));
const RAPTOR = fileURLToPath(new URL('raptor', import.meta.url));
const LEDGER = fileURLToPath(new URL('ledger', import.meta.url));

const NEVER_DEPLOYED = ['.git', 'node_modules', '.venv', 'venv', '.tox', '.env'];

/** `guarded` does nothing where the role is missing; `unguarded` fails there. Both are the same revision. */
export type RevisionVariant = 'guarded' | 'unguarded';

function compositionOf(app: RehearsedApp, variant: RevisionVariant): Composition {
  // As it would be deployed: what is not in a commit would not be either.
  if (typeof app === 'object') return { layers: [{ from: app.dir, to: '', except: NEVER_DEPLOYED }], pullRequest: [] };
  if (app === 'ledger') {
    return {
      layers: [{ from: LEDGER, to: '', except: ['pull-requests', 'grants.sql'] }],
      pullRequest: [{ from: join(LEDGER, 'pull-requests/88/docs/runtime-role.md'), to: 'docs/runtime-role.md' }],
    };
  }
  const file = variant === 'guarded' ? '0003_audit_grants.py' : '0003_audit_grants_unguarded.py';
  return {
    layers: [
      { from: RAPTOR, to: '' },
      {
        from: MIGRATIONS,
        to: 'backend_v2/alembic',
        only: ['env.py', 'script.py.mako', 'column_types.py', 'versions'],
      },
    ],
    pullRequest: [
      {
        from: join(MIGRATIONS, 'pull-requests/2173', file),
        to: 'backend_v2/alembic/versions/0003_audit_grants.py',
      },
    ],
  };
}

/**
 * Composes what would be deployed for an app: its files, its migrations where they belong, and what its pull request
 * adds once that is merged.
 *
 * @param options.into a folder that is missing or empty
 * @param options.variant which of the two ways of writing the pull request's revision, where it brings one
 * @returns the folder, and as the commit a digest of its files in 40 hex digits: the same content is the same commit
 */
export async function composeSlug(options: {
  app: RehearsedApp;
  into: string;
  withPullRequest?: boolean;
  variant?: RevisionVariant;
}): Promise<{ dir: string; commit: string }> {
  const { app, into, withPullRequest = false, variant = 'guarded' } = options;
  await mkdir(into, { recursive: true });
  // What already lay there would be deployed and would count in the commit.
  if ((await readdir(into)).length > 0) throw new Error(`${into} is not empty; a slug is composed in an empty folder`);
  const { layers, pullRequest } = compositionOf(app, variant);
  for (const layer of layers) await copyLayer(layer, into);
  if (withPullRequest) {
    for (const { from, to } of pullRequest) await cp(from, join(into, to), { recursive: true });
  }
  return { dir: into, commit: await digestOf(into) };
}

/** The files that the app's pull request touches, as paths in its repository, which are those in the slug. */
export function pullRequestFiles(app: RehearsedApp): { filename: string; status: 'added' }[] {
  return compositionOf(app, 'guarded').pullRequest.map(({ to }) => ({ filename: to, status: 'added' }));
}

async function copyLayer({ from, to, only, except = [] }: Layer, into: string): Promise<void> {
  const names = only ?? (await readdir(from));
  for (const name of names.filter((one) => !except.includes(one))) {
    await cp(join(from, name), join(into, to, name), { recursive: true, filter: isSource });
  }
}

/** Left out: what running Python or the app in the repository left beside the sources. */
function isSource(file: string): boolean {
  return !/^(__pycache__|.*\.(pyc|db|db-wal|db-shm))$/.test(basename(file));
}

async function digestOf(dir: string): Promise<string> {
  const hash = createHash('sha1');
  for (const file of (await filesBelow(dir)).sort()) {
    const content = await readFile(file);
    hash.update(`${relative(dir, file).split(sep).join('/')}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  const below = entries.map((entry) => {
    const path = join(dir, entry.name);
    return entry.isDirectory() ? filesBelow(path) : Promise.resolve([path]);
  });
  return (await Promise.all(below)).flat();
}
