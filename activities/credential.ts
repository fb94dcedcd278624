import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { targetDatabase } from './attached-database.ts';
import { guardAgainstDrift } from './drift.ts';
import { perform } from './perform.ts';
import { targetOf, type Services } from './services.ts';

/**
 * Creates the restricted role as a credential of the add-on: the owner cannot `CREATE ROLE … PASSWORD` there. The
 * request answers before the credential is active, so that is waited for.
 */
export async function createCredential(
  services: Services,
  call: StepCall,
): Promise<StepResult<Evidence<'credential'>>> {
  const target = await targetOf(services, call);
  const { addon } = await targetDatabase(services, target);
  const name = target.role.credential;
  return perform({
    guard: () => guardAgainstDrift(services, target, call),
    probe: async () => {
      const credential = await services.heroku.findCredential(addon.name, name);
      if (credential === undefined) return { is: 'absent', what: `${addon.name} has no credential ${name}` };
      if (credential.state !== 'active')
        return { is: 'underway', what: `the credential ${name} is ${credential.state}` };
      return { is: 'done', evidence: { credential: name, state: credential.state } };
    },
    act: () => services.heroku.createCredential(addon.name, name),
  });
}
