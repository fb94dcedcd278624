import { createHash } from 'node:crypto';
import { sql } from 'slonik';
import { z } from 'zod';
import { factsBoundBy, type Facts, type GateId, type Plan } from '../workflows/facts.ts';
import type { StepCall, StepResult } from '../workflows/steps.ts';
import { attachedDatabase } from './attached-database.ts';
import { canonicalJson } from './canonical-json.ts';
import { fail } from './fail.ts';
import { observe } from './perform.ts';
import { databaseRevision, slugRevisions } from './revisions.ts';
import { markOf, targetOf, type Services } from './services.ts';

const tableCounts = sql.type(z.object({ tables: z.number(), rows: z.number() }))`
  SELECT count(*)::int AS tables, coalesce(sum(n_live_tup), 0)::int AS rows FROM pg_stat_user_tables
`;
const serverVersion = sql.type(z.object({ version: z.string() }))`SELECT current_setting('server_version') AS version`;

/** Reads everything that a plan rests on, and works out the digest that approvers sign. Changes nothing. */
export async function surveyTarget(services: Services, call: StepCall): Promise<StepResult<Plan>> {
  const target = await targetOf(services, call);
  const { heroku, postgres } = services;
  const gate: GateId = call.gate ?? 'go';
  return observe(async () => {
    const database = await attachedDatabase(services, target);
    const [app, releases, vars, dynos, sharing, attachments, credential, chain] = await Promise.all([
      heroku.getApp(target.app),
      heroku.listReleases(target.app),
      heroku.getConfigVars(target.app),
      heroku.listDynos(target.app),
      heroku.listAddonAttachments(database.addon.id),
      heroku.listAppAttachments(target.app),
      heroku.findCredential(database.addon.name, target.role.credential),
      slugRevisions(services, target, markOf(call)),
    ]);
    const current = releases.find((release) => release.current);
    if (current?.slug == null) {
      throw fail(
        'PlatformAnswerUnexpected',
        `${target.app} has no current release with a slug; expected a deployed app. Deploy it, then start again.`,
      );
    }
    const slug = await heroku.getSlug(target.app, current.slug.id);
    const inDatabase = await postgres.connected(database.url, async (connection) => ({
      revision: await databaseRevision(connection, target),
      ...(await connection.one(tableCounts)),
      ...(await connection.one(serverVersion)),
    }));

    const facts: Facts = {
      app: target.app,
      targetDigest: target.digest,
      database: {
        attachment: database.attachment.name,
        addonId: database.addon.id,
        addon: database.addon.name,
        plan: database.addon.plan.name,
        sharedWith: [...new Set(sharing.map((one) => one.app.name))].filter((name) => name !== target.app).sort(),
      },
      release: { version: current.version, commit: slug.commit },
      releaseCommand: slug.process_types?.['release'] ?? null,
      migrations: { heads: [chain.head], current: inDatabase.revision, pending: chain.pending(inDatabase.revision) },
      matrixDigest: target.matrixDigest,
      role: {
        credential: target.role.credential,
        state: credential?.state ?? 'absent',
        bound:
          attachments.some((one) => one.name === target.role.attachment) || `${target.role.attachment}_URL` in vars,
        flag: vars[target.flag.name] === target.flag.value,
      },
      pullRequest: call.pullRequest ?? null,
    };
    return {
      facts,
      observations: {
        tables: inDatabase.tables,
        rows: inDatabase.rows,
        dynos: dynos.map((dyno) => `${dyno.name} ${dyno.state}`),
        serverVersion: inDatabase.version,
        maintenance: app.maintenance,
      },
      digest: createHash('sha256')
        .update(canonicalJson({ gate, facts: factsBoundBy(gate, facts) }))
        .digest('hex'),
    };
  });
}
