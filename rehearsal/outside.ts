import { z } from 'zod';
import type { RehearsedApp } from './apps.ts';

/** What the app itself says over HTTP, asked from outside. */
export interface OutsideView {
  /** True where it serves from PostgreSQL as the restricted role. */
  readonly ok: boolean;
  readonly text: string;
}

/**
 * Asks the app which database it serves from and as whom: the one witness that is neither the runbook nor a stand-in.
 *
 * @param webUrl base URL of the app
 */
export async function lookFromOutside(webUrl: string, { ready, role }: RehearsedApp): Promise<OutsideView> {
  const url = `${webUrl}${ready.path}`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    const answer = z.record(z.unknown()).parse(await response.json());
    const dialect = String(answer[ready.dialect]);
    const user = String(answer[ready.user]);
    return {
      ok: response.ok && dialect === 'postgresql' && user === role,
      text: `GET ${url} answers ${response.status}: ${dialect} as ${user}`,
    };
  } catch (error) {
    return { ok: false, text: `GET ${url} failed: ${error instanceof Error ? error.message : String(error)}` };
  }
}
