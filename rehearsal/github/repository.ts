import { createHash } from 'node:crypto';
import { readContents } from './contents.ts';
import { Issues, type IssueOptions } from './issues.ts';
import { additionsOf, describeFile, digest, type PullFile } from './pull-files.ts';
import { GithubError, page, route, timestamp, type Answer, type Call, type Route } from './protocol.ts';

export interface PullOptions {
  readonly number: number;
  readonly title: string;
  /** The branch that it is to be merged into. */
  readonly base: string;
  readonly files: readonly PullFile[];
  readonly author?: string;
  /** Closed without having been merged. */
  readonly closed?: boolean;
  /** Merged before the rehearsal began, as this commit. */
  readonly merged?: { readonly commit: string };
  /**
   * What a merge sets off: the new slug is composed, and deployed where the repository deploys by itself. Its commit
   * becomes the branch's head.
   */
  readonly onMerge: () => Promise<{ commit: string }>;
}

export interface SmokeOptions {
  /** The workflow's file name, such as `smoke.yml`. */
  readonly workflow: string;
  /** The suite: exit code 0 is `success`. */
  readonly command: readonly string[];
  /** Asked at each run, so that a suite sees the app as it is then. */
  readonly env: () => Record<string, string>;
  readonly cwd?: string;
}

export interface RepositoryOptions {
  /** `owner/name`. */
  readonly fullName: string;
  readonly defaultBranch: string;
  /** The commit at the head of the default branch. */
  readonly headCommit: string;
  readonly pulls: readonly PullOptions[];
  readonly smoke: SmokeOptions;
  readonly issues?: readonly IssueOptions[];
  /** Folder with the repository's files at a commit; undefined for a commit that it does not have. */
  readonly contents?: (commit: string) => string | undefined;
}

interface Pull {
  readonly options: PullOptions;
  readonly headSha: string;
  readonly openedAt: number;
  state: 'open' | 'closed';
  closedAt?: number;
  mergedAt?: number;
  mergeCommit?: string;
  merging: boolean;
}

/** One repository: its linear default branch and its pull requests. */
export class Repository {
  readonly options: RepositoryOptions;
  readonly id: number;
  readonly pulls = new Map<number, Pull>();
  /** Oldest first; the last one is the head. */
  readonly commits: { sha: string; pull?: number }[];
  readonly issues: Issues;
  readonly #createdAt = Date.now();

  constructor(options: RepositoryOptions, id: number) {
    this.options = options;
    this.id = id;
    this.commits = [{ sha: options.headCommit }];
    this.issues = new Issues(options.issues ?? [], () => this.pulls.keys());
    for (const pull of options.pulls) {
      this.pulls.set(pull.number, {
        options: pull,
        headSha: createHash('sha1').update(`${options.fullName}#${pull.number}`).digest('hex'),
        openedAt: this.#createdAt,
        state: pull.closed || pull.merged ? 'closed' : 'open',
        ...(pull.closed ? { closedAt: this.#createdAt } : {}),
        ...(pull.merged ? { mergedAt: this.#createdAt, mergeCommit: pull.merged.commit } : {}),
        merging: false,
      });
      if (pull.merged && pull.base === options.defaultBranch) this.#recordMerged(pull.number, pull.merged.commit);
    }
  }

  get headCommit(): string {
    return this.commits.at(-1)?.sha ?? this.options.headCommit;
  }

  /** One that was merged earlier lies below the head, unless it is the head. */
  #recordMerged(pull: number, sha: string): void {
    if (sha === this.options.headCommit) this.commits.splice(-1, 1, { sha, pull });
    else this.commits.splice(-1, 0, { sha, pull });
  }

  /** A push to the default branch that no pull request brought. */
  push(commit: string): void {
    this.commits.push({ sha: commit });
  }

  /** Closes a pull request without merging it. */
  close(number: number): void {
    const pull = this.pull(number);
    if (pull.state !== 'open' || pull.merging) throw new GithubError(422, 'Validation Failed', 'pulls/pulls');
    pull.state = 'closed';
    pull.closedAt = Date.now();
  }

  /** Opens a pull request again that was closed without being merged. */
  reopen(number: number): void {
    const pull = this.pull(number);
    if (pull.state !== 'closed' || pull.mergedAt !== undefined) {
      throw new GithubError(422, 'Validation Failed', 'pulls/pulls');
    }
    pull.state = 'open';
    delete pull.closedAt;
  }

  pull(number: number): Pull {
    const pull = this.pulls.get(number);
    if (!pull) throw new GithubError(404, 'Not Found', 'pulls/pulls#get-a-pull-request');
    return pull;
  }

  /**
   * Merges and waits until what the merge sets off has happened.
   *
   * @param expectedHead refused when the pull request's head is another commit
   */
  async merge(number: number, expectedHead?: string): Promise<string> {
    const documentation = 'pulls/pulls#merge-a-pull-request';
    const pull = this.pull(number);
    if (expectedHead !== undefined && expectedHead !== pull.headSha) {
      throw new GithubError(409, 'Head branch was modified. Review and try the merge again.', documentation);
    }
    if (pull.state !== 'open') throw new GithubError(405, 'Pull Request is not mergeable', documentation);
    if (pull.merging) throw new GithubError(405, 'Merge already in progress', documentation);
    pull.merging = true;
    try {
      const { commit } = await pull.options.onMerge();
      // A pull request into another branch leaves the default one where it is.
      if (pull.options.base === this.options.defaultBranch) this.commits.push({ sha: commit, pull: number });
      pull.mergeCommit = commit;
      pull.mergedAt = Date.now();
      pull.state = 'closed';
      return commit;
    } finally {
      pull.merging = false;
    }
  }

  describe(base: string): Record<string, unknown> {
    const [owner = '', name = ''] = this.options.fullName.split('/');
    const at = timestamp(this.#createdAt);
    return {
      id: this.id,
      name,
      full_name: this.options.fullName,
      private: true,
      owner: account(owner, base, 'Organization'),
      html_url: `${base}/${this.options.fullName}`,
      url: `${base}/repos/${this.options.fullName}`,
      description: null,
      fork: false,
      default_branch: this.options.defaultBranch,
      archived: false,
      disabled: false,
      visibility: 'private',
      permissions: { admin: false, maintain: false, push: true, triage: true, pull: true },
      created_at: at,
      updated_at: at,
      pushed_at: at,
    };
  }

  describePull(pull: Pull, base: string): Record<string, unknown> {
    const { number, title, files } = pull.options;
    const { fullName, headCommit } = this.options;
    const [owner = ''] = fullName.split('/');
    const branch = (label: string, sha: string): Record<string, unknown> => ({
      label: `${owner}:${label}`,
      ref: label,
      sha,
      user: account(owner, base, 'Organization'),
      repo: this.describe(base),
    });
    return {
      id: this.id * 1_000_000 + number,
      url: `${base}/repos/${fullName}/pulls/${number}`,
      html_url: `${base}/${fullName}/pull/${number}`,
      number,
      state: pull.state,
      locked: false,
      title,
      user: account(pull.options.author ?? 'author', base),
      body: null,
      draft: false,
      labels: [],
      created_at: timestamp(pull.openedAt),
      updated_at: timestamp(pull.mergedAt ?? pull.closedAt ?? pull.openedAt),
      closed_at: pull.state === 'open' ? null : timestamp(pull.mergedAt ?? pull.closedAt ?? pull.openedAt),
      merged: pull.mergedAt !== undefined,
      merged_at: pull.mergedAt === undefined ? null : timestamp(pull.mergedAt),
      merged_by: pull.mergedAt === undefined ? null : account('merger', base),
      // While a pull request is open this is a test merge's commit, which no branch has. [docs] REST, pulls
      merge_commit_sha: pull.mergeCommit ?? (pull.state === 'open' ? digest(`test merge of ${pull.headSha}`) : null),
      mergeable: pull.state === 'open' ? true : null,
      mergeable_state: pull.state === 'open' ? 'clean' : 'unknown',
      head: branch(`pull-${number}`, pull.headSha),
      base: branch(pull.options.base, headCommit),
      changed_files: files.length,
      commits: 1,
      additions: files.reduce((sum, file) => sum + additionsOf(file), 0),
      deletions: files.filter(({ status }) => status === 'removed').length,
    };
  }
}

/** The routes of repositories and pull requests. */
export function repositoryRoutes(find: (call: Call) => Repository): Route[] {
  const pullOf = (call: Call): { repository: Repository; pull: Pull } => {
    const repository = find(call);
    return { repository, pull: repository.pull(Number(call.params['number'])) };
  };
  return [
    route('GET', '/repos/{owner}/{repo}', (call) => ({ status: 200, body: find(call).describe(call.base) })),
    route('GET', '/repos/{owner}/{repo}/pulls/{number}', (call) => {
      const { repository, pull } = pullOf(call);
      return { status: 200, body: repository.describePull(pull, call.base) };
    }),
    route('GET', '/repos/{owner}/{repo}/pulls/{number}/files', (call) => {
      const { repository, pull } = pullOf(call);
      const { items, headers } = page(call, pull.options.files);
      return {
        status: 200,
        headers,
        body: items.map((file) => describeFile(file, repository.options.fullName, pull.headSha, call.base)),
      };
    }),
    route('GET', '/repos/{owner}/{repo}/pulls/{number}/merge', (call) => {
      if (pullOf(call).pull.mergedAt !== undefined) return { status: 204 };
      throw new GithubError(404, 'Not Found', 'pulls/pulls#check-if-a-pull-request-has-been-merged');
    }),
    route('PUT', '/repos/{owner}/{repo}/pulls/{number}/merge', async (call) => {
      const { repository, pull } = pullOf(call);
      const expected = call.body['sha'];
      const sha = await repository.merge(pull.options.number, typeof expected === 'string' ? expected : undefined);
      return { status: 200, body: { sha, merged: true, message: 'Pull Request successfully merged' } };
    }),
    route('GET', '/repos/{owner}/{repo}/contents/{path...}', (call) => {
      const repository = find(call);
      const ref = call.query.get('ref') ?? repository.options.defaultBranch;
      const isBranch =
        ref === repository.options.defaultBranch || ref === `refs/heads/${repository.options.defaultBranch}`;
      return readContents(call, repository.options, isBranch ? repository.headCommit : ref);
    }),
    route('GET', '/repos/{owner}/{repo}/compare/{basehead...}', (call) => compare(find(call), call)),
  ];
}

function compare(repository: Repository, call: Call): Answer {
  const [baseName = '', headName = ''] = (call.params['basehead'] ?? '').split('...');
  const indexOf = (name: string): number => {
    if (name === repository.options.defaultBranch) return repository.commits.length - 1;
    const index = repository.commits.findIndex(({ sha }) => sha === name);
    if (index < 0) throw new GithubError(404, 'Not Found', 'commits/commits#compare-two-commits');
    return index;
  };
  const [from, to] = [indexOf(baseName), indexOf(headName)];
  const between = repository.commits.slice(from + 1, to + 1);
  const files = between.flatMap(({ pull }) => (pull === undefined ? [] : repository.pull(pull).options.files));
  const { fullName } = repository.options;
  return {
    status: 200,
    body: {
      url: call.target.href,
      html_url: `${call.base}/${fullName}/compare/${baseName}...${headName}`,
      status: from === to ? 'identical' : from < to ? 'ahead' : 'behind',
      ahead_by: Math.max(0, to - from),
      behind_by: Math.max(0, from - to),
      total_commits: between.length,
      base_commit: { sha: repository.commits[from]?.sha },
      merge_base_commit: { sha: repository.commits[Math.min(from, to)]?.sha },
      commits: between.map(({ sha }) => ({ sha, html_url: `${call.base}/${fullName}/commit/${sha}` })),
      files: files.map((file) => describeFile(file, fullName, repository.headCommit, call.base)),
    },
  };
}

export function account(login: string, base: string, type: 'User' | 'Organization' = 'User'): Record<string, unknown> {
  const id = Number.parseInt(digest(login).slice(0, 6), 16);
  return { login, id, type, url: `${base}/users/${login}`, html_url: `${base}/${login}`, site_admin: false };
}
