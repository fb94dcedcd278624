import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { isUnderAnotherName, targetDatabase } from './attached-database.ts';
import type { Attachment } from './clients/heroku.ts';
import { attachmentLine, guardAgainstDrift } from './drift.ts';
import { perform } from './perform.ts';
import { released, targetOf, type Services } from './services.ts';

/** The namespace of an attachment that goes through the add-on's connection pooler [docs]. */
const pooler = 'connection-pooling:default';

/**
 * Makes the target's add-on the app's database, as `heroku pg:promote` does: the old add-on keeps an attachment of
 * another name, so that there is a way back; the new one takes the name; and the pooler's attachment moves along
 * [source: official CLI 11.10.0].
 */
export async function promoteDatabase(services: Services, call: StepCall): Promise<StepResult<Evidence<'promote'>>> {
  const target = await targetOf(services, call);
  const { heroku } = services;
  const { app, database } = target;
  const name = database.attachment;
  const poolName = `${name}_CONNECTION_POOL`;
  const { addon } = await targetDatabase(services, target);
  const attached = async (as: string) => (await heroku.listAppAttachments(app)).find((one) => one.name === as);
  const isOurs = (found: { addon: { id: string }; namespace: string | null } | undefined): boolean =>
    found?.addon.id === addon.id && found.namespace === null;
  // Where an earlier attempt was interrupted, the release that it made tells which add-on had the name: in these words
  // the official client looks for it too [source: official CLI 11.10.0].
  const replacedEarlier = async (): Promise<string | null> => {
    const words = new RegExp(`^Detach ${name} \\(@ref:([^)]+)\\)`);
    const names = (await heroku.listReleases(app)).map((release) => words.exec(release.description ?? '')?.[1]);
    return names.find((one) => one !== undefined && one !== addon.name) ?? null;
  };
  const before = await attached(name);
  const previous = before?.addon.id === addon.id ? await replacedEarlier() : (before?.addon.name ?? null);

  const isKept = (one: Attachment): boolean => one.addon.name === previous && isUnderAnotherName(one, name);

  const keepAnotherAttachment = async (): Promise<void> => {
    const old = await attached(name);
    if (old === undefined || old.addon.id === addon.id) return;
    const kept = (await heroku.listAppAttachments(app)).some(
      (one) => one.addon.id === old.addon.id && isUnderAnotherName(one, name),
    );
    if (!kept) await heroku.attachAddon({ app, addon: old.addon.name });
  };
  const clearHandSet = async (): Promise<void> => {
    if ((await attached(name)) !== undefined) return;
    // Whether a name can be attached over a variable that was set by hand is not known: so it never is [assumed].
    const variable = `${name}_URL`;
    if (variable in (await heroku.getConfigVars(app))) await heroku.setConfigVars(app, { [variable]: null });
  };

  return perform({
    // What keeps the old add-on may be there from an attempt that was interrupted behind it.
    guard: () => guardAgainstDrift(services, target, call, isKept),
    probe: async () => {
      const found = await attached(name);
      if (!isOurs(found)) return { is: 'absent', what: `${name} of ${app} is ${found?.addon.name ?? 'not attached'}` };
      const pool = await attached(poolName);
      if (pool !== undefined && pool.addon.id !== addon.id) {
        return { is: 'absent', what: `${poolName} of ${app} is still ${pool.addon.name}` };
      }
      const kept = (await heroku.listAppAttachments(app)).filter(isKept);
      return released(services, app, {
        attachment: name,
        addon: addon.name,
        previous,
        kept: kept.map(attachmentLine),
      });
    },
    act: async () => {
      await keepAnotherAttachment();
      await clearHandSet();
      if (!isOurs(await attached(name))) {
        await heroku.attachAddon({ app, addon: addon.name, as: name, confirm: app });
      }
      const pool = await attached(poolName);
      if (pool !== undefined && pool.addon.id !== addon.id) {
        await heroku.attachAddon({ app, addon: addon.name, as: poolName, namespace: pooler, confirm: app });
      }
    },
  });
}
