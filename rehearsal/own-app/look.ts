import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** What a target file says of migrations, as far as a folder shows it. */
export interface FoundMigrations {
  readonly upgrade: string;
  readonly history: string;
  readonly versions: string;
}

/** How deep in a folder its Alembic configuration may lie. */
const deepest = 3;
const notTheirs = /^(\.|node_modules$|venv$|site-packages$|tests?$)/;

/**
 * Checks that a folder is an app that can be deployed here.
 *
 * @returns the path of its requirements
 * @throws with a sentence for people where something is missing
 */
export async function requireApp(dir: string): Promise<string> {
  const isFolder = await stat(dir).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder)
    throw new Error(`There is no folder ${dir}. --app-dir names the folder of the app, with its Procfile.`);
  const requirements = path.join(dir, 'requirements.txt');
  const wanted = {
    Procfile: 'it says how the app is started, for example `web: gunicorn app:app`',
    'requirements.txt':
      'it lists the packages that the app needs, Alembic or Flask-Migrate and a PostgreSQL driver among them',
  };
  for (const [name, what] of Object.entries(wanted)) {
    if ((await textOf(path.join(dir, name))) === undefined) {
      throw new Error(`${dir} has no ${name}: ${what}. Add it and run this again.`);
    }
  }
  return requirements;
}

/**
 * Finds how the app migrates: with Flask-Migrate or with Alembic, and where its revisions are.
 *
 * @throws with a sentence for people where there is no configuration of Alembic's, or more than one
 */
export async function findMigrations(dir: string): Promise<FoundMigrations> {
  const found = await configurations(dir, '');
  const [ini] = found;
  const ask = 'Say in the target file how it migrates: migrations.upgrade, migrations.history and migrations.versions.';
  if (ini === undefined) throw new Error(`${dir} has no alembic.ini, at its root or below. ${ask}`);
  if (found.length > 1) throw new Error(`${dir} has more than one alembic.ini: ${found.join(', ')}. ${ask}`);

  const folder = path.posix.dirname(ini);
  const text = (await textOf(path.join(dir, ini))) ?? '';
  const requirements = (await textOf(path.join(dir, 'requirements.txt'))) ?? '';
  const location = setting(text, 'script_location');
  // Flask-Migrate's own file names no location: it is the folder that the file lies in.
  if (location === undefined && /^flask[-_]migrate\b/im.test(requirements)) {
    const where = folder === 'migrations' ? '' : ` --directory ${folder}`;
    return {
      upgrade: `flask db upgrade${where}`,
      history: `flask db history${where}`,
      versions: path.posix.join(folder, 'versions'),
    };
  }
  if (location === undefined) throw new Error(`${path.join(dir, ini)} has no script_location. ${ask}`);
  const inFolder = (command: string): string => (folder === '.' ? command : `cd ${folder} && ${command}`);
  const [versions] = (setting(text, 'version_locations') ?? `${location}/versions`).split(/[\s:;,]+/);
  return {
    upgrade: inFolder('alembic upgrade head'),
    history: inFolder('alembic history'),
    versions: path.posix.join(folder, (versions ?? '').replace(/%\(here\)s\/?/, '')),
  };
}

async function configurations(dir: string, below: string): Promise<string[]> {
  const entries = await readdir(path.join(dir, below), { withFileTypes: true });
  const found = entries
    .filter((entry) => entry.isFile() && entry.name === 'alembic.ini')
    .map((entry) => path.posix.join(below, entry.name));
  if (below.split('/').filter(Boolean).length >= deepest) return found;
  const folders = entries.filter((entry) => entry.isDirectory() && !notTheirs.test(entry.name));
  const deeper = await Promise.all(folders.map(({ name }) => configurations(dir, path.posix.join(below, name))));
  return [...found, ...deeper.flat()];
}

function setting(ini: string, name: string): string | undefined {
  return new RegExp(`^${name}\\s*=\\s*(\\S.*?)\\s*$`, 'm').exec(ini)?.[1];
}

function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
