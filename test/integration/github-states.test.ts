import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Octokit } from '@octokit/rest';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGithub, type GithubStandIn, type PullFile, type PullOptions } from '../../rehearsal/github/index.ts';

const [owner, repo, workflow_id] = ['ledger-co', 'ledger', 'production-smoke.yml'];
const head = 'a'.repeat(40);
const earlier = 'e'.repeat(40);
const merged = 'b'.repeat(40);
const GRANTS = 'GRANT SELECT ON accounts TO ledger_runtime;\n'.repeat(3);

let dir: string;
let github: GithubStandIn;
let octokit: Octokit;
let deployed: string[];

const pull = (number: number, more: Partial<PullOptions> = {}): PullOptions => ({
  number,
  title: `Pull ${number}`,
  base: 'trunk',
  files: [],
  // Merged is not deployed: what the merge sets off here is nothing.
  onMerge: async () => ({ commit: merged }),
  ...more,
});

/** Every kind of file, spread over more than one page of the longest there is. */
const manyFiles: PullFile[] = [
  ...Array.from({ length: 120 }, (_, index): PullFile => ({ filename: `docs/${index}.md`, status: 'modified' })),
  { filename: 'versions/0003_new.py', status: 'added', content: 'revision = "0003"\ndown_revision = "0002"\n' },
  { filename: 'versions/0002_moved.py', status: 'renamed', previousFilename: 'old/0002.py' },
  { filename: 'versions/0001_gone.py', status: 'removed' },
];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'github-states-'));
  deployed = [];
  const files = join(dir, 'files');
  await mkdir(join(files, 'grants'), { recursive: true });
  await writeFile(join(files, 'grants', 'runtime role.sql'), GRANTS);
  await writeFile(join(dir, 'outside.txt'), 'not in the repository');
  await symlink(join(dir, 'outside.txt'), join(files, 'leading-out'));
  github = await startGithub({ workDir: join(dir, 'work'), queuedMs: 20, listedAfterMs: 20 });
  github.addRepository({
    fullName: `${owner}/${repo}`,
    defaultBranch: 'trunk',
    headCommit: head,
    pulls: [
      pull(1, { files: manyFiles }),
      pull(2, { closed: true }),
      pull(3, { base: 'release-2' }),
      pull(4, { merged: { commit: earlier } }),
      pull(5, { onMerge: async () => (deployed.push(merged), { commit: merged }) }),
      pull(6, { merged: { commit: head } }),
    ],
    contents: (commit) => ([head, earlier].includes(commit) ? files : undefined),
    smoke: { workflow: workflow_id, command: ['sleep', '60'], env: () => ({}) },
  });
  octokit = new Octokit({
    auth: github.token,
    baseUrl: github.url,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
});
afterEach(async () => {
  await github.stop();
  await rm(dir, { recursive: true });
});

const getPull = async (pull_number: number) => (await octokit.pulls.get({ owner, repo, pull_number })).data;
const getRun = async (run_id: number) => (await octokit.actions.getWorkflowRun({ owner, repo, run_id })).data;
const listRuns = async (filter: object = {}) =>
  (await octokit.actions.listWorkflowRuns({ owner, repo, workflow_id, ...filter })).data.workflow_runs;
const dispatch = async (marker: string): Promise<number> => {
  const inputs = { marker };
  const asked = { owner, repo, workflow_id, ref: 'trunk', inputs, return_run_details: true };
  const { data } = await octokit.actions.createWorkflowDispatch(asked);
  return (data as unknown as { workflow_run_id: number }).workflow_run_id;
};
const until = async (id: number, status: string) => {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline;) {
    const run = await getRun(id);
    if (run.status === status) return run;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`run ${id} is not ${status} in time`);
};

describe('contents', () => {
  const path = 'grants/runtime role.sql';
  const get = (more: object = {}) => octokit.repos.getContent({ owner, repo, path, ref: head, ...more });

  test('a file at a commit, in base64 with line breaks, or as it is', async () => {
    const { data } = await get();
    const file = data as { type: string; path: string; encoding: string; content: string; size: number };
    expect(file).toMatchObject({ type: 'file', path, encoding: 'base64', size: GRANTS.length });
    expect(file.content).toMatch(/^([\w+/=]{1,60}\n)+$/);
    expect(Buffer.from(file.content, 'base64').toString()).toBe(GRANTS);

    const raw = await get({ mediaType: { format: 'raw+json' } });
    expect(raw.headers['content-type']).toMatch(/^application\/vnd\.github\.raw/);
    expect(raw.data).toBe(GRANTS);
  });

  test('without a ref, and by the name of the branch, it is the head', async () => {
    for (const more of [{ ref: undefined }, { ref: 'trunk' }]) expect((await get(more)).status).toBe(200);
    github.push(`${owner}/${repo}`, 'f'.repeat(40));
    await expect(get({ ref: 'trunk' })).rejects.toMatchObject({ status: 404 });
    expect((await get()).status).toBe(200);
  });

  test('a folder is listed', async () => {
    expect((await get({ path: 'grants' })).data).toMatchObject([{ type: 'file', name: 'runtime role.sql', path }]);
  });

  test('404 for a missing file, an unknown commit and what lies outside', async () => {
    for (const missing of ['grants/none.sql', 'grants/runtime role.sql/x', 'leading-out', '..%2Foutside.txt']) {
      await expect(get({ path: missing })).rejects.toMatchObject({ status: 404 });
    }
    const url = `${github.url}/repos/${owner}/${repo}/contents/..%2Foutside.txt?ref=${head}`;
    const headers = { authorization: `token ${github.token}`, 'user-agent': 'test' };
    expect((await fetch(url, { headers })).status).toBe(404);
    await expect(get({ ref: 'c'.repeat(40) })).rejects.toMatchObject({
      status: 404,
      message: expect.stringContaining('No commit found for the ref'),
    });
  });
});

describe('a pull request', () => {
  test('every kind of file is found on some page, an added one with its text', async () => {
    const asked = { owner, repo, pull_number: 1, per_page: 100 };
    expect((await octokit.pulls.listFiles(asked)).data.map(({ status }) => status)).not.toContain('added');
    const files = await octokit.paginate(octokit.pulls.listFiles, asked);
    expect(files.slice(120)).toMatchObject([
      { status: 'added', patch: '@@ -0,0 +1,2 @@\n+revision = "0003"\n+down_revision = "0002"', additions: 2 },
      { status: 'renamed', previous_filename: 'old/0002.py', additions: 0 },
      { status: 'removed', deletions: 1 },
    ]);
    expect(files[0]).not.toHaveProperty('patch');
    expect((await getPull(1)).changed_files).toBe(123);
  });

  test('closed without a merge, from the start or while somebody waits for it', async () => {
    const closed = { state: 'closed', merged: false, merged_at: null, merge_commit_sha: null };
    expect(await getPull(2)).toMatchObject({ ...closed, closed_at: expect.any(String) });
    expect((await getPull(1)).closed_at).toBeNull();
    github.closePull(`${owner}/${repo}`, 1);
    expect(await getPull(1)).toMatchObject({ ...closed, closed_at: expect.any(String) });
    await expect(octokit.pulls.merge({ owner, repo, pull_number: 1 })).rejects.toMatchObject({ status: 405 });
    expect(() => github.closePull(`${owner}/${repo}`, 1)).toThrow('Validation Failed');
  });

  test('merged into another branch, it leaves the default one where it is', async () => {
    await github.mergePull(`${owner}/${repo}`, 3);
    expect(await getPull(3)).toMatchObject({ merged: true, merge_commit_sha: merged, base: { ref: 'release-2' } });
    const basehead = `${head}...trunk`;
    expect((await octokit.repos.compareCommitsWithBasehead({ owner, repo, basehead })).data.status).toBe('identical');
  });

  test('merged long ago lies below the head, or is the head', async () => {
    expect(await getPull(4)).toMatchObject({ state: 'closed', merged: true, merge_commit_sha: earlier });
    expect(await getPull(6)).toMatchObject({ merged: true, merge_commit_sha: head });
    const basehead = `${earlier}...trunk`;
    const { data } = await octokit.repos.compareCommitsWithBasehead({ owner, repo, basehead });
    expect(data).toMatchObject({ status: 'ahead', ahead_by: 1, commits: [{ sha: head }] });
  });

  test('merged is not deployed, unless the merge sets that off', async () => {
    await github.mergePull(`${owner}/${repo}`, 1);
    expect([(await getPull(1)).merged, deployed]).toEqual([true, []]);
    await github.mergePull(`${owner}/${repo}`, 5);
    expect(deployed).toEqual([merged]);
  });
});

describe('runs', () => {
  test('queued for want of a runner, until there is one', async () => {
    github.setSmoke('queued');
    const id = await dispatch('m');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await getRun(id)).status).toBe('queued');
    github.approveWaiting();
    expect((await getRun(id)).status).toBe('queued');
    github.startQueued();
    await until(id, 'in_progress');
  });

  test('waiting is not queued: a free runner does not help it', async () => {
    github.setSmoke('waiting');
    const id = await dispatch('m');
    github.startQueued();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(await getRun(id)).toMatchObject({ status: 'waiting', conclusion: null });
    expect((await listRuns({ status: 'waiting' })).map((run) => run.id)).toEqual([id]);
    github.approveWaiting();
    await until(id, 'in_progress');
  });

  test('timed out and cancelled are neither success nor failure', async () => {
    for (const conclusion of ['timed_out', 'cancelled'] as const) {
      github.setSmoke(conclusion);
      expect((await until(await dispatch('m'), 'completed')).conclusion).toBe(conclusion);
    }
  });

  test('of somebody else, with a marker that is nearly the same, newest first', async () => {
    const at = Date.now();
    const conclusion = 'success';
    const older = github.plantRun(`${owner}/${repo}`, {
      inputs: { marker: 'run-1' },
      conclusion,
      createdAt: at - 60_000,
    });
    const push = github.plantRun(`${owner}/${repo}`, { status: 'in_progress', event: 'push', createdAt: at - 30_000 });
    const mine = await dispatch('run-12');
    github.plantRun(`${owner}/${repo}`, { inputs: { marker: 'run-123' }, createdAt: at + 60_000 });
    await new Promise((resolve) => setTimeout(resolve, 40));
    const dispatched = (await listRuns({ event: 'workflow_dispatch' })).map(({ display_title }) => display_title);
    expect(dispatched).toEqual(['production-smoke run-12', 'production-smoke run-1']);
    expect((await listRuns()).map(({ id }) => id)).toEqual([mine, push.id, older.id]);
    expect(await getRun(older.id)).toMatchObject({ status: 'completed', conclusion: 'success' });
    expect(await getRun(push.id)).toMatchObject({ status: 'in_progress', event: 'push', conclusion: null });
  });

  test('a push between two dispatches gives the second another commit', async () => {
    const first = await dispatch('m1');
    github.push(`${owner}/${repo}`, merged);
    const second = await dispatch('m2');
    expect([(await getRun(first)).head_sha, (await getRun(second)).head_sha]).toEqual([head, merged]);
    const planted = github.plantRun(`${owner}/${repo}`, { headSha: earlier, inputs: { marker: 'm3' } });
    expect((await listRuns({ head_sha: earlier })).map(({ id }) => id)).toEqual([planted.id]);
  });
});
