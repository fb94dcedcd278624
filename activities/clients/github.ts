import { Octokit } from '@octokit/rest';
import { z } from 'zod';
import { currentScope, within } from '../scope.ts';
import { NoAnswerError, ServiceError, UnexpectedAnswerError } from './errors.ts';
import { requestTimeoutMs } from './http.ts';
import { createRateLimit } from './rate-limit.ts';
import { tellerOf, type Token } from './token.ts';

const pull = z.object({
  number: z.number().int(),
  title: z.string(),
  state: z.enum(['open', 'closed']),
  merged: z.boolean(),
  merged_at: z.string().nullable(),
  merge_commit_sha: z.string().nullable(),
  base: z.object({ ref: z.string() }),
});
const file = z.object({ filename: z.string(), status: z.string() });
const run = z.object({
  id: z.number().int(),
  display_title: z.string(),
  status: z.string(),
  conclusion: z.string().nullable(),
  head_sha: z.string(),
  html_url: z.string(),
});

const issue = z.object({
  number: z.number().int(),
  title: z.string(),
  body: z.string().nullish(),
  html_url: z.string(),
});
const comment = z.object({ body: z.string().nullish(), html_url: z.string() });

export type Issue = z.infer<typeof issue>;
export type Comment = z.infer<typeof comment>;
const runList = z.object({ workflow_runs: z.array(run) });

export type Pull = z.infer<typeof pull>;
export type WorkflowRun = z.infer<typeof run>;
export type GithubClient = ReturnType<typeof createGithubClient>;

export interface GithubOptions {
  /** Base URL of the REST API. */
  readonly apiUrl: string;
  readonly token: Token;
  /** Milliseconds after which a request counts as not answered. */
  readonly timeoutMs?: number;
}

/** The parts of GitHub that a cutover needs: one pull request, the dispatch of the smoke suite, and issues. */
export function createGithubClient({ apiUrl, token: given, timeoutMs = requestTimeoutMs }: GithubOptions) {
  const token = tellerOf(given);
  const octokit = new Octokit({
    baseUrl: apiUrl,
    userAgent: 'cutover-runbook',
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  });

  // Octokit's own `auth` would keep the token that it was made with.
  octokit.hook.before('request', (options) => {
    const current = token();
    currentScope().secrets.add(current);
    options.headers.authorization = `Bearer ${current}`;
  });

  // An hour's allowance comes back all at once, and a refusal says when [docs]: there is nothing to ration.
  const limit = createRateLimit({ reserve: 0, refillMs: 0 });
  const ask = <S extends z.ZodTypeAny>(what: string, schema: S, send: Send): Promise<z.output<S>> =>
    limit.send(() => askOnce({ timeoutMs, what, schema, send }));

  return {
    getPull: (repository: string, number: number) =>
      ask(`pull request ${number}`, pull, async (request) => {
        const answer = await octokit.rest.pulls.get({ ...split(repository), pull_number: number, request });
        return answer.data;
      }),

    /** Every file of the pull request: the list comes in pages, and a revision may stand on any of them. */
    listPullFiles: (repository: string, number: number) =>
      ask(`files of pull request ${number}`, z.array(file), (request) =>
        octokit.paginate(octokit.rest.pulls.listFiles, {
          ...split(repository),
          pull_number: number,
          per_page: 100,
          request,
        }),
      ),

    /** Every issue, open or closed. The list has pull requests among them [docs]; a marker in the body tells. */
    listIssues: (repository: string) =>
      ask(`issues of ${repository}`, z.array(issue), (request) =>
        octokit.paginate(octokit.rest.issues.listForRepo, {
          ...split(repository),
          state: 'all',
          per_page: 100,
          request,
        }),
      ),
    createIssue: (repository: string, { title, body, labels }: { title: string; body: string; labels: string[] }) =>
      ask(`new issue in ${repository}`, issue, async (request) => {
        const answer = await octokit.rest.issues.create({ ...split(repository), title, body, labels, request });
        currentScope().report('underway');
        return answer.data;
      }),
    listComments: (repository: string, number: number) =>
      ask(`comments on issue ${number}`, z.array(comment), (request) =>
        octokit.paginate(octokit.rest.issues.listComments, {
          ...split(repository),
          issue_number: number,
          per_page: 100,
          request,
        }),
      ),
    createComment: (repository: string, number: number, body: string) =>
      ask(`comment on issue ${number}`, comment, async (request) => {
        const answer = await octokit.rest.issues.createComment({
          ...split(repository),
          issue_number: number,
          body,
          request,
        });
        currentScope().report('underway');
        return answer.data;
      }),

    /** The text of a file at a commit. */
    readFile: (repository: string, path: string, commit: string) =>
      ask(`${path} at ${commit.slice(0, 12)}`, z.string(), async (request) => {
        const answer = await octokit.rest.repos.getContent({
          ...split(repository),
          path,
          ref: commit,
          mediaType: { format: 'raw' },
          request,
        });
        return answer.data;
      }),

    /**
     * Dispatches a workflow, and answers the run's id where the server gives it. An older server answers 204, or
     * refuses the unknown field; the run is then found by the marker in its title [docs].
     */
    async dispatch(
      repository: string,
      workflow: string,
      ref: string,
      inputs: Record<string, string>,
    ): Promise<number | undefined> {
      const send = (details: { return_run_details?: true }) =>
        ask(`dispatch of ${workflow}`, z.object({ workflow_run_id: z.number().int() }).optional(), async (request) => {
          const answer: { status: number; data?: unknown } = await octokit.rest.actions.createWorkflowDispatch({
            ...split(repository),
            workflow_id: workflow,
            ref,
            inputs,
            ...details,
            request,
          });
          currentScope().report('underway');
          return answer.status === 200 ? answer.data : undefined;
        });
      try {
        return (await send({ return_run_details: true }))?.workflow_run_id;
      } catch (error) {
        if (!(error instanceof ServiceError) || ![400, 422].includes(error.status)) throw error;
        return (await send({}))?.workflow_run_id;
      }
    },

    /** The run of that id where its dispatch told one, else the newest dispatched run whose title holds the marker. */
    async findRun(repository: string, workflow: string, marker: string, id?: number): Promise<WorkflowRun | undefined> {
      if (id !== undefined) {
        return ask(`run ${id}`, run, async (request) => {
          const answer = await octokit.rest.actions.getWorkflowRun({ ...split(repository), run_id: id, request });
          return answer.data;
        });
      }
      const { workflow_runs: runs } = await ask(`runs of ${workflow}`, runList, async (request) => {
        const answer = await octokit.rest.actions.listWorkflowRuns({
          ...split(repository),
          workflow_id: workflow,
          event: 'workflow_dispatch',
          per_page: 100,
          request,
        });
        return answer.data;
      });
      return runs.find((one) => holdsMarker(one.display_title, marker));
    },
  };
}

/** Whether a title holds the marker itself: that of a tenth attempt begins like that of the first. */
export function holdsMarker(title: string, marker: string): boolean {
  for (let at = title.indexOf(marker); at !== -1; at = title.indexOf(marker, at + 1)) {
    const around = `${title[at - 1] ?? ' '}${title[at + marker.length] ?? ' '}`;
    if (!/[\w/-]/.test(around)) return true;
  }
  return false;
}

function split(repository: string): { owner: string; repo: string } {
  const [owner = '', repo = ''] = repository.split('/');
  return { owner, repo };
}

type Send = (request: { signal: AbortSignal }) => Promise<unknown>;

interface Question<S extends z.ZodTypeAny> {
  readonly timeoutMs: number;
  /** What is asked for, in the words of a message. */
  readonly what: string;
  readonly schema: S;
  readonly send: Send;
}

/** Runs one request, and turns what can come of it into the errors that the steps know. */
async function askOnce<S extends z.ZodTypeAny>(question: Question<S>): Promise<z.output<S>> {
  const { timeoutMs, what, schema, send } = question;
  const { signal } = currentScope();
  let data: unknown;
  try {
    data = await within(timeoutMs, (inTime) => send({ signal: inTime }));
  } catch (error) {
    signal.throwIfAborted();
    throw translate(what, error);
  }
  const parsed = schema.safeParse(data);
  // A page of something that stands in between comes as text, and half an answer as an empty one.
  if (data === '' || (!parsed.success && (data === undefined || typeof data === 'string'))) {
    throw new NoAnswerError('GitHub', what, new Error('what came is not the JSON that was asked for'));
  }
  if (parsed.success) return parsed.data as z.output<S>;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new UnexpectedAnswerError('GitHub', what, problems.slice(0, 5).join('; '));
}

function translate(what: string, error: unknown): Error {
  const { status, response } = (error ?? {}) as { status?: number; response?: { headers?: Record<string, string> } };
  // Octokit gives a lost connection the status 500, but no response.
  if (typeof status !== 'number' || response === undefined) return new NoAnswerError('GitHub', what, error);
  const { headers = {} } = response;
  const seconds = Number(headers['retry-after'] ?? NaN);
  const spent = headers['x-ratelimit-remaining'] === '0';
  const resetAt = Number((spent ? headers['x-ratelimit-reset'] : undefined) ?? NaN) * 1000;
  const waits = [seconds * 1000, Math.max(0, resetAt - Date.now())].filter(Number.isFinite);
  const wait = waits.length > 0 ? Math.max(...waits) : undefined;
  // A limit that is reached is answered with 403 as often as with 429, and only the headers tell it [docs].
  const limited = Number.isFinite(seconds) || spent;
  const id = status === 403 && limited ? 'rate_limit' : '';
  return new ServiceError('GitHub', what, status, id, error instanceof Error ? error.message : '', wait);
}
