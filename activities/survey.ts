import { sql } from 'slonik';
import { z } from 'zod';
import { factsBoundBy, type Facts, type Plan, type PlanGate } from '../workflows/facts.ts';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { targetDatabase } from './attached-database.ts';
import { canonicalDigest } from './canonical-json.ts';
import { configFacts } from './drift.ts';
import { fail } from './fail.ts';
import { grantMatrix } from './matrix.ts';
import { observe } from './perform.ts';
import { previewOf } from './preview.ts';
import { releaseCommandBlocksKillSwitch } from './release-command.ts';
import { stagingSoakOf } from './staging-certificate.ts';
import { databaseRevision, slugReport } from './revisions.ts';
import { connectionHeadroom } from './sessions.ts';
import { deployedSlug, markOf, targetOf, type Services } from './services.ts';
import type { Target } from './target.ts';

const tableCounts = sql.type(z.object({ tables: z.number(), rows: z.number() }))`
  SELECT count(*)::int AS tables, coalesce(sum(n_live_tup), 0)::int AS rows FROM pg_stat_user_tables
`;
const serverVersion = sql.type(z.object({ version: z.string() }))`SELECT current_setting('server_version') AS version`;

/** Reads everything that a plan rests on, and works out the digest that approvers sign. Changes nothing. */
export async function surveyTarget(services: Services, call: StepCall): Promise<StepResult<Plan>> {
  const target = await targetOf(services, call);
  return observe(() => readPlan(services, target, call));
}

/**
 * Reads it all again once the plan is approved: people may have taken hours, and the approval is of what they saw.
 *
 * @throws ApplicationFailure `FactsChanged`
 */
export async function confirmPlan(services: Services, call: StepCall): Promise<StepResult<Evidence<'confirm'>>> {
  const target = await targetOf(services, call);
  return observe(async () => {
    const { digest } = await readPlan(services, target, call);
    return approved(call, digest);
  });
}

/**
 * What a look behind a gate has found: the plan that was approved.
 *
 * @param digest of the plan as it is now
 * @throws ApplicationFailure `FactsChanged` where it is another one
 */
export function approved(call: StepCall, digest: string): { digest: string } {
  if (digest === call.approved) return { digest };
  throw fail(
    'FactsChanged',
    `what was approved is the plan ${call.approved?.slice(0, 12)}, and ${call.app} is now as in the plan ${digest.slice(0, 12)}`,
  );
}

async function readPlan(services: Services, target: Target, call: StepCall): Promise<Plan> {
  const { heroku, postgres } = services;
  const gate: PlanGate = call.gate ?? 'go';
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
    release: { version: slug.version, slug: slug.id, commit: slug.commit },
    releaseCommand: slug.processes['release'] ?? null,
    killSwitchBlocked:
      target.rollback === undefined
        ? 'the target file has no block rollback'
        : releaseCommandBlocksKillSwitch(target, slug.processes['release'] ?? null),
    config: configFacts(target, vars, attachments),
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
      bound: attachments.some((one) => one.name === target.role.attachment) || `${target.role.attachment}_URL` in vars,
      flag: vars[target.flag.name] === target.flag.value,
    },
    pullRequest: call.pullRequest ?? null,
  };
  const surveyed = { database, vars, attachments, credential, matrix, migrations: facts.migrations };
  const preview = call.preview === true ? await previewOf(services, target, call, surveyed) : undefined;
  const stagingSoak = gate === 'go' ? await stagingSoakOf(services, target, facts) : undefined;
  if (stagingSoak !== undefined) facts.stagingSoak = stagingSoak;
  return {
    facts,
    observations: {
      tables: inDatabase.tables,
      rows: inDatabase.rows,
      dynos: dynos.map((dyno) => `${dyno.name} ${dyno.state}`),
      serverVersion: inDatabase.version,
      maintenance: app.maintenance,
      connections: inDatabase.connections,
      killSwitch: target.rollback?.rehearsed ?? null,
    },
    digest: canonicalDigest({ gate, policy: target.approvals, facts: factsBoundBy(gate, facts) }),
    ...(preview === undefined ? {} : { preview }),
  };
}
