import { createHash } from 'node:crypto';
import { sql } from 'slonik';
import { z } from 'zod';
import { factsBoundBy, type Facts, type GateId, type Plan } from '../workflows/facts.ts';
import type { StepCall, StepResult } from '../workflows/steps.ts';
import { targetDatabase } from './attached-database.ts';
import { canonicalJson } from './canonical-json.ts';
import { grantMatrix } from './matrix.ts';
import { observe } from './perform.ts';
import { databaseRevision, slugReport } from './revisions.ts';
import { connectionHeadroom } from './sessions.ts';
import { deployedSlug, markOf, targetOf, type Services } from './services.ts';

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
    const database = await targetDatabase(services, target);
    const [app, slug, matrix, vars, dynos, sharing, attachments, credential, report] = await Promise.all([
      heroku.getApp(target.app),
      deployedSlug(services, target.app),
      grantMatrix(services, target),
      heroku.getConfigVars(target.app),
      heroku.listDynos(target.app),
      heroku.listAddonAttachments(database.addon.id),
      heroku.listAppAttachments(target.app),
      heroku.findCredential(database.addon.name, target.role.credential),
      slugReport(services, target, markOf(call)),
    ]);
    const inDatabase = await postgres.connected(database.url, async (connection) => ({
      revision: await databaseRevision(connection, target),
      ...(await connection.one(tableCounts)),
      ...(await connection.one(serverVersion)),
      connections: await connectionHeadroom(connection),
    }));

    const pending = report.chain.pending(inDatabase.revision);
    const facts: Facts = {
      app: target.app,
      targetDigest: target.digest,
      database: {
        attachment: target.database.attachment,
        addonId: database.addon.id,
        addon: database.addon.name,
        plan: database.addon.plan.name,
        promote: database.problem?.seen ?? null,
        sharedWith: [...new Set(sharing.map((one) => one.app.name))].filter((name) => name !== target.app).sort(),
      },
      release: { version: slug.version, commit: slug.commit },
      releaseCommand: slug.processes['release'] ?? null,
      migrations: {
        heads: [report.chain.head],
        current: inDatabase.revision,
        pending,
        namingRole: pending.filter((revision) => report.namingRole.includes(revision)),
      },
      matrixDigest: matrix.digest,
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
        connections: inDatabase.connections,
      },
      digest: createHash('sha256')
        .update(canonicalJson({ gate, facts: factsBoundBy(gate, facts) }))
        .digest('hex'),
    };
  });
}
