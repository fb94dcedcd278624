import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { fail } from './fail.ts';
import { askPatiently } from './http-checks.ts';
import { observe } from './perform.ts';
import { deployedSlug, webUrlOf, type Services } from './services.ts';
import type { HttpSmoke, Target } from './target.ts';

/** Asks the app itself, path by path. */
export async function runSmokeOverHttp(
  services: Services,
  call: StepCall,
  { app }: Target,
  smoke: HttpSmoke,
): Promise<StepResult<Evidence<'smoke'>>> {
  return observe(async () => {
    const [base, { commit }] = await Promise.all([webUrlOf(services, app), deployedSlug(services, app)]);
    const checks = [...smoke.checks, ...(call.asRole === true ? smoke.asRole : [])];
    const problem = await askPatiently(app, base, checks, smoke.patienceSeconds * 1000);
    if (problem !== null) throw fail('SmokeFailed', `${problem}. Mend it, then try again or abort.`);
    return { by: `${checks.length} HTTP checks`, link: base, commit, conclusion: 'success' };
  });
}
