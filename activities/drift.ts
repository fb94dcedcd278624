import { differences, withAttachments, type Facts } from '../workflows/facts.ts';
import type { Drift } from '../workflows/state.ts';
import type { Baseline, StepCall, StepId } from '../workflows/steps.ts';
import { canonicalDigest } from './canonical-json.ts';
import type { Attachment, Release } from './clients/heroku.ts';
import { fail } from './fail.ts';
import { grantMatrix } from './matrix.ts';
import { slugReport } from './revisions.ts';
import { deployedSlug, markOf, type Services } from './services.ts';
import type { Target } from './target.ts';

/** Releases that are looked through for who made a change. */
const releasesRead = 30;
/** The accounts of add-ons, which change their own variables in maintenance and rotation [docs]. */
const addonAccount = /@addons\.heroku\.com$/;

/**
 * What an app is configured by, but for what the runbook itself changes: its variables and attachments, and those that
 * an attachment provides, are checked by name instead.
 */
export function configFacts(
  target: Target,
  vars: Readonly<Record<string, string>>,
  attachments: readonly Attachment[],
): Facts['config'] {
  const own = ownNames(target);
  const provided = new Set(attachments.map((one) => `${one.name}_URL`));
  const ignored = new Set([...own.variables, ...provided, ...target.unwatchedConfigVars]);
  const rest = Object.entries(vars).filter(([name]) => !ignored.has(name));
  return {
    names: rest.map(([name]) => name).sort(),
    digest: canonicalDigest(Object.fromEntries(rest)),
    attachments: attachments
      .filter((one) => !own.attachments.includes(one.name))
      .map(attachmentLine)
      .sort(),
  };
}

/** An attachment as a plan names it. */
export function attachmentLine({ name, addon, namespace }: Attachment): string {
  return `${name}: ${addon.name}${namespace === null ? '' : ` (${namespace})`}`;
}

function ownNames({ database, role, flag }: Target) {
  const attachments = [database.attachment, `${database.attachment}_CONNECTION_POOL`, role.attachment];
  return { attachments, variables: [...attachments.map((name) => `${name}_URL`), flag.name] };
}

/**
 * Looks, right before a write, for what others have changed since the plan was made. What does not matter to the plan is
 * answered; the rest stops the write.
 *
 * @param isOwn tells an attachment that an earlier attempt of the step itself may have made
 * @throws ApplicationFailure `TargetDrifted`, saying what, and by the list of releases who and when
 */
export async function guardAgainstDrift(
  services: Services,
  target: Target,
  call: StepCall,
  isOwn: (attachment: Attachment) => boolean = () => false,
): Promise<readonly Drift[]> {
  const { baseline, inPlace = [] } = call;
  if (baseline === undefined) return [];
  const { heroku } = services;
  const { app } = target;
  const [vars, attachments, releases] = await Promise.all([
    heroku.getConfigVars(app),
    heroku.listAppAttachments(app),
    heroku.listReleases(app, releasesRead),
  ]);
  const since = releases.filter((release) => release.version > baseline.release.version).reverse();
  const config = withAttachments(baseline.config, attachments.filter(isOwn).map(attachmentLine));
  const drift = [
    ...missing(target, vars, attachments, inPlace, since),
    ...(await deployed(services, target, call, baseline, since)),
    ...reconfigured(target, { ...baseline, config }, configFacts(target, vars, attachments), since),
  ];
  const relevant = drift.filter((one) => one.class === 'relevant');
  if (relevant.length > 0) {
    const told = relevant.map(
      (one) => `${one.what}${one.by === null ? '' : ` (v${one.release}, ${one.by}, ${one.at})`}`,
    );
    throw fail('TargetDrifted', `${app} was changed since the plan was approved: ${told.join('; ')}`);
  }
  return drift;
}

/** What this run has put in place, and somebody has taken away. */
function missing(
  { flag, role }: Target,
  vars: Readonly<Record<string, string>>,
  attachments: readonly Attachment[],
  inPlace: readonly StepId[],
  since: readonly Release[],
): Drift[] {
  const gone: string[] = [];
  if (inPlace.includes('bind-url') && vars[`${role.attachment}_URL`] === undefined) gone.push(`${role.attachment}_URL`);
  if (inPlace.includes('flag') && vars[flag.name] !== flag.value) gone.push(flag.name);
  const bound = attachments.find((one) => one.name === role.attachment);
  if (bound !== undefined && bound.namespace !== `credential:${role.credential}`) gone.push(role.attachment);
  return gone.map((name) => seen(`${name} is no longer what this run has set`, 'relevant', madeBy(since, name)));
}

/** Another slug. One with the same revisions and the same grant matrix changes nothing that was approved. */
async function deployed(
  services: Services,
  target: Target,
  call: StepCall,
  baseline: Baseline,
  since: readonly Release[],
): Promise<Drift[]> {
  const slug = await deployedSlug(services, target.app);
  if (slug.id === baseline.release.slug) return [];
  const [{ chain }, matrix] = await Promise.all([
    slugReport(services, target, markOf(call)),
    grantMatrix(services, target),
  ]);
  const same = chain.head === baseline.migrations.heads[0] && matrix.digest === baseline.matrixDigest;
  const what = `v${slug.version} was deployed, ${same ? 'with the same' : 'with another'} head or grant matrix`;
  const release = since.find((one) => one.slug?.id === slug.id);
  return [seen(what, same ? 'harmless' : 'relevant', release)];
}

function reconfigured(target: Target, baseline: Baseline, now: Facts['config'], since: readonly Release[]): Drift[] {
  const changed = differences(baseline.config, now);
  const own = ownNames(target);
  const names = [...own.attachments, ...own.variables];
  const slugBefore = (index: number): string | undefined =>
    index === 0 ? baseline.release.slug : since[index - 1]?.slug?.id;
  // A release with another slug is a deploy, and is judged by its revisions.
  const others = since.filter(
    (release, index) => release.slug?.id === slugBefore(index) && !names.some((name) => mentions(release, name)),
  );
  const people = others.filter((release) => !addonAccount.test(release.user.email));
  if (changed.length === 0) {
    return others.map((release) =>
      seen(release.description ?? 'a release', people.includes(release) ? 'harmless' : 'platform', release),
    );
  }
  // The digest alone says that, not what; the release says who.
  const what = changed.map((line) => (line.startsWith('digest:') ? 'the values of config vars differ' : line));
  const byPlatform = people.length === 0 && others.length > 0;
  return [seen(what.join('; '), byPlatform ? 'platform' : 'relevant', (byPlatform ? others : people).at(-1))];
}

/** A release names an attachment, or the variable that it provides. */
function madeBy(since: readonly Release[], name: string): Release | undefined {
  const attachment = name.replace(/_URL$/, '');
  return since.findLast((release) => mentions(release, name) || mentions(release, attachment));
}

function mentions({ description }: Release, name: string): boolean {
  return (description ?? '').split(/[^A-Z0-9_]+/).includes(name);
}

function seen(what: string, kind: Drift['class'], release: Release | undefined): Drift {
  return {
    what,
    class: kind,
    release: release?.version ?? null,
    by: release?.user.email ?? null,
    at: release?.created_at ?? null,
  };
}
