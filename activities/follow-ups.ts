import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import type { Issue } from './clients/github.ts';
import { fail } from './fail.ts';
import { perform } from './perform.ts';
import { currentScope } from './scope.ts';
import { targetOf, type Services } from './services.ts';
import type { FollowUps, Target } from './target.ts';

/** Characters of a comment that GitHub takes, and some to spare [docs: 65,536]. */
const commentLimit = 60_000;

/**
 * Opens what is left to do as issues, once each, and puts the evidence on the tracking issue, once a run. A marker that
 * nobody sees in the page finds each of them again, also one that was closed meanwhile.
 */
export async function openFollowUps(
  services: Services,
  call: StepCall,
): Promise<StepResult<Evidence<'open-follow-ups'>>> {
  const target = await targetOf(services, call);
  const followUps = followUpsOf(target);
  const { repository, trackingIssue, items } = followUps;
  const { github } = services;
  const markerOf = (title: string): string => `<!-- cutover:${target.app}:follow-up:${slugOf(title)} -->`;
  const commentMarker = `<!-- cutover:${target.app}:evidence:${call.run} -->`;

  const look = async () => {
    const [issues, comments] = await Promise.all([
      github.listIssues(repository),
      trackingIssue === undefined ? [] : github.listComments(repository, trackingIssue),
    ]);
    const opened = items.map((item) => ({ item, issue: issues.find((one) => holds(one, markerOf(item.title))) }));
    return { opened, comment: comments.find((one) => holds(one, commentMarker)) };
  };

  return perform({
    probe: async () => {
      const { opened, comment } = await look();
      const missing = opened.filter(({ issue }) => issue === undefined).map(({ item }) => item.title);
      if (missing.length > 0) return { is: 'absent', what: `not open yet: ${missing.join(', ')}` };
      if (trackingIssue !== undefined && comment === undefined) {
        return { is: 'absent', what: `${repository}#${trackingIssue} has no evidence of this run` };
      }
      const issues = opened.flatMap(({ item, issue }) =>
        issue === undefined ? [] : [{ title: item.title, number: issue.number, link: issue.html_url }],
      );
      return { is: 'done', evidence: { issues, comment: comment?.html_url ?? null } };
    },
    act: async () => {
      const { opened, comment } = await look();
      for (const { item, issue } of opened) {
        if (issue !== undefined) continue;
        const body = `${item.body}\n\n${markerOf(item.title)}`;
        await github.createIssue(repository, { title: item.title, body, labels: item.labels });
      }
      if (trackingIssue === undefined || comment !== undefined) return;
      // The report comes from the run's own record, which holds no secret; it leaves for others' eyes all the same.
      const report = currentScope().secrets.redact(call.report ?? `${target.app} is launched (run ${call.run}).`);
      await github.createComment(repository, trackingIssue, `${report.slice(0, commentLimit)}\n\n${commentMarker}`);
    },
  });
}

function holds({ body }: Pick<Issue, 'body'>, marker: string): boolean {
  return body?.includes(marker) === true;
}

function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

function followUpsOf({ app, followUps }: Target): FollowUps {
  if (followUps === undefined) {
    throw fail(
      'TargetFileInvalid',
      `The target file of ${app} names no follow-ups. Put the approved file back, or start again.`,
    );
  }
  return followUps;
}
