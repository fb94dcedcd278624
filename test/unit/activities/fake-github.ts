import type { Comment, GithubClient, Issue, Pull, WorkflowRun } from '../../../activities/clients/github.ts';

/** A repository with one pull request and one workflow, in memory. */
export class FakeGithub {
  pull: Pull = {
    number: 12,
    title: 'Grants',
    state: 'open',
    merged: false,
    merged_at: null,
    merge_commit_sha: null,
    base: { ref: 'main' },
  };
  files: { filename: string; status: string }[] = [];
  texts = new Map<string, string>();
  runs: (WorkflowRun & { inputs: Record<string, string> })[] = [];
  issues: (Issue & { labels: string[] })[] = [];
  comments: Comment[] = [];
  headCommit = 'd4'.repeat(20);
  conclusion: string | null = 'success';
  /** Milliseconds that the suite takes; Infinity for one that waits for a runner for ever. */
  suiteTakes = 1_000;
  /** Milliseconds until a dispatched run is listed. */
  listingTakes = 0;

  merge(): void {
    const merged_at = new Date().toISOString();
    this.pull = { ...this.pull, state: 'closed', merged: true, merged_at, merge_commit_sha: 'e5'.repeat(20) };
  }

  readonly client: GithubClient = {
    getPull: () => Promise.resolve(this.pull),
    listPullFiles: () => Promise.resolve(this.files),
    readFile: (_, path, ref) => {
      const text = this.texts.get(`${path}@${ref}`);
      return text === undefined ? Promise.reject(new Error(`no file ${path} at ${ref}`)) : Promise.resolve(text);
    },
    listIssues: () => Promise.resolve([...this.issues]),
    createIssue: (repository, { title, body, labels }) => {
      const number = this.issues.length + 1;
      const issue = { number, title, body, labels, html_url: `https://github.example/${repository}/issues/${number}` };
      this.issues.push(issue);
      return Promise.resolve(issue);
    },
    listComments: () => Promise.resolve([...this.comments]),
    createComment: (repository, number, body) => {
      const comment = {
        body,
        html_url: `https://github.example/${repository}/issues/${number}#${this.comments.length}`,
      };
      this.comments.push(comment);
      return Promise.resolve(comment);
    },
    dispatch: (_repository, workflow, _ref, inputs) => {
      const id = this.runs.length + 1;
      const listedAt = Date.now() + this.listingTakes;
      const endsAt = Date.now() + this.suiteTakes;
      const { headCommit, conclusion } = this;
      this.runs.push({
        id,
        display_title: `Smoke ${inputs['marker'] ?? ''}`,
        get status() {
          return Date.now() < listedAt ? 'unlisted' : Date.now() < endsAt ? 'queued' : 'completed';
        },
        get conclusion() {
          return Date.now() < endsAt ? null : conclusion;
        },
        head_sha: headCommit,
        html_url: `https://github.example/${workflow}/runs/${id}`,
        inputs,
      });
      return Promise.resolve(undefined);
    },
    findRun: (_repository, _workflow, marker) =>
      Promise.resolve(this.runs.find((run) => run.status !== 'unlisted' && run.display_title.includes(marker))),
  };
}
