import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { classify } from './classify.ts';
import { keptNumbers } from './fence-numbers.ts';
import { observe } from './perform.ts';
import { databaseRevision } from './revisions.ts';
import { sealIn } from './seal.ts';
import { deployedSlug, targetOf, type Services } from './services.ts';
import type { Target } from './target.ts';
import { wayBackDatabase, type WayBackDatabase } from './way-back-database.ts';

type WayBack = Evidence<'survey-way-back'>;

/**
 * Reads what is in place, whoever put it there: a way back needs nothing of the run that went forward. PostgreSQL may be
 * down, which is told and does not stop it.
 */
export async function surveyWayBack(services: Services, call: StepCall): Promise<StepResult<WayBack>> {
  const target = await targetOf(services, call);
  const { heroku } = services;
  return observe(async () => {
    const database = await wayBackDatabase(services, target);
    const { addon, attachments, variable, value } = database;
    const [app, vars, formation, credential, slug, releases, inDatabase] = await Promise.all([
      heroku.getApp(target.app),
      heroku.getConfigVars(target.app),
      heroku.listFormation(target.app),
      heroku.findCredential(addon.name, target.role.credential),
      deployedSlug(services, target.app),
      heroku.listReleases(target.app, 1),
      askDatabase(services, target, database),
    ]);
    // What is kept while maintenance is off was left behind by a fence that is lifted.
    const kept = app.maintenance ? (inDatabase?.kept ?? []) : [];
    return {
      addon: addon.name,
      plan: addon.plan.name,
      variable: { name: variable, is: kindOf(value) },
      attachments: attachments.map(({ name, namespace }) => ({ name, namespace })),
      credential: credential?.state ?? 'absent',
      flag: target.flag.name in vars,
      maintenance: app.maintenance,
      fenced: kept.length > 0,
      formation: formation.map(({ type, quantity }) => ({
        type,
        quantity: kept.find((one) => one.type === type)?.quantity ?? quantity,
      })),
      release: releases[0]?.version ?? slug.version,
      releaseCommand: slug.processes['release'] ?? null,
      databaseReachable: inDatabase !== null,
      sealed: inDatabase?.sealed ?? null,
      revision: inDatabase?.revision ?? null,
    };
  });
}

async function askDatabase({ postgres }: Services, target: Target, { url, addon }: WayBackDatabase) {
  try {
    return await postgres.connected(url, async (connection) => ({
      kept: await keptNumbers(connection),
      sealed: (await sealIn(connection))?.addon_id === addon.id,
      revision: await databaseRevision(connection, target),
    }));
  } catch (error) {
    if (classify(error).type === 'DatabaseUnreachable') return null;
    throw error;
  }
}

function kindOf(value: string): WayBack['variable']['is'] {
  if (value === '') return 'empty';
  if (value.startsWith('sqlite')) return 'sqlite';
  return /^postgres(ql)?:/.test(value) ? 'postgresql' : 'other';
}
