import pg from 'pg';
import type { RehearsedApp } from '../../rehearsal/apps.ts';
import type { Rig } from './cutover-rig.ts';

/** The app's config vars, read as the official client reads them. */
export async function configVars({ platform }: Rig, app: RehearsedApp): Promise<Record<string, string>> {
  const response = await fetch(`${platform.heroku.url}/apps/${app.herokuApp}/config-vars`, {
    headers: { accept: 'application/vnd.heroku+json; version=3', authorization: `Bearer ${platform.heroku.token}` },
  });
  return (await response.json()) as Record<string, string>;
}

/** Changes config vars as a person with the official client would. */
export async function setConfigVars(
  { platform }: Rig,
  app: RehearsedApp,
  change: Record<string, string | null>,
): Promise<void> {
  const response = await fetch(`${platform.heroku.url}/apps/${app.herokuApp}/config-vars`, {
    method: 'PATCH',
    headers: {
      accept: 'application/vnd.heroku+json; version=3',
      'content-type': 'application/json',
      authorization: `Bearer ${platform.heroku.token}`,
    },
    body: JSON.stringify(change),
  });
  if (!response.ok) throw new Error(`config vars were not set: ${response.status} ${await response.text()}`);
}

/** Connects with the URL that a config var of the app holds. */
export async function connectAs<T>(
  rig: Rig,
  app: RehearsedApp,
  variable: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const url = (await configVars(rig, app))[variable];
  if (url === undefined) throw new Error(`${app.herokuApp} has no ${variable}`);
  const client = new pg.Client({ connectionString: url, ssl: { rejectUnauthorized: false } });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Whether a URL opens a session. */
export async function opens(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, ssl: { rejectUnauthorized: false } });
  client.on('error', () => undefined);
  return client.connect().then(
    () => client.end().then(() => true),
    () => false,
  );
}
