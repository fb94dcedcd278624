import { GithubError } from './protocol.ts';

/** An issue as it stands before the rehearsal. */
export interface IssueOptions {
  readonly number: number;
  readonly title: string;
  readonly body?: string;
}

/** A comment on an issue. */
export interface IssueComment {
  readonly id: number;
  readonly body: string;
  readonly at: number;
}

export interface Issue {
  readonly number: number;
  readonly title: string;
  readonly body: string | null;
  readonly labels: readonly string[];
  readonly openedAt: number;
  state: 'open' | 'closed';
  readonly comments: IssueComment[];
}

/** The issues of one repository. They share their numbers with its pull requests [docs]. */
export class Issues {
  readonly #issues = new Map<number, Issue>();
  readonly #pulls: () => Iterable<number>;
  #nextComment = 5_000_001;

  constructor(existing: readonly IssueOptions[], pulls: () => Iterable<number>) {
    this.#pulls = pulls;
    for (const { number, title, body } of existing) this.#put(number, title, body ?? null, []);
  }

  /** Newest first, as they are listed [docs]. */
  get all(): Issue[] {
    return [...this.#issues.values()].sort((a, b) => b.number - a.number);
  }

  find(number: number): Issue {
    const found = this.#issues.get(number);
    if (!found) throw new GithubError(404, 'Not Found', 'issues/issues#get-an-issue');
    return found;
  }

  open(title: string, body: string | null, labels: readonly string[]): Issue {
    const number = Math.max(0, ...this.#pulls(), ...this.#issues.keys()) + 1;
    return this.#put(number, title, body, labels);
  }

  comment(number: number, body: string): IssueComment {
    const comment = { id: this.#nextComment++, body, at: Date.now() };
    this.find(number).comments.push(comment);
    return comment;
  }

  #put(number: number, title: string, body: string | null, labels: readonly string[]): Issue {
    const issue: Issue = { number, title, body, labels, openedAt: Date.now(), state: 'open', comments: [] };
    this.#issues.set(number, issue);
    return issue;
  }
}
