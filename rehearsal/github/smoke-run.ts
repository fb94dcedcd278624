import { timestamp } from './protocol.ts';
import { account, type Repository } from './repository.ts';
import type { RunningSuite } from './suite.ts';

/**
 * How the smoke runs that are dispatched from now on go: `pass` runs the suite as it is; `fail` gives it expectations
 * that no app meets; `queued` never gets a runner; `waiting` waits for an environment's approval until somebody
 * approves or cancels it; `cancelled` is cancelled while it runs; `timed_out` runs into its job's time limit.
 */
export type SmokeMode = 'pass' | 'fail' | 'queued' | 'waiting' | 'cancelled' | 'timed_out';

export type SmokeConclusion = 'success' | 'failure' | 'cancelled' | 'timed_out';

/** A run that is simply there: another person's, an older one, one of another commit. Nothing is run for it. */
export interface PlantedRun {
  readonly inputs?: Readonly<Record<string, string>>;
  /** The commit at the head unless said. */
  readonly headSha?: string;
  /** `completed` when there is a conclusion, else `queued`, unless said. */
  readonly status?: SmokeRun['status'];
  readonly conclusion?: SmokeConclusion;
  /** Milliseconds since 1970; now unless said. */
  readonly createdAt?: number;
  readonly event?: string;
}

/** One smoke run, as a test looks at it. */
export interface SmokeRun {
  readonly id: number;
  readonly repository: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly headSha: string;
  readonly status: 'queued' | 'waiting' | 'in_progress' | 'completed';
  readonly conclusion: SmokeConclusion | null;
  /** The suite's output. */
  readonly logFile: string;
}

/** What is known of it beside that. */
export interface Run extends SmokeRun {
  readonly owner: Repository;
  readonly number: number;
  readonly createdAt: number;
  readonly listedAt: number;
  readonly mode: SmokeMode;
  readonly event: string;
  status: SmokeRun['status'];
  conclusion: SmokeRun['conclusion'];
  updatedAt: number;
  startedAt?: number;
  /** What it ends with, whatever the suite says. */
  overruled?: SmokeConclusion;
  timer?: NodeJS.Timeout;
  suite?: RunningSuite;
}

/** As the lists and the answers to one run show it. */
export function describeRun(run: Run, base: string): Record<string, unknown> {
  const { defaultBranch, smoke } = run.owner.options;
  const name = smoke.workflow.replace(/\.ya?ml$/, '');
  const marker = run.inputs['marker'];
  return {
    id: run.id,
    name,
    // What `run-name: smoke ${{ inputs.marker }}` in the workflow file makes of it.
    display_title: marker === undefined ? name : `${name} ${marker}`,
    run_number: run.number,
    run_attempt: 1,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion,
    workflow_id: workflowId(run.owner),
    path: `.github/workflows/${smoke.workflow}`,
    head_branch: defaultBranch,
    head_sha: run.headSha,
    ...addresses(run, base),
    created_at: timestamp(run.createdAt),
    updated_at: timestamp(run.updatedAt),
    run_started_at: timestamp(run.startedAt ?? run.createdAt),
    actor: account('dispatcher', base),
    triggering_actor: account('dispatcher', base),
    pull_requests: [],
    repository: run.owner.describe(base),
  };
}

export function addresses(run: SmokeRun, base: string): { url: string; html_url: string } {
  return {
    url: `${base}/repos/${run.repository}/actions/runs/${run.id}`,
    html_url: `${base}/${run.repository}/actions/runs/${run.id}`,
  };
}

export function workflowId(repository: Repository): number {
  return repository.id * 10 + 1;
}
