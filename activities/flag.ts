import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { guardAgainstDrift } from './drift.ts';
import { perform } from './perform.ts';
import { released, targetOf, type Services } from './services.ts';

/** Sets the flag that makes the app connect as the restricted role; done when its release serves. */
export async function setFlag(services: Services, call: StepCall): Promise<StepResult<Evidence<'flag'>>> {
  const target = await targetOf(services, call);
  const { app, flag } = target;
  const { heroku } = services;
  return perform({
    guard: () => guardAgainstDrift(services, target, call),
    probe: async () => {
      const vars = await heroku.getConfigVars(app);
      if (vars[flag.name] !== flag.value) return { is: 'absent', what: `${flag.name} is not ${flag.value}` };
      return released(services, app, { flag: flag.name });
    },
    act: () => heroku.setConfigVars(app, { [flag.name]: flag.value }),
  });
}

/** Takes the flag away, so that the app connects as the owner again; done when its release serves. */
export async function unsetFlag(services: Services, call: StepCall): Promise<StepResult<Evidence<'flag-off'>>> {
  const { app, flag } = await targetOf(services, call);
  const { heroku } = services;
  return perform({
    probe: async () => {
      if (flag.name in (await heroku.getConfigVars(app))) return { is: 'absent', what: `${flag.name} is set` };
      return released(services, app, { flag: flag.name });
    },
    act: () => heroku.setConfigVars(app, { [flag.name]: null }),
  });
}
