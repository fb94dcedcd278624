import type { Issue, IssueComment } from './issues.ts';
import { GithubError, page, route, timestamp, type Call, type Route } from './protocol.ts';
import { account, type Repository } from './repository.ts';

/** GitHub cuts off nothing: a longer body is refused [docs]. */
const longestBody = 65_536;

/** The routes of issues and their comments. */
export function issueRoutes(find: (call: Call) => Repository): Route[] {
  const issueOf = (call: Call): Issue => find(call).issues.find(Number(call.params['number']));
  return [
    route('GET', '/repos/{owner}/{repo}/issues', (call) => {
      const repository = find(call);
      const state = call.query.get('state') ?? 'open';
      const issues = repository.issues.all.filter((one) => state === 'all' || one.state === state);
      // "GitHub's REST API considers every pull request an issue" [docs].
      const pulls = [...repository.pulls.values()].filter((one) => state === 'all' || one.state === state);
      const listed = [
        ...issues.map((one) => describeIssue(repository, one, call.base)),
        ...pulls.map((one) => ({
          ...repository.describePull(one, call.base),
          pull_request: { url: `${call.base}/repos/${repository.options.fullName}/pulls/${one.options.number}` },
        })),
      ];
      const { items, headers } = page(call, listed);
      return { status: 200, headers, body: items };
    }),
    route('POST', '/repos/{owner}/{repo}/issues', (call) => {
      const repository = find(call);
      const { title, body, labels } = call.body;
      if (typeof title !== 'string' || title === '') throw invalid('issues/issues#create-an-issue', 'title');
      if (typeof body === 'string' && body.length > longestBody) throw invalid('issues/issues#create-an-issue', 'body');
      // A label that the repository does not have is made [docs].
      const names = Array.isArray(labels) ? labels.map(String) : [];
      const issue = repository.issues.open(title, typeof body === 'string' ? body : null, names);
      return { status: 201, body: describeIssue(repository, issue, call.base) };
    }),
    route('GET', '/repos/{owner}/{repo}/issues/{number}', (call) => ({
      status: 200,
      body: describeIssue(find(call), issueOf(call), call.base),
    })),
    route('GET', '/repos/{owner}/{repo}/issues/{number}/comments', (call) => {
      const issue = issueOf(call);
      // Oldest first [docs].
      const { items, headers } = page(call, issue.comments);
      return { status: 200, headers, body: items.map((one) => describeComment(find(call), issue, one, call.base)) };
    }),
    route('POST', '/repos/{owner}/{repo}/issues/{number}/comments', (call) => {
      const repository = find(call);
      const issue = issueOf(call);
      const { body } = call.body;
      if (typeof body !== 'string' || body === '' || body.length > longestBody) {
        throw invalid('issues/comments#create-an-issue-comment', 'body');
      }
      const comment = repository.issues.comment(issue.number, body);
      return { status: 201, body: describeComment(repository, issue, comment, call.base) };
    }),
  ];
}

function invalid(documentation: string, field: string): GithubError {
  return new GithubError(422, 'Validation Failed', documentation, { errors: [{ resource: 'Issue', field }] });
}

function describeIssue({ options }: Repository, issue: Issue, base: string): Record<string, unknown> {
  const { number, title, body, labels, openedAt, state, comments } = issue;
  return {
    id: 700_000_000 + number,
    number,
    title,
    body,
    state,
    labels: labels.map((name) => ({ name })),
    locked: false,
    user: account('cutover', base),
    comments: comments.length,
    url: `${base}/repos/${options.fullName}/issues/${number}`,
    html_url: `${base}/${options.fullName}/issues/${number}`,
    created_at: timestamp(openedAt),
    updated_at: timestamp(comments.at(-1)?.at ?? openedAt),
    closed_at: null,
  };
}

function describeComment(
  { options }: Repository,
  { number }: Issue,
  { id, body, at }: IssueComment,
  base: string,
): Record<string, unknown> {
  return {
    id,
    body,
    user: account('cutover', base),
    html_url: `${base}/${options.fullName}/issues/${number}#issuecomment-${id}`,
    url: `${base}/repos/${options.fullName}/issues/comments/${id}`,
    created_at: timestamp(at),
    updated_at: timestamp(at),
  };
}
