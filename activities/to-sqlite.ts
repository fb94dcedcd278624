import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { isUnderAnotherName } from './attached-database.ts';
import type { Attachment } from './clients/heroku.ts';
import { perform } from './perform.ts';
import { pause } from './scope.ts';
import { released, targetOf, type Services } from './services.ts';
import { rollbackOf, wayBackDatabase } from './way-back-database.ts';

/**
 * Points the app's database variable to SQLite. While an attachment owns the variable it cannot be set [docs], and the
 * last attachment of an add-on cannot be detached [docs]: so the add-on keeps another one, its name is detached, and
 * then one change sets the variable and takes the flag off. The add-on stays the app's, and can be promoted again.
 */
export async function pointToSqlite(services: Services, call: StepCall): Promise<StepResult<Evidence<'to-sqlite'>>> {
  const target = await targetOf(services, call);
  const { app, database, flag } = target;
  const { sqliteUrl } = rollbackOf(target);
  const { heroku } = services;
  const { addon, variable } = await wayBackDatabase(services, target);
  const attachments = () => heroku.listAppAttachments(app);
  const isKept = (one: Attachment, of: { id: string }): boolean =>
    one.addon.id === of.id && isUnderAnotherName(one, database.attachment);

  /** Waits for the release of a change: the next change is not made on top of one that is still under way. */
  const settle = async (): Promise<void> => {
    while ((await heroku.listReleases(app, 1))[0]?.status === 'pending') await pause(500);
  };
  const keepAnother = async (of: { id: string; name: string }): Promise<void> => {
    if ((await attachments()).some((one) => isKept(one, of))) return;
    await heroku.attachAddon({ app, addon: of.name });
    await settle();
  };

  return perform({
    probe: async () => {
      const [vars, all] = await Promise.all([heroku.getConfigVars(app), attachments()]);
      if (vars[variable] !== sqliteUrl)
        return { is: 'absent', what: `${variable} of ${app} does not hold SQLite's URL` };
      if (vars[flag.name] !== undefined) return { is: 'absent', what: `${flag.name} of ${app} is set` };
      const kept = all.find((one) => isKept(one, addon));
      return released(services, app, { variable, addon: addon.name, attachment: kept?.name ?? '' });
    },
    act: async () => {
      const owning = (await attachments()).find((one) => one.name === database.attachment);
      if (owning !== undefined) {
        await keepAnother(owning.addon);
        await heroku.detachAddon(owning.id);
        await settle();
      }
      await heroku.setConfigVars(app, { [variable]: sqliteUrl, [flag.name]: null });
    },
  });
}
