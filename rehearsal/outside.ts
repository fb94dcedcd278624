import { z } from 'zod';
import type { RehearsedApp } from './apps.ts';

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
