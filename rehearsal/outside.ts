import { z } from 'zod';

const readiness = z.object({ dialect: z.string(), current_user: z.string().nullable() }).passthrough();

/** What the app itself says over HTTP, asked from outside. */
export interface OutsideView {
  readonly ok: boolean;
  readonly text: string;
}

/**
 * Asks the app which database it serves from and as whom: the one witness that is neither the runbook nor a stand-in.
 *
 * @param webUrl base URL of the app
 * @param readyPath its readiness endpoint
 * @param expectedUser the role as which it must be connected
 */
export async function lookFromOutside(webUrl: string, readyPath: string, expectedUser: string): Promise<OutsideView> {
  const url = `${webUrl}${readyPath}`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    const answer = readiness.parse(await response.json());
    const ok = response.ok && answer.dialect === 'postgresql' && answer.current_user === expectedUser;
    return { ok, text: `GET ${url} answers ${response.status}: ${answer.dialect} as ${answer.current_user ?? 'nobody'}` };
  } catch (error) {
    return { ok: false, text: `GET ${url} failed: ${error instanceof Error ? error.message : String(error)}` };
  }
}
