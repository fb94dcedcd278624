import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { schemaShape } from '../../activities/schema-shape.ts';
import { leftovers, startProgram } from './started-program.ts';

// An app that differs from Raptor in everything: Flask-Migrate and its layout, packages, attachment, role, flag, tables,
// a smoke suite over HTTP, no pull request. Its target file leaves out what can be found.

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'own-app-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function rehearsed(...options: string[]) {
  const program = await startProgram(['node', 'scripts/start.mjs', ...options]);
  const { code } = await program.ended;
  const left = await leftovers(program.tmp);
  const text = program.output();
  await program.dispose();
  return { code, text, left };
}

test('npm start -- --app-dir performs its whole cutover', async () => {
  const fingerprint = path.join(dir, 'library.fingerprint');
  const { code, text, left } = await rehearsed(
    '--app-dir',
    'test/fixtures/flask-app',
    '--target',
    'test/fixtures/flask-target/library-api.json',
    '--fingerprint',
    fingerprint,
  );
  for (const found of [
    'app: "library-api"',
    'migrations.upgrade: "flask db upgrade"',
    'migrations.versions: "migrations/versions"',
    'migrations.versionTable: "alembic_version"',
    'schema.fingerprint: 3 tables',
  ]) {
    expect(text).toContain(`  found     ${found}`);
  }
  expect(text).toContain('to run: 1f0c2a7be401, 9d53e8c6a270');
  expect(text).toMatch(/Summary: completed/);
  expect(text).toMatch(/from outside: GET .* answers 404; sessions in PostgreSQL: \d+ as librarian ✔/);
  expect(text).not.toMatch(/raptor_app|raxx-api/);
  expect({ code, left }).toEqual({ code: 0, left: [] });
  const shape = schemaShape.parse(JSON.parse(await readFile(fingerprint, 'utf8')));
  expect(shape.tables).toEqual(['alembic_version', 'loans', 'members']);
}, 400_000);
