import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { createRig, playPeople, type CutoverHandle, type Rig } from './cutover-rig.ts';
import { pullKillSwitch, startToLaunch } from './going-back.ts';
import { eventually } from './heroku-client.ts';
import { findLeaks, textOf } from '../../drill/leaks.ts';
import { startReceiver, type Receiver, type ReceiverMood } from './receiver.ts';
import { approve, atGate, decide, isParkedAt, watch } from './steering.ts';

// One app, cut over again and again, and a receiver that is told of it, or is not there to be.

let receiver: Receiver;
let rig: Rig;
let app: RehearsedApp;
beforeAll(async () => {
  receiver = await startReceiver();
  rig = await createRig();
  const secret = path.join(rig.dir, 'webhook');
  await writeFile(secret, `${receiver.url}\n`, { mode: 0o600 });
  rig.startWorker({ env: { CUTOVER_WEBHOOK_URL_FILE: secret, CUTOVER_WEB_UI_URL: 'https://temporal.example/' } });
  app = await rig.add(raptor);
});
beforeEach(async () => {
  await receiver.become('takes');
  receiver.taken.length = 0;
});
afterAll(async () => {
  await rig?.close();
  await receiver?.close();
});

/** Nothing that the address says is anywhere, whatever the receiver repeated. */
async function expectNoAddress(handle: CutoverHandle): Promise<void> {
  const { pathname } = new URL(receiver.url);
  const places = [
    { name: 'the history', text: textOf(await handle.fetchHistory()) },
    { name: 'the description', text: textOf((await handle.describe()).raw) },
    { name: 'what was sent', text: receiver.bodies.join('\n') },
    { name: "the worker's log", text: await readFile(rig.workerLog, 'utf8') },
  ];
  expect(places.map(({ text }) => text.length > 0)).toEqual(places.map(() => true));
  expect(findLeaks(places, [receiver.url, pathname, pathname.slice('/services/'.length)])).toEqual([]);
}

test('gates, a parked step, the kill switch and the end are told, with what is asked and a link', async () => {
  rig.platform.github.setSmoke('fail');
  const handle = await rig.start(app);
  const parked = await playPeople(rig, handle, app);
  expect(isParkedAt('smoke')(parked)).toBe(true);
  rig.platform.github.setSmoke('pass');
  await decide(handle, parked, 'retry');
  await playPeople(rig, handle, app, atGate('launch'));
  await pullKillSwitch(handle);
  await handle.result();
  const { runId } = await handle.describe();

  expect(receiver.taken.map(({ notice }) => notice.event)).toEqual([
    'gate-opened',
    'parked',
    'gate-opened',
    'gate-opened',
    'kill-switch',
    'ended',
  ]);
  const [opened, stopped, , , pulled, ended] = receiver.taken;
  const page = `https://temporal.example/namespaces/default/workflows/cutover-${app.herokuApp}`;
  expect(opened?.notice.asked?.message).toMatchObject({ gate: 'go', plan: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(opened?.text).toContain(`<${page}|Open the run>`);
  expect(stopped?.notice.asked?.message).toEqual(parked.waitingFor?.message);
  expect(stopped?.notice.happened).toMatch(/^The step smoke is parked: SmokeFailed: /);
  expect(pulled?.text).toMatch(/The kill switch was pulled by Cy: it does not look right/);
  expect(ended?.notice).toMatchObject({ asked: null, link: `${page}/${runId}` });
  expect(ended?.notice.happened).toMatch(/^The run has ended, rolled-back: /);
  expect(new Set(receiver.taken.map(({ notice }) => notice.id)).size).toBe(6);
  await expectNoAddress(handle);
});

test.each<ReceiverMood>(['down', 'fails', 'hangs'])('a receiver that %s holds nothing up', async (mood) => {
  await receiver.become(mood);
  const handle = await rig.start(app);
  await approve(handle, await watch(handle, atGate('go')));
  // RM-10 goes on while the notice of its gate is still tried.
  await watch(handle, atGate('rm-11'));
  const tries = async (): Promise<(number | null | undefined)[]> =>
    ((await handle.describe()).raw.pendingActivities ?? [])
      .filter(({ activityType }) => activityType?.name === 'tellPeople')
      .map(({ attempt }) => attempt);
  await eventually(tries, (seen) => seen.some((attempt) => (attempt ?? 0) > 1), 30_000);
  await handle.cancel();
  expect((await handle.result()).outcome).toMatchObject({ result: 'aborted' });
  const { journal } = await handle.query<{ journal: { event: string; at: number }[] }>('status');
  const { closeTime } = await handle.describe();
  const waited = (closeTime?.getTime() ?? 0) - (journal.find(({ event }) => event === 'ended')?.at ?? 0);
  expect(waited).toBeLessThan(40_000);
  expect(receiver.taken).toEqual([]);
  await expectNoAddress(handle);
});

test('the kill switch does not wait for a receiver that is down; once it is back, people hear what it missed', async () => {
  const handle = await startToLaunch(rig, app);
  receiver.taken.length = 0;
  await receiver.become('down');
  await pullKillSwitch(handle);
  // It serves again before anybody was told.
  await eventually(
    async () => (await handle.query<{ items: { id: string; state: string }[] }>('status')).items,
    (items) => items.some(({ id, state }) => id === 'verify-serving' && state === 'done'),
    120_000,
  );
  expect(receiver.taken).toEqual([]);
  await receiver.become('takes');
  expect((await handle.result()).outcome).toMatchObject({ result: 'rolled-back' });
  expect(receiver.taken.map(({ notice }) => notice.event).sort()).toEqual(['ended', 'kill-switch']);
});
