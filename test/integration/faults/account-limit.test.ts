import { expect, test } from '@jest/globals';
import { raptor } from '../../../rehearsal/apps.ts';
import { writesOf, type Rig } from '../cutover-rig.ts';
import { withoutPullRequest } from '../run-control.ts';
import type { StepRunner } from '../step-runner.ts';
import { faults } from './faults.ts';
import type { FaultProxy } from './proxy.ts';
import { useSpoiltService } from './spoilt-service.ts';

let rig: Rig;
let proxy: FaultProxy;
let steps: StepRunner;
useSpoiltService('heroku', (spoilt) => void ({ rig, proxy, steps } = spoilt));

test("the account's limit is used up: every run of the worker waits, and no attempt of any is used up by it", async () => {
  const apps = await Promise.all(
    ['first-db', 'second-db', 'third-db'].map((name) =>
      rig.add({ ...raptor, addon: { name, plan: 'standard-0' } }, { target: withoutPullRequest }),
    ),
  );
  const refused = 5;
  const begun = Date.now();
  proxy.arm(faults['is refused with 429 and `Retry-After`'], () => true, 1, refused);
  const answers = await Promise.all(apps.map((app) => steps.answer(app, 'flag')));
  expect(answers).toEqual(
    apps.map(() => expect.objectContaining({ result: expect.objectContaining({ did: 'acted' }) })),
  );
  // Each refusal asks for a second, and those that were refused side by side wait for the same one.
  expect(Date.now() - begun).toBeGreaterThan(1_000);
  for (const { herokuApp } of apps) {
    const written = writesOf(rig.platform).filter((write) => write === `PATCH /apps/${herokuApp}/config-vars`);
    expect(written).toHaveLength(1);
  }
});
