import pg from 'pg';
import type { Stage } from './stage.ts';

/** What is left of a URL whose password was replaced. */
export interface Outdated {
  readonly login: 'refused' | 'accepted';
  /** Sessions of its user that began before the platform was asked for another password. */
  readonly sessions: number;
}

/** SQLSTATE: the user may not log in so. */
const refusesLogin = /^28/;

/** Tries each URL that is to let nobody in any more. */
export async function whatOpens({ platform, outdated }: Stage): Promise<Outdated[]> {
  const asked = platform.heroku.requests.find(({ path }) => path.endsWith('/credentials_rotation'))?.at ?? Date.now();
  return Promise.all(
    outdated.map(async (url) => ({
      login: (await opens(url)) ? ('accepted' as const) : ('refused' as const),
      sessions: await sessionsOf(platform, new URL(url).username, asked),
    })),
  );
}

/** @throws what the server says that is no refusal of the password */
async function opens(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, ssl: { rejectUnauthorized: false } });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    if (refusesLogin.test(String((error as { code?: unknown }).code))) return false;
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** @param before milliseconds since 1970 */
async function sessionsOf({ postgres }: Stage['platform'], user: string, before: number): Promise<number> {
  const server = await postgres.connect('postgres');
  try {
    const { rows } = await server.query<{ sessions: number }>(
      `SELECT count(*)::int AS sessions FROM pg_stat_activity
       WHERE usename = $1 AND backend_start < to_timestamp($2::float8 / 1000)`,
      [user, before],
    );
    return rows[0]?.sessions ?? 0;
  } finally {
    await server.end();
  }
}
