import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import type { Baseline, StepId } from '../../workflows/steps.ts';
import { createRig, writesOf, type Rig } from './cutover-rig.ts';
import { clientOf } from './heroku-client.ts';
import { startStepRunner, type StepRunner } from './step-runner.ts';
import { setConfigVars } from './world.ts';

// Somebody with the official client changes the app between the plan and each of its writes, in their order. Not the
// restarts: the platform restarts the dynos at such a change, and leaves nothing to do for them.

const writes = ['upgrade', 'credential', 'bind-url', 'grants', 'flag'] as const satisfies StepId[];

let rig: Rig;
let steps: StepRunner;
let app: RehearsedApp;
let baseline: Baseline;
const inPlace: StepId[] = [];
beforeAll(async () => {
  rig = await createRig();
  steps = startStepRunner(rig);
  app = await rig.add(raptor);
  const { evidence } = await steps.perform(app, 'survey', { gate: 'go' });
  const { release, config, migrations, matrixDigest } = evidence.facts;
  baseline = { release, config, migrations, matrixDigest };
});
afterAll(async () => {
  await steps?.stop();
  await rig?.close();
});

test.each(writes)('%s: stopped by a config var, and told who set it; done once that is taken back', async (step) => {
  await setConfigVars(rig, app, { LOG_LEVEL: 'debug' });
  const { body: releases } = await clientOf(rig.platform.heroku)('GET', `/apps/${app.herokuApp}/releases`);
  const { version, user } = (releases as { version: number; user: { email: string } }[]).at(-1) ?? {};
  const before = writesOf(rig.platform);
  const call = { baseline, inPlace: [...inPlace] };
  const message = await steps.refused(app, step, 'TargetDrifted', call);
  expect(message).toContain('LOG_LEVEL');
  expect(message).toContain(`(v${version}, ${user?.email}`);
  expect(writesOf(rig.platform)).toEqual(before);

  // What is left of it are two releases, which change nothing that was approved.
  await setConfigVars(rig, app, { LOG_LEVEL: null });
  const { did, drift = [] } = await steps.perform(app, step, call);
  expect(did).toBe('acted');
  expect(drift.map((one) => one.class)).toEqual(drift.map(() => 'harmless'));
  expect(drift.map((one) => one.release)).toContain(version);
  inPlace.push(step);
});
