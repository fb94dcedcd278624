import { sql } from 'slonik';
import { z } from 'zod';
import type { RotationFacts, RotationPlan } from '../workflows/rotation-plan.ts';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { attachedDatabase } from './attached-database.ts';
import { canonicalDigest } from './canonical-json.ts';
import { fail } from './fail.ts';
import { observe } from './perform.ts';
import { activeUrl, createFingerprints, credentialName, holdersOf } from './rotation-holders.ts';
import { deployedSlug, targetOf, type Services } from './services.ts';
import { othersSessions } from './sessions.ts';
import { approved } from './survey.ts';
import type { Target } from './target.ts';

const byUser = z.object({ user: z.string(), sessions: z.number() });

/** Reads what a rotation would reset, and who would feel it. Changes nothing. */
export async function surveyRotation(services: Services, call: StepCall): Promise<StepResult<RotationPlan>> {
  const target = await targetOf(services, call);
  return observe(() => readRotationPlan(services, target, call));
}

/**
 * Reads it all again once the plan is approved.
 *
 * @throws ApplicationFailure `FactsChanged`
 */
export async function confirmRotation(
  services: Services,
  call: StepCall,
): Promise<StepResult<Evidence<'confirm-rotation'>>> {
  const target = await targetOf(services, call);
  return observe(async () => {
    const { digest } = await readRotationPlan(services, target, call);
    return approved(call, digest);
  });
}

async function readRotationPlan(services: Services, target: Target, call: StepCall): Promise<RotationPlan> {
  const { heroku, postgres } = services;
  const { database, facts } = await readRotationFacts(services, target, call);
  const [slug, dynos] = await Promise.all([deployedSlug(services, target.app), heroku.listDynos(target.app)]);
  const sessions = await postgres.connected(database.url, (connection) =>
    connection.any(sql.type(byUser)`
      SELECT usename AS user, count(*)::int AS sessions FROM pg_stat_activity
      WHERE ${othersSessions} AND usename IS NOT NULL
      GROUP BY 1 ORDER BY 1`),
  );
  return {
    facts,
    observations: {
      sessions: [...sessions],
      dynos: dynos.map((dyno) => `${dyno.name} ${dyno.state}`),
      release: slug.version,
      releaseCommand: slug.processes['release'] ?? null,
    },
    digest: rotationDigest(target, facts),
  };
}

/** What approvers sign. */
export function rotationDigest({ approvals }: Target, facts: RotationFacts): string {
  return canonicalDigest({ gate: 'rotate', policy: approvals, facts });
}

/**
 * What a rotation rests on, as it is now.
 *
 * @throws ApplicationFailure `CredentialNotActive`, and what `attachedDatabase` throws
 */
export async function readRotationFacts(services: Services, target: Target, call: StepCall) {
  const { heroku } = services;
  const { credential: which = 'owner' } = call.rotation ?? {};
  const database = await attachedDatabase(services, target);
  const { addon } = database;
  const name = credentialName(target, which);
  const credential = await heroku.readCredential(addon.name, name);
  if (credential?.state !== 'active') {
    throw fail(
      'CredentialNotActive',
      `The credential ${name} of ${addon.name} is ${credential?.state ?? 'absent'}; expected active. ` +
        (credential === undefined
          ? 'The owner is rotated as `owner`; the role exists once RM-11 is done. '
          : `Wait until \`heroku pg:credentials ${addon.name} -a ${target.app}\` shows it as active. `) +
        'Nothing was changed; start again then.',
    );
  }
  const { bindings, unreadable, vars } = await holdersOf(services, target, addon, which, credential);
  const facts: RotationFacts = {
    app: target.app,
    targetDigest: target.digest,
    which,
    credential: name,
    addonId: addon.id,
    addon: addon.name,
    plan: addon.plan.name,
    fingerprint: createFingerprints(call, addon)(activeUrl(credential)),
    bindings: [...bindings],
    unreadable: [...unreadable],
    asRole: vars.get(target.app)?.[target.flag.name] === target.flag.value,
  };
  return { database, facts };
}
