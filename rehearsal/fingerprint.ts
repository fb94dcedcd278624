import { writeFile } from 'node:fs/promises';
import { createPostgresClient } from '../activities/clients/postgres.ts';
import { readShape } from '../activities/schema-shape.ts';
import type { DeployedApp } from './apps.ts';
import type { Platform } from './platform.ts';

/**
 * Writes down the schema that the rehearsed slug made: what production is to look like after the upgrade. A target file
 * names the file as `schema.fingerprint`.
 *
 * @param where the attachment of the app's database, and the schema of its tables
 */
export async function writeFingerprint(
  { heroku }: Platform,
  app: DeployedApp,
  file: string,
  { attachment, schema } = { attachment: 'DATABASE', schema: 'public' },
): Promise<void> {
  const response = await fetch(`${heroku.url}/apps/${app.herokuApp}/config-vars`, {
    headers: { accept: 'application/vnd.heroku+json; version=3', authorization: `Bearer ${heroku.token}` },
  });
  const url = ((await response.json()) as Record<string, string>)[`${attachment}_URL`] ?? '';
  const shape = await createPostgresClient({}).connected(url, (connection) => readShape(connection, schema));
  await writeFile(file, `${JSON.stringify(shape, null, 2)}\n`);
}
