import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Octokit } from '@octokit/rest';
import { startGithub, type GithubStandIn } from '../../rehearsal/github/index.ts';

const at = { owner: 'owner', repo: 'name' };
let dir: string;
let github: GithubStandIn;
let octokit: Octokit;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'github-issues-'));
  github = await startGithub({ workDir: dir });
  github.addRepository({
    fullName: 'owner/name',
    defaultBranch: 'main',
    headCommit: 'a'.repeat(40),
    pulls: [{ number: 40, title: 'Pull', base: 'main', files: [], onMerge: () => Promise.reject(new Error()) }],
    issues: [{ number: 7, title: 'Tracking' }],
    smoke: { workflow: 'smoke.yml', command: ['true'], env: () => ({}) },
  });
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  octokit = new Octokit({ auth: github.token, baseUrl: github.url, log });
});
afterAll(async () => {
  await github?.stop();
  await rm(dir, { recursive: true });
});

test('issues share their numbers and their list with pull requests, page by page', async () => {
  for (const title of ['One', 'Two']) {
    await octokit.rest.issues.create({ ...at, title, body: `<!-- ${title} -->`, labels: ['chore'] });
  }
  const listed = await octokit.paginate(octokit.rest.issues.listForRepo, { ...at, state: 'all', per_page: 2 });
  expect(listed.map(({ number, pull_request }) => [number, pull_request !== undefined])).toEqual([
    [42, false],
    [41, false],
    [7, false],
    [40, true],
  ]);
  expect(listed[0]).toMatchObject({ body: '<!-- Two -->', labels: [{ name: 'chore' }], state: 'open' });
});

test('comments are kept in their order', async () => {
  for (const body of ['first', 'second']) await octokit.rest.issues.createComment({ ...at, issue_number: 7, body });
  const { data } = await octokit.rest.issues.listComments({ ...at, issue_number: 7 });
  expect(data.map((one) => one.body)).toEqual(['first', 'second']);
  expect((await octokit.rest.issues.get({ ...at, issue_number: 7 })).data.comments).toBe(2);
});

test('an issue that is not there, and what is too long, are refused', async () => {
  const comment = (issue_number: number, body: string) =>
    octokit.rest.issues.createComment({ ...at, issue_number, body });
  await expect(comment(8, 'nowhere')).rejects.toMatchObject({ status: 404 });
  await expect(comment(7, 'x'.repeat(65_537))).rejects.toMatchObject({ status: 422 });
  await expect(octokit.rest.issues.create({ ...at, title: '' })).rejects.toMatchObject({ status: 422 });
});
