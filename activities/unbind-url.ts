import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { fail } from './fail.ts';
import { perform } from './perform.ts';
import { released, targetOf, type Services } from './services.ts';
import { wayBackDatabase } from './way-back-database.ts';

/**
 * Takes the role's URL away from the app, however it came there: by an attachment of the credential under whatever
 * name, or by a variable that was set by hand.
 */
export async function unbindUrl(services: Services, call: StepCall): Promise<StepResult<Evidence<'unbind-url'>>> {
  const target = await targetOf(services, call);
  const { app, role } = target;
  const { heroku } = services;
  const { addon } = await wayBackDatabase(services, target);
  const variable = `${role.attachment}_URL`;
  const bound = async () => {
    const all = await heroku.listAppAttachments(app);
    const ofRole = all.filter((one) => one.addon.id === addon.id && one.namespace === `credential:${role.credential}`);
    const foreign = all.find((one) => one.name === role.attachment && !ofRole.includes(one));
    if (foreign !== undefined) {
      throw fail(
        'BindingForeign',
        `The attachment ${role.attachment} of ${app} is ${foreign.addon.name} (${foreign.namespace ?? 'its default credential'}); expected ` +
          `${addon.name} (credential:${role.credential}). It is not the cutover's: detach it with \`heroku addons:detach ${role.attachment} -a ${app}\`, then try again.`,
      );
    }
    return ofRole;
  };
  return perform({
    probe: async () => {
      const names = (await bound()).map((one) => one.name);
      if (names.length > 0) return { is: 'absent', what: `${names.join(', ')} of ${app} are attached` };
      if (variable in (await heroku.getConfigVars(app))) return { is: 'absent', what: `${variable} of ${app} is set` };
      return released(services, app, { variable });
    },
    act: async () => {
      for (const { id } of await bound()) await heroku.detachAddon(id);
      // An attachment took its variable with it; one that was set by hand stays.
      if (variable in (await heroku.getConfigVars(app))) await heroku.setConfigVars(app, { [variable]: null });
    },
  });
}
