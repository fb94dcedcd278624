import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { serverErrors } from './http-checks.ts';
import { observe } from './perform.ts';
import { targetOf, webUrlOf, type Services } from './services.ts';
import type { HttpCheck, Target } from './target.ts';
import { takeSample } from './watch.ts';

/**
 * One sample of a soak: what a sample of the watch looks at, the checks of the suite where the worker can ask them itself,
 * and how many requests to the health endpoint fail.
 */
export async function sampleSoak(services: Services, call: StepCall): Promise<StepResult<Evidence<'soak-sample'>>> {
  const target = await targetOf(services, call);
  return observe(async () => {
    const [sample, counted] = await Promise.all([
      takeSample(services, target, call, checksOf(target)),
      countErrors(services, target),
    ]);
    const { requests, errors } = counted;
    const { health } = target.soak;
    const isTooMany = health !== undefined && errors / requests > health.maxErrorRate;
    const problems = [
      ...sample.problems,
      ...(isTooMany
        ? [
            `${errors} of ${requests} requests to ${health.path} failed; expected ${health.maxErrorRate * 100} % at most`,
          ]
        : []),
    ];
    return { ...sample, healthy: problems.length === 0, problems, requests, errors };
  });
}

function checksOf({ watch, soak, smoke }: Target): readonly HttpCheck[] {
  const ofTheSuite = smoke.kind === 'http' ? [...smoke.checks, ...smoke.asRole] : [];
  return [...watch.checks, ...soak.checks, ...ofTheSuite];
}

async function countErrors(
  services: Services,
  { app, soak: { health } }: Target,
): Promise<{ requests: number; errors: number }> {
  if (health === undefined) return { requests: 0, errors: 0 };
  const base = await webUrlOf(services, app);
  return { requests: health.requests, errors: await serverErrors(base, health.path, health.requests) };
}
