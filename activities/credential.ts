import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { targetDatabase } from './attached-database.ts';
import { guardAgainstDrift } from './drift.ts';
import { fail } from './fail.ts';
import { perform } from './perform.ts';
import { targetOf, type Services } from './services.ts';
import { wayBackDatabase } from './way-back-database.ts';

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

/**
 * Destroys the credential, and the role with it; what it owned goes to the owner [source]. The platform refuses while
 * an app has it attached, and other people's apps are not the runbook's to detach.
 */
export async function destroyCredential(
  services: Services,
  call: StepCall,
): Promise<StepResult<Evidence<'drop-credential'>>> {
  const target = await targetOf(services, call);
  const { heroku } = services;
  const { addon } = await wayBackDatabase(services, target);
  const name = target.role.credential;
  return perform({
    probe: async () => {
      const credential = await heroku.findCredential(addon.name, name);
      if (credential === undefined) return { is: 'done', evidence: { credential: name, addon: addon.name } };
      if (credential.state !== 'active')
        return { is: 'underway', what: `the credential ${name} is ${credential.state}` };
      return { is: 'absent', what: `${addon.name} still has the credential ${name}` };
    },
    act: async () => {
      const holders = (await heroku.listAddonAttachments(addon.id)).filter(
        (one) => one.namespace === `credential:${name}`,
      );
      if (holders.length > 0) {
        const held = holders.map((one) => `${one.app.name} (${one.name})`).join(', ');
        const commands = holders.map((one) => `\`heroku addons:detach ${one.name} -a ${one.app.name}\``).join(', ');
        throw fail(
          'CredentialHeldElsewhere',
          `The credential ${name} of ${addon.name} is still attached: ${held}; expected to no app. See that nobody needs it there, detach it ` +
            `with ${commands}, then try again.`,
        );
      }
      await heroku.destroyCredential(addon.name, name);
    },
  });
}
