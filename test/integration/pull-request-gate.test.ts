import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import type { AppOptions } from '../../rehearsal/deploy-app.ts';
import type { PullFile } from '../../rehearsal/github/index.ts';
import { composeSlug } from '../../rehearsal/slugs.ts';
import { createRig, writesOf, type CutoverHandle, type Rig } from './cutover-rig.ts';
import { atGate, decide, isDone, isParkedAt, isRunning, itemOf, stop, watch } from './steering.ts';

const step = 'await-pull-request';
const versions = 'backend_v2/alembic/versions';
const { number } = raptor.pull;
let rig: Rig;
beforeAll(async () => {
  rig = await createRig();
  rig.startWorker();
});
afterAll(() => rig.close());

/** Each app's repository takes the place of the one before it, so one test at a time. */
async function start(
  name: string,
  { pullRequest, ...options }: AppOptions & { pullRequest?: Record<string, unknown> } = {},
): Promise<{ app: RehearsedApp; handle: CutoverHandle }> {
  const app = await rig.add(
    { ...raptor, addon: { name: `${name}-db`, plan: 'standard-0' } },
    {
      ...options,
      target: (target) => {
        Object.assign(target['pullRequest'] as object, pullRequest);
      },
    },
  );
  return { app, handle: await rig.start(app) };
}

/** Deploys what the pull request brings, as a person does where merging deploys nothing. */
async function deployMerged(app: RehearsedApp): Promise<void> {
  const into = path.join(rig.dir, `deployed-${app.herokuApp}`);
  await rig.platform.heroku.deploy(app.herokuApp, await composeSlug({ app: 'raptor', into, withPullRequest: true }));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(100);
}

const merge = (): Promise<void> => rig.platform.github.mergePull(raptor.repository, number);

/** Requests to the pull request itself so far: one a look. */
const looks = (): number => rig.platform.github.requests.filter((one) => one.path.endsWith(`/pulls/${number}`)).length;

test('closed unmerged: parked with the reason, and goes on once it is reopened and merged', async () => {
  const { handle } = await start('closed', { pull: { closed: true } });
  // Found at once, before anybody waits for it.
  const found = await watch(handle, isParkedAt('inspect-pull-request'));
  const { github } = rig.platform;
  expect(itemOf(found, 'inspect-pull-request')?.failure).toMatchObject({
    type: 'PullRequestRefused',
    message: expect.stringMatching(
      /2173 of raxx-app\/TradeMasterAPI was closed without being merged\. Reopen and merge/,
    ),
  });
  github.reopenPull(raptor.repository, number);
  await decide(handle, found, 'retry');
  await watch(handle, isRunning(step));

  // And while it is waited for.
  github.closePull(raptor.repository, number);
  const parked = await watch(handle, isParkedAt(step));
  expect(itemOf(parked, step)?.failure?.type).toBe('PullRequestRefused');
  github.reopenPull(raptor.repository, number);
  await merge();
  await decide(handle, parked, 'retry');
  const done = await watch(handle, atGate('go'));
  await stop(handle);
  expect(itemOf(done, step)?.evidence).toMatchObject({ number, proof: expect.stringContaining('0003_audit_grants') });
});

test('merged elsewhere: parked with the reason, and nothing is written', async () => {
  const before = writesOf(rig.platform).length;
  const { handle } = await start('elsewhere', { pull: { base: 'develop' }, merged: true });
  const parked = await watch(handle, isParkedAt('inspect-pull-request'));
  expect(itemOf(parked, 'inspect-pull-request')?.failure).toMatchObject({
    type: 'PullRequestRefused',
    message: expect.stringMatching(/is for the branch develop; expected main/),
  });
  await decide(handle, parked, 'abort');
  expect((await handle.result()).outcome).toMatchObject({ result: 'aborted', by: 'Ada' });
  expect(writesOf(rig.platform).slice(before)).toEqual([]);
});

test('merged is not deployed: waited for, parked when it is overdue, and goes on once it is deployed', async () => {
  const { app, handle } = await start('undeployed', {
    deployOnMerge: false,
    pullRequest: { deployWithinMinutes: 0.07 },
  });
  await watch(handle, isRunning(step));
  await merge();
  const parked = await watch(handle, isParkedAt(step));
  expect(itemOf(parked, step)?.failure).toMatchObject({
    type: 'DeployOverdue',
    message: expect.stringMatching(/is merged, and after 0\.07 minutes .* still lacks 0003_audit_grants\. Deploy it/),
  });
  await deployMerged(app);
  await decide(handle, parked, 'retry');
  const done = await watch(handle, atGate('go'));
  await stop(handle);
  expect(itemOf(done, step)?.evidence).toMatchObject({
    base: 'main',
    proof: expect.stringContaining('0003_audit_grants'),
  });
  // One upgrade is to apply it too.
  expect(done.plans.go?.facts.migrations.pending).toEqual([
    '0001_raptor_baseline',
    '0002_paper_orders',
    '0003_audit_grants',
  ]);
});

test.each<[PullFile['status'], Partial<PullFile>]>([
  ['added', {}],
  ['modified', {}],
  ['renamed', { previousFilename: `${versions}/0003_draft.py` }],
])('a revision that is %s is found on the last of several pages', async (status, more) => {
  const documents = Array.from({ length: 230 }, (_, index): PullFile => ({
    filename: `docs/${String(index).padStart(3, '0')}.md`,
    status: 'added',
  }));
  const { handle } = await start(`pages-${status}`, {
    pullFiles: [
      ...documents,
      { filename: `${versions}/0002_gone.py`, status: 'removed' },
      { filename: `${versions}/0003_audit_grants.py`, status, ...more },
    ],
  });
  const seen = await watch(handle, isDone('inspect-pull-request'));
  await stop(handle);
  expect(itemOf(seen, 'inspect-pull-request')?.evidence).toMatchObject({
    merged: false,
    revisionFiles: [`${versions}/0003_audit_grants.py`],
  });
  // It adds a revision, so it is waited for before the plan is made.
  const order = seen.items.map(({ id }) => id).filter((id) => [step, 'survey', 'upgrade'].includes(id));
  expect(order).toEqual([step, 'survey', 'upgrade']);
});

test('waiting for the merge adds nothing to the history', async () => {
  const { handle } = await start('patient');
  await watch(handle, isRunning(step));
  const first = looks();
  await until(() => looks() > first);
  const events = (await handle.describe()).historyLength;
  const seen = looks();
  await until(() => looks() >= seen + 4);
  expect((await handle.describe()).historyLength).toBe(events);
  await stop(handle);
});

test('merged and deployed before the cutover began: passed at the first look', async () => {
  const { handle } = await start('merged', { merged: true, pullRequest: { pollSeconds: 600 } });
  const done = await watch(handle, atGate('go'));
  await stop(handle);
  expect(itemOf(done, 'inspect-pull-request')?.evidence).toMatchObject({ merged: true });
  expect(itemOf(done, step)).toMatchObject({ did: 'observed', attempt: 1 });
});
