import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { raptor, targetsFolder, type RehearsedApp } from '../../../rehearsal/apps.ts';
import { copyTarget } from '../../../rehearsal/target-copy.ts';
import type { StepId } from '../../../workflows/steps.ts';
import type { Rig } from '../cutover-rig.ts';
import type { StepRunner } from '../step-runner.ts';
import { faultsByName, impatientMs } from './faults.ts';
import { expectSection, handlingOf, tableOf, type Observed, type SeenFailure, withoutFailure } from './page.ts';
import { performThrough } from './performing.ts';
import { isWrite, type Fault, type FaultProxy } from './proxy.ts';
import { useSpoiltService } from './spoilt-service.ts';

let rig: Rig;
let proxy: FaultProxy;
let steps: StepRunner;
let app: RehearsedApp;
const observed: Observed[] = [];
useSpoiltService(
  'github',
  async (spoilt) => {
    ({ rig, proxy, steps } = spoilt);
    app = await rig.add(raptor);
    await steps.perform(app, 'upgrade');
  },
  impatientMs,
);

/** Performs a step whose nth write, or first read, meets the fault. */
async function meet(
  subject: RehearsedApp,
  step: StepId,
  { name, fault, wanted = isWrite, nth = 1 }: { name: string; fault: Fault; wanted?: typeof isWrite; nth?: number },
): Promise<void> {
  proxy.arm(fault, wanted, nth);
  const run = `${step}-${observed.length}`;
  const { failure } = await performThrough({ rig, steps }, subject, step, { run, report: 'All is well.' }, () => {
    expect([step, proxy.met()]).toEqual([step, expect.anything()]);
  });
  if (failure !== null) expect(failure.type).toBe('PlatformUnavailable');
  observed.push({ fault: name, step, failure, does: doneAbout(failure, fault, wanted === isWrite) });
}

function doneAbout(failure: SeenFailure | null, fault: Fault, writes: boolean): string {
  if (failure === null) return withoutFailure(fault);
  const looks = fault.taken ? 'looks, and leaves what was taken as it is' : 'looks, finds nothing and writes it once';
  return `the attempt ends, ${handlingOf(failure)}; the next one ${writes ? looks : 'looks again'}`;
}

const { repository, trackingIssue, items } = await followUpsOfRaptor();

describe.each(faultsByName)('a write that %s', (name, fault) => {
  test('smoke: the suite runs once', async () => {
    const before = rig.platform.github.runs.length;
    await meet(app, 'smoke', { name, fault });
    expect(rig.platform.github.runs.length).toBe(before + 1);
  });

  test.each([
    ['the first issue', 1],
    ['the comment behind the issues', items.length + 1],
  ])('open-follow-ups, %s: each is there once', async (_, nth) => {
    const own = { ...app, herokuApp: `${app.source}-follow-ups-${observed.length}` };
    await copyTarget(raptor, own, rig.workerEnv['CUTOVER_TARGETS'] ?? '');
    const before = left();
    await meet(own, 'open-follow-ups', { name, fault, nth });
    expect(left()).toEqual({ issues: before.issues + items.length, comments: before.comments + 1 });
  });
});

/** What the follow-ups of every run so far have left. */
function left(): { issues: number; comments: number } {
  const issues = rig.platform.github.issues(repository);
  const comments = issues.find(({ number }) => number === trackingIssue)?.comments ?? [];
  return { issues: issues.length, comments: comments.length };
}

async function followUpsOfRaptor() {
  const text = await readFile(path.join(targetsFolder, `${raptor.herokuApp}.json`), 'utf8');
  const { followUps } = JSON.parse(text) as {
    followUps: { repository: string; trackingIssue: number; items: unknown[] };
  };
  return followUps;
}

describe.each(faultsByName)('a look that %s', (name, fault) => {
  test('inspect-pull-request', () =>
    meet(app, 'inspect-pull-request', { name, fault, wanted: (asked) => !isWrite(asked) }));
});

const text = `In \`smoke\` and \`open-follow-ups\` it is a write, in \`inspect-pull-request\` a look.`;

test('the page says what was seen', () =>
  expectSection('A request to GitHub', `${text}\n\n${tableOf('the request', observed)}`));
