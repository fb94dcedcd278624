import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { fail } from './fail.ts';
import { observe } from './perform.ts';
import { currentScope, pause } from './scope.ts';
import { deployedSlug, webUrlOf, type Services } from './services.ts';
import type { HttpCheck, HttpSmoke, Target } from './target.ts';

/** Milliseconds for one answer. */
const requestTimeoutMs = 10_000;

/** Asks the app itself, path by path. An app that has just restarted may need a moment, so a check is patient. */
export async function runSmokeOverHttp(
  services: Services,
  call: StepCall,
  { app }: Target,
  smoke: HttpSmoke,
): Promise<StepResult<Evidence<'smoke'>>> {
  return observe(async () => {
    const [base, { commit }] = await Promise.all([webUrlOf(services, app), deployedSlug(services, app)]);
    const checks = [...smoke.checks, ...(call.asRole === true ? smoke.asRole : [])];
    const deadline = Date.now() + smoke.patienceSeconds * 1000;
    for (const check of checks) {
      let problem = await problemOf(base, check);
      while (problem !== null && Date.now() < deadline) {
        await pause(500);
        problem = await problemOf(base, check);
      }
      if (problem !== null) {
        throw fail('SmokeFailed', `GET ${check.path} of ${app} ${problem}. Mend it, then try again or abort.`);
      }
    }
    return { by: `${checks.length} HTTP checks`, link: base, commit, conclusion: 'success' };
  });
}

/** What is wrong with the answer to a check, or null. Only the fields that the check names are looked at. */
async function problemOf(base: string, { path, status, json }: HttpCheck): Promise<string | null> {
  try {
    const signal = AbortSignal.any([currentScope().signal, AbortSignal.timeout(requestTimeoutMs)]);
    const response = await fetch(new URL(path, base), { signal, redirect: 'manual' });
    if (response.status !== status) return `answered ${response.status}; expected ${status}`;
    if (json === undefined) return null;
    const answer = (await response.json()) as Record<string, unknown>;
    const wrong = Object.entries(json).find(([field, expected]) => answer[field] !== expected);
    return wrong === undefined
      ? null
      : `answered ${JSON.stringify(answer[wrong[0]])} as ${wrong[0]}; expected ${JSON.stringify(wrong[1])}`;
  } catch (error) {
    currentScope().signal.throwIfAborted();
    return `did not answer: ${error instanceof Error ? error.message : String(error)}`;
  }
}
