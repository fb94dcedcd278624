import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findMigrations } from '../../rehearsal/own-app/look.ts';
import { readOwnApp } from '../../rehearsal/own-app/read.ts';
import { requirementsText } from '../../rehearsal/python.ts';
import { composeSlug } from '../../rehearsal/slugs.ts';
import { readOptions } from '../../rehearsal/start/options.ts';

const library = path.resolve('test/fixtures/flask-app');
const libraryTarget = path.resolve('test/fixtures/flask-target/library-api.json');

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'own-app-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** The library, with one thing about it changed. */
async function changed(name: string, change: (app: string) => Promise<unknown>): Promise<string> {
  const app = path.join(dir, name);
  await cp(library, app, { recursive: true });
  await change(app);
  return app;
}

/** The library's target file, with some of it changed; undefined leaves a part out. */
async function written(name: string, change: Record<string, unknown>): Promise<string> {
  const file = path.join(dir, `${name}.json`);
  const shipped = JSON.parse(await readFile(libraryTarget, 'utf8')) as Record<string, unknown>;
  await writeFile(file, JSON.stringify({ ...shipped, ...change }));
  return file;
}

const onGithub = { kind: 'github', repository: 'library/api', workflow: 'smoke.yml', ref: 'main' };

describe('how an app migrates is found', () => {
  test.each(['raptor', 'ledger'] as const)('%s: what its shipped target file says', async (app) => {
    const { dir: slug } = await composeSlug({ app, into: path.join(dir, app) });
    const file = app === 'raptor' ? 'raxx-api-prod' : 'ledger-api-prod';
    const { migrations } = JSON.parse(await readFile(`targets/${file}.json`, 'utf8')) as Record<string, any>;
    const { upgrade, history, versions } = migrations;
    expect(await findMigrations(slug)).toEqual({ upgrade, history, versions });
  });

  test('Flask-Migrate, in its usual folder or another', async () => {
    expect(await findMigrations(library)).toEqual({
      upgrade: 'flask db upgrade',
      history: 'flask db history',
      versions: 'migrations/versions',
    });
    const moved = await changed('moved', (app) => cp(`${app}/migrations`, `${app}/db`, { recursive: true }));
    await rm(path.join(moved, 'migrations'), { recursive: true });
    expect(await findMigrations(moved)).toMatchObject({
      upgrade: 'flask db upgrade --directory db',
      versions: 'db/versions',
    });
  });
});

test('what the target file leaves out is said, and config vars come from a file', async () => {
  const vars = path.join(dir, 'vars');
  await writeFile(vars, '# of production\nSECRET_KEY="a b"\nexport WORKERS=2\n');
  const own = await readOwnApp({ dir: library, target: libraryTarget, vars });
  expect(own.found.map((line) => line.split(':')[0])).toEqual([
    'app',
    'migrations.upgrade',
    'migrations.history',
    'migrations.versions',
    'migrations.schema',
  ]);
  expect(own.app).toMatchObject({ herokuApp: 'library-api', addon: { name: 'library-api-db' }, role: 'librarian' });
  expect(own.options).toMatchObject({ attachAs: 'LIBRARY', configVars: { SECRET_KEY: 'a b', WORKERS: '2' } });
});

describe('what cannot be found is asked for', () => {
  test.each<[string, () => Promise<{ dir?: string; target?: string; vars?: string }>, RegExp]>([
    ['no folder', async () => ({ dir: '/nowhere' }), /^There is no folder \/nowhere\./],
    [
      'no Procfile',
      async () => ({ dir: await changed('headless', (app) => rm(path.join(app, 'Procfile'))) }),
      /headless has no Procfile: it says how the app is started/,
    ],
    [
      'no requirements',
      async () => ({ dir: await changed('bare', (app) => rm(path.join(app, 'requirements.txt'))) }),
      /bare has no requirements\.txt: it lists the packages/,
    ],
    [
      'no Alembic',
      async () => ({ dir: await changed('static', (app) => rm(path.join(app, 'migrations/alembic.ini'))) }),
      /static has no alembic\.ini, at its root or below\. Say in the target file how it migrates: migrations\.upgrade/,
    ],
    [
      'two of them',
      async () => ({ dir: await changed('twice', (app) => cp(`${app}/migrations`, `${app}/b`, { recursive: true })) }),
      /more than one alembic\.ini: b\/alembic\.ini, migrations\/alembic\.ini\. Say in the target file/,
    ],
    ['no target file', async () => ({ target: '/nowhere.json' }), /\/nowhere\.json cannot be read/],
    [
      'no role and no flag',
      async () => ({ target: await written('roleless', { role: undefined, flag: undefined }) }),
      /does not yet say all that only you can say .*:\n {2}role\.credential: is missing\n(.*\n)* {2}flag: is missing$/,
    ],
    [
      'a field that there is not',
      async () => ({ target: await written('misspelt', { rol: {} }) }),
      /Unrecognized key\(s\) in object: 'rol'/,
    ],
    [
      'a smoke suite that only GitHub has',
      async () => ({ target: await written('hubbed', { smoke: onGithub }) }),
      /workflow smoke\.yml of library\/api, which only GitHub can run\. Say with --smoke COMMAND/,
    ],
    [
      'two repositories',
      async () => ({
        target: await written('split', {
          smoke: onGithub,
          pullRequest: { repository: 'library/other', number: 1, base: 'main', versions: 'migrations/versions' },
        }),
      }),
      /names library\/api and library\/other; a rehearsal has one repository/,
    ],
    [
      'a line that is no config var',
      async () => {
        const vars = path.join(dir, 'odd-vars');
        await writeFile(vars, 'A=1\nnonsense\n');
        return { vars };
      },
      /^Line 2 of .*odd-vars is not NAME=VALUE\.$/,
    ],
  ])('%s', async (_, prepare, says) => {
    await expect(readOwnApp({ dir: library, target: libraryTarget, ...(await prepare()) })).rejects.toThrow(says);
  });

  test.each([
    [['--app-dir', 'x'], /^--app-dir and --target go together/],
    [['--smoke', 'make smoke'], /^--smoke goes with --app-dir and --target\.$/],
    [['--app-dir', 'x', '--target', 'y', '--scenario', 'preboot'], /^--scenario is about Raptor/],
  ])('%j', (args, says) => {
    expect(() => readOptions(args, {})).toThrow(expect.objectContaining({ message: expect.stringMatching(says) }));
  });
});

test('requirements that others include count for what is installed', async () => {
  const [top, base] = [path.join(dir, 'requirements.txt'), path.join(dir, 'base.txt')];
  await writeFile(top, '-r base.txt\nFlask==3.1.3\n');
  await writeFile(base, 'alembic==1.16.5\n');
  const before = await requirementsText(top);
  await writeFile(base, 'alembic==1.16.4\n');
  expect(before).toContain('alembic==1.16.5');
  expect(await requirementsText(top)).not.toBe(before);
});

test('paths are where npm was called', () => {
  const { ownApp } = readOptions(['--app-dir', 'mine', '--target', '/t/mine.json'], { INIT_CWD: '/home/me' });
  expect(ownApp).toEqual({ dir: '/home/me/mine', target: '/t/mine.json' });
});
