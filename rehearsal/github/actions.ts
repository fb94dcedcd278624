import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { OrphanGuard } from '../orphan-guard.ts';
import { createdFilter } from './created-filter.ts';
import { GithubError, page, route, type Answer, type Call, type Route } from './protocol.ts';
import type { Repository } from './repository.ts';
import {
  addresses,
  describeRun,
  workflowId,
  type PlantedRun,
  type Run,
  type SmokeConclusion,
  type SmokeMode,
  type SmokeRun,
} from './smoke-run.ts';
import { runSuite } from './suite.ts';

/**
 * What a dispatch with `return_run_details` is answered: `details` is github.com; `no-content` a server that does not
 * know the field and ignores it; `refuses-field` one that answers 422 to it.
 */
export type DispatchMode = 'details' | 'no-content' | 'refuses-field';

/** Inputs that the smoke workflow declares; others are refused, as GitHub does. */
const INPUTS: readonly string[] = ['marker', 'expect_user'];
/** What no app answers; `fail` expects it. */
const IMPOSSIBLE = 'impossible';

/** Workflow runs of every repository: dispatched, queued, run for real, concluded. */
export class Actions {
  readonly #runs = new Map<number, Run>();
  readonly #options: { workDir: string; guard: OrphanGuard; queuedMs: number; listedAfterMs: number };
  readonly #log: (line: string) => void;
  // Real run ids need more than 32 bits; a client that cuts them off is found out.
  #nextId = 10_000_000_000 + randomInt(1_000_000_000);
  #stopped = false;
  dispatchMode: DispatchMode = 'details';
  smokeMode: SmokeMode = 'pass';

  constructor(
    options: { workDir: string; guard: OrphanGuard; queuedMs: number; listedAfterMs: number },
    log: (line: string) => void,
  ) {
    this.#options = options;
    this.#log = log;
  }

  get runs(): readonly SmokeRun[] {
    return [...this.#runs.values()];
  }

  /** What an environment's reviewer does: a waiting run goes on. */
  approveWaiting(): void {
    for (const run of this.#runs.values()) {
      if (run.status !== 'waiting' || run.mode !== 'waiting') continue;
      run.status = 'queued';
      this.#startSoon(run);
    }
  }

  /** Runners are free again: runs that were queued for want of one go on. */
  startQueued(): void {
    for (const run of this.#runs.values()) {
      if (run.status === 'queued' && run.mode === 'queued') this.#startSoon(run);
    }
  }

  plant(repository: Repository, planted: PlantedRun): SmokeRun {
    const { inputs = {}, headSha, conclusion = null, createdAt = Date.now(), event } = planted;
    const { status = conclusion === null ? 'queued' : 'completed' } = planted;
    const run = this.#add(repository, inputs, {
      createdAt,
      listedAt: createdAt,
      ...(headSha ? { headSha } : {}),
      ...(event ? { event } : {}),
    });
    run.status = status;
    run.conclusion = conclusion;
    return run;
  }

  routes(find: (call: Call) => Repository): Route[] {
    const actions = '/repos/{owner}/{repo}/actions';
    return [
      route('POST', `${actions}/workflows/{workflow}/dispatches`, (call) => this.#dispatch(find(call), call)),
      route('GET', `${actions}/workflows/{workflow}/runs`, (call) => {
        const repository = find(call);
        this.#requireWorkflow(repository, call);
        return this.#list(repository, call);
      }),
      route('GET', `${actions}/runs`, (call) => this.#list(find(call), call)),
      route('GET', `${actions}/runs/{id}`, (call) => {
        return { status: 200, body: describeRun(this.#find(find(call), call), call.base) };
      }),
      route('POST', `${actions}/runs/{id}/cancel`, (call) => this.#cancel(this.#find(find(call), call))),
    ];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const runs = [...this.#runs.values()];
    for (const run of runs) clearTimeout(run.timer);
    await Promise.all(runs.map(async (run) => run.suite?.stop()));
  }

  #requireWorkflow(repository: Repository, call: Call): void {
    const { workflow } = repository.options.smoke;
    if (call.params['workflow'] === workflow || call.params['workflow'] === String(workflowId(repository))) return;
    throw new GithubError(404, 'Not Found', 'actions/workflows#get-a-workflow');
  }

  #find(repository: Repository, call: Call): Run {
    const run = this.#runs.get(Number(call.params['id']));
    if (!run || run.owner !== repository) {
      throw new GithubError(404, 'Not Found', 'actions/workflow-runs#get-a-workflow-run');
    }
    return run;
  }

  #dispatch(repository: Repository, call: Call): Answer {
    const documentation = 'actions/workflows#create-a-workflow-dispatch-event';
    this.#requireWorkflow(repository, call);
    const { ref, inputs = {}, return_run_details: details } = call.body;
    if (details !== undefined && this.dispatchMode === 'refuses-field') {
      const message = 'Invalid request.\n\n"return_run_details" is not a permitted key.';
      throw new GithubError(422, message, documentation);
    }
    const { defaultBranch } = repository.options;
    if (typeof ref !== 'string')
      throw new GithubError(422, 'Invalid request.\n\n"ref" wasn\'t supplied.', documentation);
    if (ref !== defaultBranch && ref !== `refs/heads/${defaultBranch}`) {
      throw new GithubError(422, `No ref found for: ${ref}`, documentation);
    }
    const given = Object.entries(inputs as Record<string, unknown>);
    const unexpected = given.filter(([name]) => !INPUTS.includes(name)).map(([name]) => name);
    if (unexpected.length > 0) {
      throw new GithubError(422, `Unexpected inputs provided: ${JSON.stringify(unexpected)}`, documentation);
    }
    const run = this.#create(repository, Object.fromEntries(given.map(([name, value]) => [name, String(value)])));
    if (details !== true || this.dispatchMode !== 'details') return { status: 204 };
    const { url, html_url } = addresses(run, call.base);
    return { status: 200, body: { workflow_run_id: run.id, run_url: url, html_url } };
  }

  #create(repository: Repository, inputs: Record<string, string>): Run {
    const run = this.#add(repository, inputs, { mode: this.smokeMode });
    this.#log(`smoke run ${run.id} of ${run.repository} dispatched`);
    if (run.mode !== 'waiting' && run.mode !== 'queued') this.#startSoon(run);
    return run;
  }

  #add(
    repository: Repository,
    inputs: Readonly<Record<string, string>>,
    more: Partial<Pick<Run, 'mode' | 'headSha' | 'createdAt' | 'listedAt' | 'event'>>,
  ): Run {
    const id = this.#nextId;
    this.#nextId += 1 + randomInt(1000);
    const now = Date.now();
    const run: Run = {
      id,
      owner: repository,
      repository: repository.options.fullName,
      inputs,
      number: [...this.#runs.values()].filter((other) => other.owner === repository).length + 1,
      headSha: repository.headCommit,
      createdAt: now,
      listedAt: now + this.#options.listedAfterMs,
      updatedAt: now,
      mode: 'pass',
      event: 'workflow_dispatch',
      status: more.mode === 'waiting' ? 'waiting' : 'queued',
      conclusion: null,
      logFile: join(this.#options.workDir, `run-${id}.log`),
      ...more,
    };
    this.#runs.set(id, run);
    return run;
  }

  #startSoon(run: Run): void {
    run.timer = setTimeout(() => void this.#execute(run), this.#options.queuedMs);
  }

  /** Settles every outcome itself: nothing awaits it. */
  async #execute(run: Run): Promise<void> {
    if (this.#stopped || run.status === 'completed') return;
    run.status = 'in_progress';
    run.startedAt = run.updatedAt = Date.now();
    const { smoke } = run.owner.options;
    try {
      run.suite = runSuite({
        command: smoke.command,
        cwd: smoke.cwd ?? this.#options.workDir,
        env: {
          ...smoke.env(),
          SMOKE_EXPECT_USER: run.inputs['expect_user'] ?? '',
          ...Object.fromEntries(Object.entries(run.inputs).map(([name, v]) => [`INPUT_${name.toUpperCase()}`, v])),
          GITHUB_SHA: run.headSha,
          GITHUB_RUN_ID: String(run.id),
          ...(run.mode === 'fail' ? { SMOKE_EXPECT_DIALECT: IMPOSSIBLE, SMOKE_EXPECT_USER: IMPOSSIBLE } : {}),
        },
        logFile: run.logFile,
        guard: this.#options.guard,
      });
      if (run.mode === 'cancelled') this.#cancel(run);
      // [docs] A job that takes longer than its `timeout-minutes` is ended.
      if (run.mode === 'timed_out') this.#overrule(run, 'timed_out');
      const code = await run.suite.ended;
      this.#complete(run, run.overruled ?? (code === 0 ? 'success' : 'failure'));
    } catch {
      this.#complete(run, 'failure');
    }
  }

  #complete(run: Run, conclusion: NonNullable<SmokeRun['conclusion']>): void {
    run.status = 'completed';
    run.conclusion = conclusion;
    run.updatedAt = Date.now();
    this.#log(`smoke run ${run.id} of ${run.repository}: ${conclusion}`);
  }

  /** Answers at once; the run is over when its processes are. */
  #cancel(run: Run): Answer {
    if (run.status === 'completed') {
      const documentation = 'actions/workflow-runs#cancel-a-workflow-run';
      throw new GithubError(409, 'Cannot cancel a workflow run that is completed.', documentation);
    }
    this.#overrule(run, 'cancelled');
    return { status: 202, body: {} };
  }

  #overrule(run: Run, conclusion: SmokeConclusion): void {
    run.overruled = conclusion;
    clearTimeout(run.timer);
    if (run.suite) void run.suite.stop();
    else this.#complete(run, conclusion);
  }

  #list(repository: Repository, call: Call): Answer {
    const now = Date.now();
    const created = createdFilter(call.query.get('created'));
    const wanted = (name: string, value: string): boolean => {
      const filter = call.query.get(name);
      return filter === null || filter === value;
    };
    const found = [...this.#runs.values()]
      // A run shows in the list a moment after it was dispatched. [docs] reports of clients that looked too early
      .filter((run) => run.owner === repository && run.listedAt <= now && created(run.createdAt))
      .filter((run) => wanted('head_sha', run.headSha) && wanted('branch', run.owner.options.defaultBranch))
      .filter((run) => wanted('event', run.event))
      // `status` takes a conclusion as well. [docs] REST, list workflow runs
      .filter((run) => wanted('status', run.status) || wanted('status', run.conclusion ?? ''))
      .sort((a, b) => b.createdAt - a.createdAt || b.id - a.id);
    const { items, headers } = page(call, found);
    return {
      status: 200,
      headers,
      body: { total_count: found.length, workflow_runs: items.map((run) => describeRun(run, call.base)) },
    };
  }
}
