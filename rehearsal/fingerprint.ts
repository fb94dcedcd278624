import { writeFile } from 'node:fs/promises';
import { createPostgresClient } from '../activities/clients/postgres.ts';
import { readShape } from '../activities/schema-shape.ts';
import type { RehearsedApp } from './apps.ts';
import type { Platform } from './platform.ts';

/**
 * Writes down the schema that the rehearsed slug made: what production is to look like after the upgrade. A target file
 * names the file as `schema.fingerprint`.
 *
 * @param schema the schema of the app's tables
 */
export async function writeFingerprint(
  { heroku }: Platform,
  app: RehearsedApp,
  file: string,
  schema = 'public',
): Promise<void> {
  const response = await fetch(`${heroku.url}/apps/${app.herokuApp}/config-vars`, {
    headers: { accept: 'application/vnd.heroku+json; version=3', authorization: `Bearer ${heroku.token}` },
  });
  const { DATABASE_URL: url = '' } = (await response.json()) as Record<string, string>;
  const shape = await createPostgresClient({}).connected(url, (connection) => readShape(connection, schema));
  await writeFile(file, `${JSON.stringify(shape, null, 2)}\n`);
}
