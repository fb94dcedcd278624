import { currentScope, lookUntil, within } from './scope.ts';
import type { HttpCheck } from './target.ts';

/** Milliseconds for one answer. */
const requestTimeoutMs = 10_000;

/**
 * Asks an app path by path, patiently, for one that has just restarted may need a moment.
 *
 * @param app its name, for the words
 * @param base where it answers
 * @param patienceMs milliseconds in which all of them must be right
 * @returns the first check that stayed wrong, in words, or null
 */
export async function askPatiently(
  app: string,
  base: string,
  checks: readonly HttpCheck[],
  patienceMs: number,
): Promise<string | null> {
  const deadline = Date.now() + patienceMs;
  for (const check of checks) {
    const look = (): Promise<string | null> => problemOf(app, base, check);
    const problem = await lookUntil(look, (seen) => seen === null, deadline - Date.now());
    if (problem !== null) return problem;
  }
  return null;
}

/** What is wrong with the answer to a check, or null. Only the fields that the check names are looked at. */
export async function problemOf(app: string, base: string, { path, status, json }: HttpCheck): Promise<string | null> {
  const asked = `GET ${path} of ${app}`;
  try {
    const response = await ask(base, path);
    if (response.status !== status) return `${asked} answered ${response.status}; expected ${status}`;
    if (json === undefined) return null;
    const answer = JSON.parse(response.text) as Record<string, unknown>;
    const wrong = Object.entries(json).find(([field, expected]) => answer[field] !== expected);
    return wrong === undefined
      ? null
      : `${asked} answered ${JSON.stringify(answer[wrong[0]])} as ${wrong[0]}; expected ${JSON.stringify(wrong[1])}`;
  } catch (error) {
    currentScope().signal.throwIfAborted();
    return `${asked} did not answer: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Whether the app itself answers, whatever it says: the router's own pages are 502 to 504 [docs]. */
export async function webAnswers(base: string): Promise<boolean> {
  try {
    return ![502, 503, 504].includes((await ask(base, '/')).status);
  } catch {
    currentScope().signal.throwIfAborted();
    return false;
  }
}

/**
 * How many requests fail: no answer, or a status of 500 and above. One after the other, since they are to find errors and
 * not to make them.
 */
export async function serverErrors(base: string, path: string, requests: number): Promise<number> {
  let errors = 0;
  for (let count = 0; count < requests; count += 1) {
    try {
      if ((await ask(base, path)).status >= 500) errors += 1;
    } catch {
      currentScope().signal.throwIfAborted();
      errors += 1;
    }
  }
  return errors;
}

function ask(base: string, path: string): Promise<{ status: number; text: string }> {
  return within(requestTimeoutMs, async (signal) => {
    const response = await fetch(new URL(path, base), { signal, redirect: 'manual' });
    return { status: response.status, text: await response.text() };
  });
}
