import { expect, test } from '@jest/globals';
import { countOrphaned, goneAfterMs, type Poller, type VersionedRun } from '../../../worker/open-runs.ts';

const now = 1_800_000_000_000;
const pinned = (buildId: string): VersionedRun => ({
  TemporalWorkerDeploymentVersion: [`cutover:${buildId}`],
  TemporalWorkflowVersioningBehavior: ['Pinned'],
});
const poller = (buildId: string, agoMs = 0, deploymentName = 'cutover'): Poller => ({
  lastAccessTime: { seconds: (now - agoMs) / 1_000 },
  deploymentOptions: { deploymentName, buildId },
});

test.each<[string, number, readonly VersionedRun[], readonly Poller[]]>([
  ['a run whose build asks for work', 0, [pinned('one')], [poller('one')]],
  ['a run whose build is gone', 1, [pinned('one')], [poller('two')]],
  ['each run whose build is gone', 2, [pinned('one'), pinned('two'), pinned('one')], [poller('two')]],
  ['a build that asked a while ago', 0, [pinned('one')], [poller('one', goneAfterMs)]],
  ['a build that has not asked for too long', 1, [pinned('one')], [poller('one', goneAfterMs + 1_000)]],
  ['the same build of another deployment', 1, [pinned('one')], [poller('one', 0, 'other')]],
  ['no worker at all', 1, [pinned('one')], []],
  ['a worker without a build', 1, [pinned('one')], [{ lastAccessTime: { seconds: now / 1_000 } }]],
  ['a run without a build', 0, [{}], [poller('two')]],
  [
    'a run that moves to the current build',
    0,
    [{ ...pinned('one'), TemporalWorkflowVersioningBehavior: ['AutoUpgrade'] }],
    [],
  ],
])('%s: %d', (_, number, runs, pollers) => {
  expect(countOrphaned(runs, pollers, now)).toBe(number);
});
