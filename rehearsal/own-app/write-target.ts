import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createPostgresClient } from '../../activities/clients/postgres.ts';
import { readShape, type SchemaShape } from '../../activities/schema-shape.ts';
import { newPassword } from '../heroku/credentials.ts';
import { createDatabase } from '../heroku/roles.ts';
import type { RehearsalPostgres } from '../postgres.ts';
import { runTool } from '../run-tool.ts';
import { composeSlug } from '../slugs.ts';
import type { OwnApp } from './read.ts';

const upgradeLimitMs = 10 * 60_000;

export interface WriteOptions {
  readonly postgres: RehearsalPostgres;
  readonly pythonBin: string;
  /** Takes the target file. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * Writes the whole target file of the user's app for the worker. What it does not say of the schema is seen by upgrading
 * an empty database of its own, beside the one that the cutover is about.
 *
 * @returns what was found that way, a line for each
 * @throws with a sentence for people when the app's own upgrade fails there
 */
export async function writeOwnTarget(own: OwnApp, { folder, ...where }: WriteOptions): Promise<string[]> {
  const { app, target } = own;
  const schema = { ...(target['schema'] as Record<string, unknown>) };
  const migrations = { ...target.migrations };
  const found: string[] = [];
  await mkdir(folder, { recursive: true });
  if (
    (schema['tables'] === undefined && schema['fingerprint'] === undefined) ||
    migrations['versionTable'] === undefined
  ) {
    const shape = await shapeAfterUpgrade(own, path.join(folder, 'upgraded'), where);
    if (migrations['versionTable'] === undefined) {
      migrations['versionTable'] = versionTable(own, shape);
      found.push(`migrations.versionTable: ${JSON.stringify(migrations['versionTable'])}`);
    }
    if (schema['tables'] === undefined && schema['fingerprint'] === undefined) {
      schema['fingerprint'] = path.join(folder, 'seen.fingerprint');
      await writeFile(path.join(folder, 'seen.fingerprint'), JSON.stringify(shape));
      found.push(`schema.fingerprint: ${shape.tables.length} tables; --fingerprint FILE writes it for you to keep`);
    }
  }
  const whole = { ...target, migrations, schema };
  await writeFile(path.join(folder, `${app.herokuApp}.json`), JSON.stringify(whole, null, 2));
  return found;
}

async function shapeAfterUpgrade(
  { app, target, options, database }: OwnApp,
  into: string,
  { postgres, pythonBin, signal }: Omit<WriteOptions, 'folder'>,
): Promise<SchemaShape> {
  const owner = { user: `u${randomBytes(7).toString('hex')}`, password: newPassword() };
  const name = `d${randomBytes(7).toString('hex')}`;
  await createDatabase(postgres, name, owner);
  const url = `postgres://${owner.user}:${owner.password}@${postgres.host}:${postgres.port}/${name}`;
  const { dir } = await composeSlug({ app: app.source, into });
  const upgrade = String(target.migrations['upgrade']);
  const { code, output } = await runTool('/bin/sh', ['-c', upgrade], {
    cwd: dir,
    limitMs: upgradeLimitMs,
    signal,
    env: {
      HOME: dir,
      LANG: 'C.UTF-8',
      PATH: `${pythonBin}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
      ...options.configVars,
      [`${database.attachment}_URL`]: url,
    },
  });
  if (code !== 0) {
    const last = output.replaceAll(owner.password, '***').trim().split('\n').slice(-8);
    throw new Error(
      `\`${upgrade}\` failed on an empty PostgreSQL, so there is nothing to rehearse yet (--vars FILE gives the app config ` +
        `vars that it cannot do without):\n${last.map((line) => `  ${line}`).join('\n')}`,
    );
  }
  return createPostgresClient({}).connected(url, (connection) => readShape(connection, database.schema));
}

/** Alembic's table has one column, of this name. */
function versionTable({ database: { schema } }: OwnApp, { tables, columns }: SchemaShape): string {
  const found = tables.filter((table) => {
    const names = columns.filter((one) => one.table === table).map(({ column }) => column);
    return names.length === 1 && names[0] === 'version_num';
  });
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new Error(
    `After the upgrade, ${found.length} tables of the schema ${schema} look like Alembic's own. Say in the target file ` +
      'which it is: migrations.versionTable, and migrations.schema or migrations.versionTableSchema.',
  );
}
