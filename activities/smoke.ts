import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { targetOf, type Services } from './services.ts';
import { runSmokeCommand } from './smoke-command.ts';
import { runSmokeOnGithub } from './smoke-github.ts';
import { runSmokeOverHttp } from './smoke-http.ts';

/** Runs the smoke suite that the target names: in GitHub Actions, over HTTP, or as a command beside the worker. */
export async function runSmoke(services: Services, call: StepCall): Promise<StepResult<Evidence<'smoke'>>> {
  const target = await targetOf(services, call);
  const { smoke } = target;
  switch (smoke.kind) {
    case 'github':
      return runSmokeOnGithub(services, call, target, smoke);
    case 'http':
      return runSmokeOverHttp(services, call, target, smoke);
    case 'command':
      return runSmokeCommand(services, call, target, smoke);
  }
}
