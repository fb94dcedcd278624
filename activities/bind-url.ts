import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { attachedDatabase, type AttachedDatabase } from './attached-database.ts';
import { guardAgainstDrift } from './drift.ts';
import { fail } from './fail.ts';
import { perform, type Performance } from './perform.ts';
import { released, targetOf, type Services } from './services.ts';
import type { Target } from './target.ts';

type BindEvidence = Evidence<'bind-url'>;

/**
 * Binds the role's URL to its variable: by attaching the credential, so that the platform owns the variable and a
 * rotation updates it, or by copying the URL, which a rotation leaves stale.
 */
export async function bindUrl(services: Services, call: StepCall): Promise<StepResult<BindEvidence>> {
  const target = await targetOf(services, call);
  const database = await attachedDatabase(services, target);
  const binding =
    target.role.bindBy === 'attachment'
      ? byAttachment(services, target, database)
      : byConfigVar(services, target, database);
  return perform({ ...binding, guard: () => guardAgainstDrift(services, target, call) });
}

function byAttachment(
  services: Services,
  { app, role }: Target,
  { addon }: AttachedDatabase,
): Performance<BindEvidence> {
  const { heroku } = services;
  const variable = `${role.attachment}_URL`;
  return {
    probe: async () => {
      const [attachments, vars] = await Promise.all([heroku.listAppAttachments(app), heroku.getConfigVars(app)]);
      const found = attachments.find((one) => one.name === role.attachment);
      if (found === undefined) {
        if (vars[variable] === undefined) return { is: 'absent', what: `${app} has no attachment ${role.attachment}` };
        throw fail(
          'BindingForeign',
          `${variable} of ${app} was set by hand; expected the attachment ${role.attachment} to provide it. ` +
            `Unset it with \`heroku config:unset ${variable} -a ${app}\`, then try again.`,
        );
      }
      if (found.addon.id !== addon.id || found.namespace !== `credential:${role.credential}`) {
        throw fail(
          'BindingForeign',
          `The attachment ${role.attachment} of ${app} is ${found.addon.name} (${found.namespace ?? 'its default credential'}); expected ` +
            `${addon.name} (credential:${role.credential}). Detach it with \`heroku addons:detach ${role.attachment} -a ${app}\`, then try again.`,
        );
      }
      return released(services, app, { variable, by: 'attachment' });
    },
    act: async () => {
      await heroku.attachAddon({
        app,
        addon: addon.name,
        namespace: `credential:${role.credential}`,
        as: role.attachment,
      });
    },
  };
}

function byConfigVar(
  services: Services,
  { app, role }: Target,
  { addon }: AttachedDatabase,
): Performance<BindEvidence> {
  const { heroku } = services;
  const variable = `${role.attachment}_URL`;
  return {
    probe: async () => {
      const [vars, url] = await Promise.all([
        heroku.getConfigVars(app),
        heroku.readCredentialUrl(addon.name, role.credential),
      ]);
      if (url === '' || vars[variable] !== url)
        return { is: 'absent', what: `${variable} does not hold the URL of ${role.credential}` };
      return released(services, app, { variable, by: 'config-var' });
    },
    act: async () => {
      await heroku.setConfigVars(app, { [variable]: await heroku.readCredentialUrl(addon.name, role.credential) });
    },
  };
}
