import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startOrphanGuard } from '../orphan-guard.ts';
import { Actions, type DispatchMode } from './actions.ts';
import { issueRoutes } from './issue-routes.ts';
import type { Issue } from './issues.ts';
import { answerRequest, GithubError, type Call, type Intercept } from './protocol.ts';
import { Repository, repositoryRoutes, type RepositoryOptions } from './repository.ts';
import type { PlantedRun, SmokeMode, SmokeRun } from './smoke-run.ts';

export type { DispatchMode } from './actions.ts';
export type { Issue, IssueOptions } from './issues.ts';
export type { Intercept, InterceptedRequest } from './protocol.ts';
export type { PullFile } from './pull-files.ts';
export type { PullOptions, RepositoryOptions, SmokeOptions } from './repository.ts';
export type { PlantedRun, SmokeConclusion, SmokeMode, SmokeRun } from './smoke-run.ts';

/** One request that the stand-in has answered. */
export interface RecordedRequest {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** 0 when an interceptor hung up. */
  readonly status: number;
}

/** A local server that speaks GitHub's REST API, as far as a cutover needs it. */
export interface GithubStandIn {
  /** `http://127.0.0.1:PORT`: Octokit's `baseUrl`. */
  readonly url: string;
  /** The only token that is accepted; made for this run. */
  readonly token: string;
  readonly requests: readonly RecordedRequest[];
  /** Every smoke run so far, oldest first. */
  readonly runs: readonly SmokeRun[];
  addRepository(options: RepositoryOptions): void;
  /** Does what `PUT /repos/{owner}/{repo}/pulls/{number}/merge` does; resolves when `onMerge` has. */
  mergePull(repository: string, number: number): Promise<void>;
  /** A push to the default branch that no pull request brought. */
  push(repository: string, commit: string): void;
  /** Closes a pull request that was not merged. */
  closePull(repository: string, number: number): void;
  /** Opens one again that was closed unmerged. */
  reopenPull(repository: string, number: number): void;
  /** Puts a run there that nobody dispatched here: another person's, an older one, one of another commit. */
  plantRun(repository: string, run: PlantedRun): SmokeRun;
  /** The issues of a repository, newest first, with their comments. */
  issues(repository: string): readonly Issue[];
  setSmoke(mode: SmokeMode): void;
  setDispatch(mode: DispatchMode): void;
  /** What an environment's reviewer does: runs that are `waiting` go on. */
  approveWaiting(): void;
  /** Runs that are `queued` for want of a runner go on. */
  startQueued(): void;
  /** Ends every suite that runs, and the server. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts the stand-in on a free port of 127.0.0.1.
 *
 * @param options.workDir takes the logs of the smoke runs; made if it is missing, left to the caller to remove
 * @param options.dispatchReturnsRunDetails false plays a server that ignores `return_run_details`
 * @param options.queuedMs how long a run is `queued` before it starts
 * @param options.listedAfterMs how long a new run is missing from lists of runs
 * @param options.intercept plays faults: it sees each request first
 */
export async function startGithub(options: {
  workDir: string;
  dispatchReturnsRunDetails?: boolean;
  queuedMs?: number;
  listedAfterMs?: number;
  intercept?: Intercept;
  log?: (line: string) => void;
}): Promise<GithubStandIn> {
  await mkdir(options.workDir, { recursive: true });
  const { workDir, queuedMs = 100, listedAfterMs = 200 } = options;
  const token = `ghs_${randomBytes(18).toString('hex')}`;
  const guard = startOrphanGuard();
  const actions = new Actions({ workDir, guard, queuedMs, listedAfterMs }, options.log ?? (() => undefined));
  if (options.dispatchReturnsRunDetails === false) actions.dispatchMode = 'no-content';
  const repositories = new Map<string, Repository>();
  const named = (fullName: string): Repository | undefined => repositories.get(fullName.toLowerCase());
  const find = (call: Call): Repository => {
    const repository = named(`${call.params['owner']}/${call.params['repo']}`);
    if (!repository) throw new GithubError(404, 'Not Found', 'repos/repos#get-a-repository');
    return repository;
  };
  const known = (fullName: string): Repository => {
    const repository = named(fullName);
    if (!repository) throw new Error(`the GitHub stand-in has no repository ${fullName}`);
    return repository;
  };
  const routes = [...repositoryRoutes(find), ...issueRoutes(find), ...actions.routes(find)];
  const requests: RecordedRequest[] = [];
  let url = '';
  const server = createServer((request, response) => {
    const at = Date.now();
    const record = (status: number): void => {
      requests.push({ at, method: request.method ?? '', path: request.url ?? '', status });
    };
    // A client that hung up leaves nobody to answer.
    answerRequest(request, response, { base: url, token, routes, record, intercept: options.intercept }).catch(() =>
      response.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await actions.stop();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    await guard.close();
  };
  return {
    url,
    token,
    requests,
    get runs() {
      return actions.runs;
    },
    addRepository: (added) => {
      repositories.set(added.fullName.toLowerCase(), new Repository(added, 1_000 + repositories.size));
    },
    mergePull: async (repository, number) => {
      await known(repository).merge(number);
    },
    push: (repository, commit) => known(repository).push(commit),
    closePull: (repository, number) => known(repository).close(number),
    reopenPull: (repository, number) => known(repository).reopen(number),
    plantRun: (repository, run) => actions.plant(known(repository), run),
    issues: (repository) => known(repository).issues.all,
    setSmoke: (mode) => {
      actions.smokeMode = mode;
    },
    setDispatch: (mode) => {
      actions.dispatchMode = mode;
    },
    approveWaiting: () => actions.approveWaiting(),
    startQueued: () => actions.startQueued(),
    stop: () => (stopping ??= stop()),
  };
}
