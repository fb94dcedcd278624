import { activityInfo } from '@temporalio/activity';
import { sql } from 'slonik';
import { bindingText, type Binding, type RotationFacts } from '../workflows/rotation-plan.ts';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { attachedDatabase } from './attached-database.ts';
import type { Addon, CredentialUrls } from './clients/heroku.ts';
import { sqlState } from './clients/postgres.ts';
import { fail } from './fail.ts';
import { perform, type Seen } from './perform.ts';
import { activeUrl, createFingerprints, holdersOf, isSameLogin, withLogin } from './rotation-holders.ts';
import { readRotationFacts, rotationDigest } from './rotation-survey.ts';
import { currentScope, pause } from './scope.ts';
import { released, targetOf, type Services } from './services.ts';
import type { Target } from './target.ts';

type RotateEvidence = Evidence<'rotate-credential'>;

/**
 * Milliseconds for which an attempt behind an interrupted one only looks. The request of that one may have been taken and
 * not shown yet [assumed], and a second one would reset what the first has just given out.
 */
const settleMs = 10_000;
/**
 * Milliseconds until the next look, by how many it was waited for already. A named credential may take the platform more than
 * half an hour [source], and an account may make 4,500 requests in one.
 */
const lookAgainIn = (waited: number): number => Math.min(10_000, Math.max(500, waited / 20));
/** How the server refuses a password, and a user that is gone or may not log in (28). */
const refusesLogin = /^28/;

interface Look {
  readonly credential: CredentialUrls;
  readonly url: string;
  readonly isNew: boolean;
}

/**
 * Rotates a credential, once, and waits until everybody who holds it has the new URL: the platform changes what is
 * attached, and copies in the app itself are written here, with every URL that the platform gives out on the way. Then
 * tries the old password, which this one activity knows and nothing else: it is in no history, and a worker that dies takes
 * it along. What took effect is seen by the credential's fingerprint, which the approved plan has.
 *
 * @throws ApplicationFailure `TargetDrifted`, `RotationOverdue`, `OldPasswordAccepted`, `ReleaseFailed`
 */
export async function rotateCredential(services: Services, call: StepCall): Promise<StepResult<RotateEvidence>> {
  const target = await targetOf(services, call);
  const facts = approvedFacts(call);
  const { heroku } = services;
  const { addon } = await attachedDatabase(services, target);
  const fingerprint = createFingerprints(call, addon);
  const watch = createWatch(services, addon, facts, fingerprint, call.since);
  const before = await urlBefore(services, target, addon, facts, fingerprint);
  const began = Date.now();
  const within = target.rotation.withinMinutes * 60_000;
  const overdueAt = began + within;
  let asked = false;
  let stale: Stale[] = [];

  const probe = async (): Promise<Seen<RotateEvidence>> => {
    const seen = await watch.look();
    const { state } = seen.credential;
    if (Date.now() > overdueAt) throw overdue(target, facts, state);
    if (!seen.isNew && state === 'active') {
      if (asked)
        return { is: 'underway', what: `the rotation of ${facts.credential} was asked for, and does not show yet` };
      if (activityInfo().attempt > 1 && Date.now() < began + settleMs)
        return { is: 'underway', what: 'an interrupted attempt may have asked for it' };
      return { is: 'absent', what: `${facts.credential} of ${addon.name} has the password that is to be rotated` };
    }
    const held = await holders(services, target, addon, facts, seen);
    stale = held.filter((one) => one.binding.by === 'copy' && one.binding.app === facts.app);
    if (stale.length > 0) return { is: 'absent', what: `${named(stale)} has not the new URL` };
    if (state !== 'active' || !seen.isNew) return { is: 'underway', what: `${facts.credential} is ${state}` };
    const late = held.filter((one) => one.binding.by === 'attachment');
    if (late.length > 0) return { is: 'underway', what: `${named(late)} has not the new URL yet` };
    return released(services, target.app, {
      credential: facts.credential,
      addon: addon.name,
      fingerprint: fingerprint(seen.url),
      changed: facts.bindings.filter((one) => one.by === 'attachment' || one.app === facts.app).map(bindingText),
      oldPassword: 'replaced' as const,
      rotatedAt: watch.rotatedAt(),
    });
  };
  const act = async (): Promise<void> => {
    if (stale.length > 0) {
      const change = stale.map(({ binding, value, url }) => [binding.variable, withLogin(value, url)] as const);
      return heroku.setConfigVars(target.app, Object.fromEntries(change));
    }
    asked = true;
    await heroku.rotateCredential(addon.name, facts.credential);
    currentScope().report('underway');
  };
  const guard = async (): Promise<readonly []> => {
    if (stale.length === 0) await guardFacts(services, target, call);
    return [];
  };
  const result = await perform({ probe, act, guard, repeats: true, every: lookAgainIn, within });
  if (before === null) return result;
  await expectRefused(services, target, before);
  return { ...result, evidence: { ...result.evidence, oldPassword: 'refused' } };
}

function approvedFacts({ rotation }: StepCall): RotationFacts {
  if (rotation?.facts !== undefined) return rotation.facts;
  throw fail(
    'InvalidTransition',
    'The rotation was begun without its plan: a mistake in the runbook. Nothing was changed.',
  );
}

/** Looks at the credential, and keeps when it was last seen with another URL than it has now. */
function createWatch(
  { heroku }: Services,
  addon: Addon,
  facts: RotationFacts,
  fingerprint: (url: string) => string,
  since: number,
) {
  let last = { fingerprint: facts.fingerprint, at: since };
  let rotatedAt = since;
  return {
    async look(): Promise<Look> {
      const at = Date.now();
      const credential = await heroku.readCredential(addon.name, facts.credential);
      if (credential === undefined) {
        throw fail(
          'CredentialNotActive',
          `The credential ${facts.credential} of ${addon.name} is gone; expected it to be rotated. Somebody has destroyed it: abort.`,
        );
      }
      const url = activeUrl(credential);
      // Between two URLs the platform may show none.
      const now = url === '' ? last.fingerprint : fingerprint(url);
      if (now !== last.fingerprint) rotatedAt = last.at;
      last = { fingerprint: now, at };
      return { credential, url, isNew: url !== '' && now !== facts.fingerprint };
    },
    rotatedAt: () => rotatedAt,
  };
}

/** The URL that is to be refused in the end, or null where nobody has it any more. */
async function urlBefore(
  services: Services,
  target: Target,
  addon: Addon,
  facts: RotationFacts,
  fingerprint: (url: string) => string,
): Promise<string | null> {
  const credential = await services.heroku.readCredential(addon.name, facts.credential);
  if (credential === undefined) return null;
  // While it is rotated the platform lists the old one, and a copy may still hold it.
  const { vars } = await holdersOf(services, target, addon, facts.which, credential);
  const copies = facts.bindings.flatMap(({ app, variable }) => vars.get(app)?.[variable] ?? []);
  for (const url of [...credential.urls.map((one) => one.url), ...copies]) {
    if (fingerprint(url) === facts.fingerprint) return url;
  }
  return null;
}

interface Stale {
  readonly binding: Binding;
  readonly value: string;
  /** What it must let in with. */
  readonly url: string;
}

/** The approved variables that have not the URL that the credential has now. */
async function holders(
  services: Services,
  target: Target,
  addon: Addon,
  facts: RotationFacts,
  { credential, url }: Look,
): Promise<Stale[]> {
  if (url === '') return [];
  const { vars } = await holdersOf(services, target, addon, facts.which, credential);
  return facts.bindings.flatMap((binding) => {
    const value = vars.get(binding.app)?.[binding.variable];
    return value === undefined || isSameLogin(value, url) ? [] : [{ binding, value, url }];
  });
}

/** @throws ApplicationFailure `TargetDrifted` */
async function guardFacts(services: Services, target: Target, call: StepCall): Promise<void> {
  const { facts } = await readRotationFacts(services, target, call);
  if (rotationDigest(target, facts) === call.rotation?.planDigest) return;
  throw fail(
    'TargetDrifted',
    `who holds the credential of ${target.app} is no longer as in the plan that was approved`,
  );
}

/**
 * Tries a password until it is refused. A server that cannot be asked just now is asked again: another attempt would not have
 * the password any more.
 *
 * @throws ApplicationFailure `OldPasswordAccepted`
 */
async function expectRefused({ postgres }: Services, target: Target, url: string): Promise<void> {
  const deadline = Date.now() + target.sessions.lingerSeconds * 1000;
  let failure: unknown;
  for (;;) {
    try {
      await postgres.connected(url, (connection) => connection.query(sql.unsafe`SELECT 1`));
      failure = undefined;
    } catch (error) {
      if (refusesLogin.test(sqlState(error) ?? '')) return;
      failure = error;
    }
    if (Date.now() > deadline) break;
    await pause(500);
  }
  if (failure !== undefined) throw failure as Error;
  throw fail(
    'OldPasswordAccepted',
    `The password from before the rotation still opens a session of ${target.app}'s database; expected it to be refused. Every variable has the new one, ` +
      'and the app goes on. Nobody can try the old one again, so a retry proves less: see why (`heroku pg:credentials`), then abort and rotate once more.',
  );
}

function overdue(target: Target, { credential, addon }: RotationFacts, state: string) {
  return fail(
    'RotationOverdue',
    `The credential ${credential} of ${addon} is ${state} ${target.rotation.withinMinutes} minutes after its rotation was begun; expected active, with ` +
      `every variable changed. The platform goes on with it by itself: see \`heroku pg:credentials ${addon} -a ${target.app}\`, then try again.`,
  );
}

function named(held: readonly Stale[]): string {
  return held.map(({ binding }) => bindingText(binding)).join(', ');
}
