import { describe, expect, test } from '@jest/globals';
import { findOrphaned, goneAfterMs, type OpenRun, type Poller } from '../../../worker/open-runs.ts';

const now = 1_800_000_000_000;
const run = (more: Partial<OpenRun> = {}): OpenRun => ({
  workflowId: 'cutover-an-app',
  taskQueue: 'cutover',
  memo: { stage: 'waiting' },
  searchAttributes: {},
  ...more,
});
const pinned = (build: string, behaviour = 'Pinned'): OpenRun =>
  run({
    searchAttributes: {
      TemporalWorkerDeploymentVersion: [`cutover:${build}`],
      TemporalWorkflowVersioningBehavior: [behaviour],
    },
  });
const poller = (buildId?: string, agoMs = 0, deploymentName = 'cutover'): Poller => ({
  lastAccessTime: { seconds: (now - agoMs) / 1_000 },
  deploymentOptions: buildId === undefined ? null : { deploymentName, buildId },
});
const whyOf = (runs: readonly OpenRun[], polling: readonly Poller[]): string[] =>
  findOrphaned({ runs, pollers: new Map([['cutover', polling]]) }, now).map(({ why }) => why);

describe("is any worker's, or has one", () => {
  test.each<[string, OpenRun, readonly Poller[]]>([
    ['a run on a queue that a worker asks', run(), [poller()]],
    ['a worker that asked a while ago', run(), [poller(undefined, goneAfterMs)]],
    ['a run whose build asks for work', pinned('one'), [poller('two'), poller('one')]],
    ['a run without a build', run(), [poller('two')]],
    ['a run that moves to the current build', pinned('one', 'AutoUpgrade'), [poller('two')]],
  ])('%s', (_, one, polling) => {
    expect(whyOf([one], polling)).toEqual([]);
  });
});

describe('stands still', () => {
  test.each<[string, OpenRun, readonly Poller[], RegExp]>([
    ['no worker', run(), [], /is on the task queue cutover, and no worker asks .* CUTOVER_TASK_QUEUE=cutover\.$/],
    ['a worker that is gone', run(), [poller(undefined, goneAfterMs + 1_000)], /no worker asks/],
    ['a queue that was misspelt', run({ taskQueue: 'cuttover', memo: undefined }), [poller()], /cuttover.*misspelt/],
    ['another build', pinned('one'), [poller('two')], /stays on the build cutover:one, .* docs\/on-call\.md/],
    ['a build of another deployment', pinned('one'), [poller('one', 0, 'other')], /stays on the build/],
    ['a build that is gone', pinned('one'), [poller('one', goneAfterMs + 1_000), poller('two')], /stays on the build/],
    ['a worker without a build', pinned('one'), [poller()], /stays on the build/],
  ])('%s', (_, one, polling, why) => {
    expect(whyOf([one], polling)).toEqual([expect.stringMatching(why)]);
  });

  test('each is told', () => {
    expect(whyOf([pinned('one'), pinned('two'), pinned('three')], [poller('two')])).toHaveLength(2);
  });
});
