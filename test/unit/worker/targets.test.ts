import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createTargetStore } from '../../../worker/targets.ts';
import { targetFile } from '../activities/sample-target.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cutover-targets-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const matrix = '-- reads only\nGRANT SELECT ON orders TO app_role;\n';

/** Writes a target file and its matrix, and reads it as a worker does. */
function read(target: unknown, { app = 'an-app', sql = matrix }: { app?: string; sql?: string | null } = {}) {
  writeFileSync(join(folder, `${app}.json`), typeof target === 'string' ? target : JSON.stringify(target));
  if (sql !== null) writeFileSync(join(folder, 'grants.sql'), sql);
  return createTargetStore(folder).read(app);
}
const good = { ...targetFile, role: { ...targetFile.role, grants: 'grants.sql' } };

test('a good file, with what it leaves out', async () => {
  const target = await read(good);
  expect(target).toMatchObject({
    app: 'an-app',
    historyEventLimit: 10_000,
    matrix: { statements: ['GRANT SELECT ON orders TO app_role'] },
  });
  expect(target.digest).toMatch(/^[0-9a-f]{64}$/);
});

test('an unknown app: those that are known are listed', async () => {
  await read(good);
  await read({ ...good, app: 'other-app' }, { app: 'other-app' });
  await expect(createTargetStore(folder).read('third-app')).rejects.toMatchObject({
    type: 'UnknownApp',
    nonRetryable: true,
    message: expect.stringMatching(/third-app; this worker knows an-app, other-app\. Correct/),
  });
  await expect(createTargetStore(join(folder, 'missing')).read('an-app')).rejects.toMatchObject({
    message: expect.stringContaining('knows none'),
  });
});

describe('mistakes', () => {
  async function mistakes(target: unknown, options?: Parameters<typeof read>[1]): Promise<string> {
    const error: unknown = await read(target, options).then(
      () => undefined,
      (failure: unknown) => failure,
    );
    expect(error).toMatchObject({ type: 'TargetFileInvalid', nonRetryable: true });
    return (error as Error).message;
  }

  test('several are named at once, each with its place', async () => {
    const message = await mistakes({
      ...good,
      database: { attachment: 'lower_case' },
      role: { ...good.role, credential: 'Bad Name', attachment: 'lower_case', may: [] },
      flag: { name: 'FLAG' },
      quorum: 0,
    });
    expect(message).toMatch(/has 6 mistake\(s\)/);
    for (const place of [
      'database.attachment',
      'role.credential',
      'role.attachment',
      'role.may',
      'flag.value',
      'quorum',
    ]) {
      expect(message).toContain(place);
    }
  });

  test('those between two fields are named beside those of one', async () => {
    const message = await mistakes({
      ...good,
      schema: { tables: ['orders'], columns: { trades: {} }, cascadesFrom: 'customers' },
      rollback: {
        sqliteUrl: 'sqlite:///x.db',
        verify: 'true',
        checks: [{ path: '/' }],
        referenceTables: ['orders', 'plans'],
      },
      role: { ...good.role, attachment: 'DATABASE' },
      historyEventLimit: 24,
    });
    expect(message).toMatch(/has 5 mistake\(s\)/);
    for (const place of [
      'rollback.referenceTables.1',
      'schema.columns.trades',
      'schema.cascadesFrom',
      'role.attachment',
      'historyEventLimit',
    ]) {
      expect(message).toContain(place);
    }
  });

  test.each<[string, unknown, RegExp]>([
    ['not JSON', '{"app":', /not JSON/],
    ['not an object', '[]', /file: /],
    ['nothing', '', /not JSON/],
    ['another app', { ...good, app: 'other-app' }, /app: it says other-app, and the file is named an-app\.json/],
    ['a misspelt field', { ...good, flags: good.flag }, /flags/],
    [
      'a command of two lines',
      { ...good, migrations: { ...good.migrations, upgrade: 'true\nrm -rf /' } },
      /migrations\.upgrade: one line/,
    ],
    [
      'a table that is more than a name',
      { ...good, schema: { ...good.schema, tables: ['orders; DROP TABLE orders'] } },
      /schema\.tables/,
    ],
    [
      'a matrix that is not there',
      { ...good, role: { ...good.role, grants: 'other.sql' } },
      /role\.grants: the file other\.sql cannot be read/,
    ],
  ])('%s', async (_, target, message) => {
    expect(await mistakes(target)).toMatch(message);
  });
});

describe('the digest', () => {
  test('is the same for the same files, wherever they are', async () => {
    expect((await read(good)).digest).toBe((await read(good)).digest);
  });

  test('changes with the file and with the matrix', async () => {
    const before = await read(good);
    const changedFile = await read({ ...good, flag: { name: 'FLAG_ROLE', value: '2' } });
    const changedMatrix = await read(good, { sql: `${matrix}REVOKE UPDATE ON orders FROM app_role;` });
    expect(new Set([before.digest, changedFile.digest, changedMatrix.digest]).size).toBe(3);
    expect(changedMatrix.matrix?.digest).not.toBe(before.matrix?.digest);
    expect(changedFile.matrix?.digest).toBe(before.matrix?.digest);
  });

  test('cannot be kept by moving text from one file to the other', async () => {
    const one = await read(`${JSON.stringify(good)} `, { sql: matrix });
    const other = await read(JSON.stringify(good), { sql: ` ${matrix}` });
    expect(one.digest).not.toBe(other.digest);
  });
});

describe('the files that are shipped', () => {
  const shipped = fileURLToPath(new URL('../../../targets', import.meta.url));
  const apps = readdirSync(shipped)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length));

  test('are at least two', () => {
    expect(apps.length).toBeGreaterThanOrEqual(2);
  });

  test.each(apps)('%s is valid', async (app) => {
    const target = await createTargetStore(shipped).read(app);
    expect(target.app).toBe(app);
    expect(target.matrix?.statements.length).toBeGreaterThan(0);
  });
});
