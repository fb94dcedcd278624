import type { Pull } from './clients/github.ts';
import { fail } from './fail.ts';
import { observe } from './perform.ts';
import { newestRelease, markOf, targetOf, type Services } from './services.ts';
import { pause } from './scope.ts';
import { isNamedAfter, revisionFileName, slugReport } from './revisions.ts';
import type { Target } from './target.ts';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';

type PullRequestTarget = NonNullable<Target['pullRequest']>;

/** A file that is gone or untouched brings no revision; a renamed one does, under its new name. */
const bringsRevision = new Set(['added', 'modified', 'renamed', 'copied', 'changed']);

/** Whether the pull request adds a revision decides where in the sequence it is waited for. */
export async function inspectPullRequest(
  services: Services,
  call: StepCall,
): Promise<StepResult<Evidence<'inspect-pull-request'>>> {
  const pullRequest = pullRequestOf(await targetOf(services, call));
  return observe(async () => {
    const pull = await readPull(services, pullRequest);
    return {
      number: pull.number,
      repository: pullRequest.repository,
      title: pull.title,
      base: pull.base.ref,
      merged: pull.merged,
      revisionFiles: await revisionFiles(services, pullRequest),
    };
  });
}

/**
 * Waits until the pull request is merged, and, where it brings a revision, until the deployed slug has it: merged is
 * not deployed. People take their time, so one call may wait for a day; it adds nothing to the history.
 */
export async function awaitPullRequest(
  services: Services,
  call: StepCall,
): Promise<StepResult<Evidence<'await-pull-request'>>> {
  const target = await targetOf(services, call);
  const pullRequest = pullRequestOf(target);
  return observe(async () => {
    const every = pullRequest.pollSeconds * 1000;
    let pull = await readPull(services, pullRequest);
    for (; !pull.merged; pull = await readPull(services, pullRequest)) await pause(every);

    const wanted = (await revisionFiles(services, pullRequest)).map(revisionFileName);
    let looked: { version: number; missing: string[] } | undefined;
    // Counted from what happened, not from this attempt: workers that come and go must not put the end off for ever.
    const merged = Math.max(Date.parse(pull.merged_at ?? ''), call.since) || call.since;
    for (const deadline = merged + pullRequest.deployWithinMinutes * 60_000; ;) {
      const { release, serving } = await newestRelease(services, target.app);
      // The slug is asked by a dyno of its own, so only when there is a new release to ask.
      if (serving && looked?.version !== release.version) {
        looked = { version: release.version, missing: await missingRevisions(services, target, call, wanted) };
      }
      if (looked?.missing.length === 0) {
        const proof =
          wanted.length > 0
            ? `the slug of v${looked.version} has ${wanted.join(', ')}`
            : 'merged; it brings no revision';
        return {
          number: pull.number,
          base: pull.base.ref,
          mergeCommit: pull.merge_commit_sha,
          release: looked.version,
          proof,
        };
      }
      if (Date.now() > deadline) {
        const missing = looked?.missing.join(', ') ?? 'a release that serves';
        throw fail(
          'DeployOverdue',
          `Pull request ${pull.number} is merged, and after ${pullRequest.deployWithinMinutes} minutes ${target.app} still lacks ${missing}. ` +
            'Deploy it (merged is not deployed), then try again.',
        );
      }
      await pause(every);
    }
  });
}

async function missingRevisions(
  services: Services,
  target: Target,
  call: StepCall,
  wanted: string[],
): Promise<string[]> {
  if (wanted.length === 0) return [];
  const { chain } = await slugReport(services, target, markOf(call));
  return wanted.filter((name) => !chain.revisions.some((revision) => isNamedAfter(name, revision)));
}

async function revisionFiles(
  { github }: Services,
  { repository, number, versions }: PullRequestTarget,
): Promise<string[]> {
  const folder = versions.endsWith('/') ? versions : `${versions}/`;
  const files = await github.listPullFiles(repository, number);
  return files
    .filter(
      (file) => bringsRevision.has(file.status) && file.filename.startsWith(folder) && file.filename.endsWith('.py'),
    )
    .map((file) => file.filename)
    .sort();
}

async function readPull({ github }: Services, { repository, number, base }: PullRequestTarget): Promise<Pull> {
  const pull = await github.getPull(repository, number);
  if (pull.base.ref !== base) {
    throw fail(
      'PullRequestRefused',
      `Pull request ${number} of ${repository} is for the branch ${pull.base.ref}; expected ${base}. Retarget it, or correct the target file.`,
    );
  }
  if (pull.state === 'closed' && !pull.merged) {
    throw fail(
      'PullRequestRefused',
      `Pull request ${number} of ${repository} was closed without being merged. Reopen and merge it, or correct the target file.`,
    );
  }
  return pull;
}

function pullRequestOf(target: Target): PullRequestTarget {
  if (target.pullRequest === undefined)
    throw fail(
      'TargetFileInvalid',
      `The target file of ${target.app} names no pull request. Put the approved file back, or start again.`,
    );
  return target.pullRequest;
}
