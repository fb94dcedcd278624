import { z } from 'zod';
import type { DeployedApp, RehearsedApp } from './apps.ts';
import type { Platform } from './platform.ts';

/** From what an app can be expected to serve: PostgreSQL as the restricted role or as the owner, or SQLite. */
export type Serving = 'role' | 'owner' | 'sqlite';

/** What the app itself says over HTTP, asked from outside. */
export interface OutsideView {
  /** True where it serves from what was expected. */
  readonly ok: boolean;
  readonly text: string;
}

/**
 * Asks the app which database it serves from and as whom: the one witness that is neither the runbook nor a stand-in.
 *
 * @param webUrl base URL of the app
 * @param expected null where it need not serve from anything in particular: then an answer is enough
 */
export async function lookFromOutside(
  webUrl: string,
  { ready, role }: RehearsedApp,
  expected: Serving | null = 'role',
): Promise<OutsideView> {
  const url = `${webUrl}${ready.path}`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    const answer = z.record(z.unknown()).parse(await response.json());
    const dialect = String(answer[ready.dialect]);
    const user = String(answer[ready.user]);
    const serving = dialect === 'postgresql' ? (user === role ? 'role' : 'owner') : dialect;
    return {
      ok: expected === null || (response.ok && serving === expected),
      text: `GET ${url} answers ${response.status}: ${dialect} as ${user}`,
    };
  } catch (error) {
    return { ok: false, text: `GET ${url} failed: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/**
 * For an app that does not tell by itself: whether it answers, and as whom it is connected by what PostgreSQL says.
 */
export async function lookAtSessions({ heroku, postgres }: Platform, app: DeployedApp): Promise<OutsideView> {
  const url = heroku.webUrl(app.herokuApp);
  const status = await fetch(url, { signal: AbortSignal.timeout(10_000) }).then(
    (response) => response.status,
    () => 0,
  );
  const client = await postgres.connect('postgres');
  try {
    const { rows } = await client.query<{ who: string; sessions: number }>(
      `SELECT usename AS who, count(*)::int AS sessions FROM pg_stat_activity
       WHERE datname IN (SELECT datname FROM pg_stat_activity WHERE usename = $1) GROUP BY 1 ORDER BY 1`,
      [app.role],
    );
    const answers = status > 0 && status < 500;
    const list = rows.map(({ who, sessions }) => `${sessions} as ${who}`).join(', ');
    return {
      ok: answers && rows.length === 1 && rows[0]?.who === app.role,
      text: `GET ${url} ${answers ? 'answers' : 'fails:'} ${status}; sessions in PostgreSQL: ${list || `none as ${app.role}`}`,
    };
  } finally {
    await client.end();
  }
}
