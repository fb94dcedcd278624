import type { Certificate, CertificateFile } from '../workflows/certificate.ts';
import type { StepCall } from '../workflows/steps.ts';
import type { GithubClient } from './clients/github.ts';
import type { HerokuClient, Release } from './clients/heroku.ts';
import type { PostgresClient } from './clients/postgres.ts';
import type { Webhook } from './clients/webhook.ts';
import { fail } from './fail.ts';
import type { Seen } from './perform.ts';
import type { SlugReport } from './revisions.ts';
import { currentScope } from './scope.ts';
import type { Target, TargetStore } from './target.ts';

/** What was written as the record of a run. */
export interface WrittenRecord {
  /** In the folder that the worker keeps records in. */
  readonly folder: string;
  readonly entries: number;
  /** Digest of the record's last entry: kept in the history, it says which record was the worker's. */
  readonly head: string;
}

/** Writes the record of a run from its history. */
export interface RecordWriter {
  write(workflowId: string, runId: string): Promise<WrittenRecord>;
}

/** Signs, keeps and reads the certificates of soaks. */
export interface CertificateStore {
  /**
   * Signs a certificate where the worker has a key, and keeps it where it has a folder; the same one may come again.
   *
   * @returns the signature in base64, and the name of the file in the folder; null where there is no key, or no folder
   */
  issue(certificate: Certificate): Promise<{ signature: string | null; file: string | null }>;
  /**
   * Reads a file: in the worker's folder of certificates, or beside the target files where it has none.
   *
   * @returns its text, or undefined where there is none
   */
  read(file: string): Promise<string | undefined>;
  /** @param key the public key itself: PEM, or a line as in `id_ed25519.pub` */
  isSignedBy(signed: CertificateFile, key: string): Promise<boolean>;
}

/** All that activities reach the world through. */
export interface Services {
  readonly heroku: HerokuClient;
  readonly postgres: PostgresClient;
  readonly github: GithubClient;
  readonly targets: TargetStore;
  /** What slugs have told of their migrations, by slug and question; empty at first. */
  readonly slugReports: Map<string, SlugReport>;
  /** The environment of commands that run on the worker's host. */
  readonly hostEnv: Readonly<Record<string, string>>;
  /** Missing where the worker keeps no records. */
  readonly records?: RecordWriter | undefined;
  /** Missing where nothing of a soak is written or read, as in the command that prints a plan's SQL. */
  readonly certificates?: CertificateStore | undefined;
  /** How people are told; missing where nobody has named a webhook. */
  readonly people?: { readonly webhook: Webhook; /** Base URL. */ readonly webUi: string | null } | undefined;
  /** Whether the namespace has the search attributes that runs set; not, unless said. */
  readonly isSearchable?: boolean;
}

/**
 * The target of a step call, if it is still the one that the run was started with. It says what is no secret, so that
 * it comes before anything else is read.
 *
 * @throws ApplicationFailure `TargetChanged`, and what `TargetStore.read` throws
 */
export async function targetOf({ targets }: Services, call: StepCall): Promise<Target> {
  const target = await targets.read(call.app);
  currentScope().secrets.keepPlain(target, target.plainConfigVars);
  if (target.digest !== call.targetDigest) {
    throw fail(
      'TargetChanged',
      `The target file of ${call.app} on this worker has the digest ${target.digest.slice(0, 12)}, and the run was started with ` +
        `${call.targetDigest.slice(0, 12)}. Put the approved file back on every worker, or abort the run and start a new one.`,
    );
  }
  return target;
}

/** What the run leaves in other systems so that a retry recognises it. */
export function markOf({ run, step, attempt }: StepCall): string {
  return `cutover/${run}/${step}/${attempt}`;
}

/**
 * Where the app answers, without a slash at the end.
 *
 * @throws ApplicationFailure `PlatformAnswerUnexpected` where the platform gives it no address
 */
export async function webUrlOf({ heroku }: Services, app: string): Promise<string> {
  const { web_url: url } = await heroku.getApp(app);
  if (url == null)
    throw fail('PlatformAnswerUnexpected', `${app} has no web address; expected one. Add a domain to it.`);
  return url.replace(/\/+$/, '');
}

/**
 * The slug that serves: the one of the current release.
 *
 * @throws ApplicationFailure `PlatformAnswerUnexpected` where nothing was ever deployed
 */
export async function deployedSlug(
  { heroku }: Services,
  app: string,
): Promise<{ version: number; id: string; commit: string | null; processes: Readonly<Record<string, string>> }> {
  const current = (await heroku.listReleases(app)).find((release) => release.current);
  if (current?.slug == null) {
    throw fail(
      'PlatformAnswerUnexpected',
      `${app} has no current release with a slug; expected a deployed app. Deploy it, then start again.`,
    );
  }
  const slug = await heroku.getSlug(app, current.slug.id);
  return { version: current.version, id: slug.id, commit: slug.commit, processes: slug.process_types ?? {} };
}

/**
 * The newest release, and whether it is the one that serves. A release command that fails leaves the old release
 * serving although the change was answered with 200 [docs], so every config write ends here.
 *
 * @throws ApplicationFailure `ReleaseFailed`
 */
export async function newestRelease(
  { heroku }: Services,
  app: string,
): Promise<{ release: Release; serving: boolean }> {
  const [release] = await heroku.listReleases(app, 1);
  if (release === undefined) throw fail('PlatformAnswerUnexpected', `${app} has no release. Deploy the app first.`);
  if (release.status === 'failed' || release.status === 'expired') {
    throw fail(
      'ReleaseFailed',
      `Release v${release.version} (${release.description ?? 'no description'}) has ${release.status}: the release before it serves on. ` +
        'Read the output of the release command, mend it, make a new release, then try the step again.',
    );
  }
  return { release, serving: release.status === 'succeeded' && release.current };
}

/**
 * Where a config write stands that has been made: done when its release has succeeded and is the one that serves.
 *
 * @param evidence what the step saw besides the release
 * @throws ApplicationFailure `ReleaseFailed`
 */
export async function released<E>(
  services: Services,
  app: string,
  evidence: E,
): Promise<Seen<E & { release: number }>> {
  const { release, serving } = await newestRelease(services, app);
  return serving
    ? { is: 'done', evidence: { ...evidence, release: release.version } }
    : { is: 'underway', what: `release v${release.version} is ${release.status}` };
}
