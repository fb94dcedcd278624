import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { perform } from './perform.ts';
import { newestRelease, targetOf, type Services } from './services.ts';

/** Sets the flag that makes the app connect as the restricted role; done when its release serves. */
export async function setFlag(services: Services, call: StepCall): Promise<StepResult<Evidence<'flag'>>> {
  const { app, flag } = await targetOf(services, call);
  const { heroku } = services;
  return perform({
    probe: async () => {
      const vars = await heroku.getConfigVars(app);
      if (vars[flag.name] !== flag.value) return { is: 'absent', what: `${flag.name} is not ${flag.value}` };
      const { release, serving } = await newestRelease(services, app);
      return serving
        ? { is: 'done', evidence: { flag: flag.name, release: release.version } }
        : { is: 'underway', what: `release v${release.version} is ${release.status}` };
    },
    act: () => heroku.setConfigVars(app, { [flag.name]: flag.value }),
  });
}
