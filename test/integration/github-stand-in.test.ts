import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Octokit } from '@octokit/rest';
import { startGithub, type GithubStandIn, type Intercept } from '../../rehearsal/github/index.ts';

const owner = 'ledger-co';
const repo = 'ledger';
const workflow_id = 'production-smoke.yml';
const head = 'a'.repeat(40);
const merged = 'b'.repeat(40);
// A suite that is a real process with a real verdict: it passes unless it is told to expect what no app answers.
const suite = `
  console.log('marker', process.env.INPUT_MARKER, 'user', process.env.SMOKE_EXPECT_USER, process.env.SMOKE_BASE_URL);
  const pause = Number(process.env.SUITE_MS ?? 0);
  setTimeout(() => process.exit(process.env.SMOKE_EXPECT_DIALECT === undefined ? 0 : 1), pause);
`;

let dir: string;
let github: GithubStandIn;
let octokit: Octokit;
let merges: number;
let suiteMs: number;
let intercept: Intercept | undefined;

const client = (auth: string): Octokit =>
  new Octokit({ auth, baseUrl: github.url, log: { debug() {}, info() {}, warn() {}, error() {} } });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'github-stand-in-'));
});
afterAll(() => rm(dir, { recursive: true }));

beforeEach(async () => {
  merges = 0;
  suiteMs = 0;
  intercept = undefined;
  github = await startGithub({
    workDir: dir,
    queuedMs: 50,
    listedAfterMs: 50,
    intercept: async (request) => intercept?.(request),
  });
  github.addRepository({
    fullName: `${owner}/${repo}`,
    defaultBranch: 'trunk',
    headCommit: head,
    pulls: [
      {
        number: 88,
        title: 'Add the <runtime> role',
        base: 'trunk',
        files: Array.from({ length: 45 }, (_, index) => ({
          filename: `grants/${index}.sql`,
          status: 'added' as const,
        })),
        onMerge: async () => {
          merges += 1;
          await new Promise((resolve) => setTimeout(resolve, 50));
          return { commit: merged };
        },
      },
      {
        number: 89,
        title: 'Given up',
        base: 'trunk',
        closed: true,
        files: [],
        onMerge: () => Promise.reject(new Error()),
      },
    ],
    smoke: {
      workflow: workflow_id,
      command: [process.execPath, '-e', suite],
      env: () => ({ SMOKE_BASE_URL: 'http://127.0.0.1:1', SUITE_MS: String(suiteMs) }),
    },
  });
  octokit = client(github.token);
});
afterEach(() => github.stop());

async function dispatch(inputs: Record<string, string>): Promise<number> {
  const { data } = await octokit.request('POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches', {
    owner,
    repo,
    workflow_id,
    ref: 'trunk',
    inputs,
    return_run_details: true,
  });
  return (data as unknown as { workflow_run_id: number }).workflow_run_id;
}

async function runUntil(id: number, wanted: (status: string | null) => boolean) {
  const seen: (string | null)[] = [];
  for (const until = Date.now() + 10_000; Date.now() < until;) {
    const { data } = await octokit.actions.getWorkflowRun({ owner, repo, run_id: id });
    if (data.status !== seen.at(-1)) seen.push(data.status);
    if (wanted(data.status)) return { run: data, seen };
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  throw new Error(`the run never got there; it went ${seen.join(', ')}`);
}
const completed = (id: number) => runUntil(id, (status) => status === 'completed');

describe('access', () => {
  test('another token is refused as GitHub refuses it', async () => {
    await expect(client('somebody-elses').repos.get({ owner, repo })).rejects.toMatchObject({
      status: 401,
      response: { data: { message: 'Bad credentials', documentation_url: expect.any(String), status: '401' } },
    });
    const anonymous = await fetch(`${github.url}/repos/${owner}/${repo}`);
    expect(anonymous.status).toBe(401);
  });

  test('what is not there is a 404 with a JSON body', async () => {
    const notFound = { status: 404, response: { data: { message: 'Not Found', status: '404' } } };
    await expect(octokit.repos.get({ owner, repo: 'other' })).rejects.toMatchObject(notFound);
    await expect(octokit.pulls.get({ owner, repo, pull_number: 1 })).rejects.toMatchObject(notFound);
    await expect(octokit.actions.getWorkflowRun({ owner, repo, run_id: 1 })).rejects.toMatchObject(notFound);
    await expect(octokit.gists.list()).rejects.toMatchObject(notFound);
  });

  test('each request is recorded with its status', async () => {
    await octokit.repos.get({ owner, repo });
    expect(github.requests).toMatchObject([{ method: 'GET', path: `/repos/${owner}/${repo}`, status: 200 }]);
  });
});

describe('a pull request', () => {
  test('is open, merges once, and is then the head of its base', async () => {
    const before = await octokit.pulls.get({ owner, repo, pull_number: 88 });
    expect(before.data).toMatchObject({ number: 88, state: 'open', merged: false, base: { ref: 'trunk', sha: head } });

    const { data } = await octokit.pulls.merge({ owner, repo, pull_number: 88, sha: before.data.head.sha });
    expect(data).toMatchObject({ merged: true, sha: merged });

    const after = await octokit.pulls.get({ owner, repo, pull_number: 88 });
    expect(after.data).toMatchObject({ state: 'closed', merged: true, merge_commit_sha: merged });
    const comparison = await octokit.repos.compareCommitsWithBasehead({ owner, repo, basehead: `${head}...trunk` });
    expect(comparison.data).toMatchObject({ status: 'ahead', ahead_by: 1, commits: [{ sha: merged }] });
  });

  test('two merges at once are one', async () => {
    const merge = () => octokit.pulls.merge({ owner, repo, pull_number: 88 });
    const results = await Promise.allSettled([merge(), merge()]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(merge()).rejects.toMatchObject({ status: 405 });
    expect(merges).toBe(1);
  });

  test('a merge on an outdated head, and of a closed one, is refused', async () => {
    await expect(octokit.pulls.merge({ owner, repo, pull_number: 88, sha: head })).rejects.toMatchObject({
      status: 409,
    });
    await expect(octokit.pulls.merge({ owner, repo, pull_number: 89 })).rejects.toMatchObject({ status: 405 });
    const { data } = await octokit.pulls.get({ owner, repo, pull_number: 89 });
    expect(data).toMatchObject({ state: 'closed', merged: false });
  });

  test('its files come in pages that Octokit follows', async () => {
    const first = await octokit.pulls.listFiles({ owner, repo, pull_number: 88, per_page: 20 });
    expect(first.data).toHaveLength(20);
    const files = await octokit.paginate(octokit.pulls.listFiles, { owner, repo, pull_number: 88, per_page: 20 });
    expect(new Set(files.map(({ filename }) => filename)).size).toBe(45);
    expect(files[0]).toMatchObject({ filename: 'grants/0.sql', status: 'added' });
  });

  test('a merge that cannot be deployed fails and leaves it open', async () => {
    github.addRepository({
      fullName: 'a/b',
      defaultBranch: 'main',
      headCommit: head,
      pulls: [{ number: 1, title: '', base: 'main', files: [], onMerge: () => Promise.reject(new Error('no slug')) }],
      smoke: { workflow: 's.yml', command: ['true'], env: () => ({}) },
    });
    await expect(github.mergePull('a/b', 1)).rejects.toThrow('no slug');
    expect((await octokit.pulls.get({ owner: 'a', repo: 'b', pull_number: 1 })).data.state).toBe('open');
  });
});

describe('a smoke run', () => {
  test('runs the suite, on the commit at the head, and keeps its output', async () => {
    suiteMs = 200;
    await github.mergePull(`${owner}/${repo}`, 88);
    const id = await dispatch({ marker: 'cutover-1:after', expect_user: 'ledger_runtime' });
    const { run, seen } = await completed(id);
    // Each is there for a moment only, and whoever asks may miss one.
    expect(seen).toEqual(['queued', 'in_progress', 'completed'].filter((status) => seen.includes(status)));
    expect(seen.at(-1)).toBe('completed');
    expect(run).toMatchObject({ conclusion: 'success', head_sha: merged, event: 'workflow_dispatch', run_attempt: 1 });
    expect(run.display_title).toContain('cutover-1:after');
    expect(run.html_url).toContain(String(id));
    const log = await readFile(github.runs[0]!.logFile, 'utf8');
    expect(log).toBe('marker cutover-1:after user ledger_runtime http://127.0.0.1:1\n');
  });

  test('fails because the suite fails', async () => {
    github.setSmoke('fail');
    const { run } = await completed(await dispatch({ marker: 'm' }));
    expect(run.conclusion).toBe('failure');
  });

  test('waits for an approval', async () => {
    github.setSmoke('waiting');
    const id = await dispatch({ marker: 'm' });
    await runUntil(id, (status) => status === 'waiting');
    github.approveWaiting();
    expect((await completed(id)).run.conclusion).toBe('success');
  });

  test.each(['queued', 'waiting', 'pass'] as const)('that is %s can be cancelled', async (mode) => {
    suiteMs = 60_000;
    github.setSmoke(mode);
    const id = await dispatch({ marker: 'm' });
    await runUntil(id, (status) => status === (mode === 'pass' ? 'in_progress' : mode));
    await octokit.actions.cancelWorkflowRun({ owner, repo, run_id: id });
    expect((await completed(id)).run.conclusion).toBe('cancelled');
    const again = octokit.actions.cancelWorkflowRun({ owner, repo, run_id: id });
    await expect(again).rejects.toMatchObject({ status: 409 });
  });

  test('somebody else cancels it', async () => {
    suiteMs = 60_000;
    github.setSmoke('cancelled');
    expect((await completed(await dispatch({ marker: 'm' }))).run.conclusion).toBe('cancelled');
  });

  test('ends with the stand-in', async () => {
    suiteMs = 60_000;
    const id = await dispatch({ marker: 'm' });
    await runUntil(id, (status) => status === 'in_progress');
    await github.stop();
    await expect(fetch(github.url)).rejects.toThrow();
    expect(github.runs[0]).toMatchObject({ status: 'completed', conclusion: 'failure' });
  });
});

describe('a dispatch', () => {
  const older = () =>
    octokit.actions.createWorkflowDispatch({ owner, repo, workflow_id, ref: 'trunk', inputs: { marker: 'm1' } });

  test('of an older server answers 204, and the run is found by its marker', async () => {
    github.setDispatch('no-content');
    const { status } = await octokit.actions.createWorkflowDispatch({
      owner,
      repo,
      workflow_id,
      ref: 'trunk',
      inputs: { marker: 'm1' },
      return_run_details: true,
    });
    expect(status).toBe(204);
    const list = () => octokit.actions.listWorkflowRuns({ owner, repo, workflow_id, event: 'workflow_dispatch' });
    expect((await list()).data.total_count).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const { data } = await list();
    expect(data.workflow_runs.map(({ display_title }) => display_title)).toEqual(['production-smoke m1']);
  });

  test('with a field that the server does not know is refused', async () => {
    github.setDispatch('refuses-field');
    await expect(dispatch({ marker: 'm' })).rejects.toMatchObject({ status: 422 });
    expect((await older()).status).toBe(204);
    expect(github.runs).toHaveLength(1);
  });

  test('to another branch or with an input that the workflow does not have is refused', async () => {
    const to = (ref: string, inputs: Record<string, string>) =>
      octokit.actions.createWorkflowDispatch({ owner, repo, workflow_id, ref, inputs });
    await expect(to('main', {})).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('No ref found'),
    });
    await expect(to('trunk', { other: '1' })).rejects.toMatchObject({ status: 422 });
    await expect(
      octokit.actions.createWorkflowDispatch({ owner, repo, workflow_id: 'other.yml', ref: 'trunk' }),
    ).rejects.toMatchObject({ status: 404 });
    expect(github.runs).toHaveLength(0);
  });

  test('is listed newest first, filtered and in pages', async () => {
    for (let index = 0; index < 3; index += 1) await dispatch({ marker: `m${index}` });
    await new Promise((resolve) => setTimeout(resolve, 60));
    const list = (filter: object) => octokit.actions.listWorkflowRuns({ owner, repo, workflow_id, ...filter });
    const paged = await octokit.paginate(octokit.actions.listWorkflowRuns, { owner, repo, workflow_id, per_page: 2 });
    expect(paged.map(({ display_title }) => display_title.at(-1))).toEqual(['2', '1', '0']);
    const minuteAgo = new Date(Date.now() - 60_000).toISOString();
    expect((await list({ created: `>=${minuteAgo}`, branch: 'trunk', head_sha: head })).data.total_count).toBe(3);
    expect((await list({ created: `<${minuteAgo}` })).data.total_count).toBe(0);
    expect((await list({ created: `${minuteAgo}..*` })).data.total_count).toBe(3);
    expect((await list({ branch: 'main' })).data.total_count).toBe(0);
    expect((await list({ event: 'push' })).data.total_count).toBe(0);
  });
});

describe('a bad day', () => {
  test('a dispatch whose answer is lost has happened, and one that is refused has not', async () => {
    intercept = ({ method }) => Promise.resolve(method === 'POST' ? 'hang-up' : undefined);
    await expect(dispatch({ marker: 'lost' })).rejects.toThrow();
    intercept = () => Promise.resolve({ status: 502, body: { message: 'Bad Gateway' } });
    await expect(dispatch({ marker: 'refused' })).rejects.toMatchObject({ status: 502 });
    expect(github.runs.map(({ inputs }) => inputs['marker'])).toEqual(['lost']);
    expect(github.requests.map(({ status }) => status)).toEqual([0, 502]);
  });
});
