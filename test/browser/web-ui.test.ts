import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chromium, type Browser } from 'playwright-core';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { queryStatus } from '../../rehearsal/query-status.ts';
import { startTemporal, type RehearsalTemporal } from '../../rehearsal/temporal.ts';
import type { WorkerProcess } from '../../rehearsal/worker-process.ts';
import { createRig, playPeople, type CutoverHandle, type Rig } from '../integration/cutover-rig.ts';
import { atGate } from '../integration/steering.ts';
import { findChromium } from './chromium.ts';
import { keepImage } from './images.ts';
import { openRun, type Message, type RunPage } from './run-page.ts';

// One cutover, and the people who decide about it: each test goes on where the one before it has left the run.

let dir: string;
let temporal: RehearsalTemporal;
let rig: Rig;
let browser: Browser;
let worker: WorkerProcess;
let app: RehearsedApp;
let handle: CutoverHandle;
let run: RunPage;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'web-ui-'));
  const found = await findChromium();
  // A server of its own: the run then has the name that it has in production, which is what the images show.
  temporal = await startTemporal({ dir, cli: process.env['RC_TEST_TEMPORAL_CLI'] ?? '' });
  rig = await createRig({ temporal: { address: temporal.address, taskQueue: 'cutover' } });
  worker = rig.startWorker();
  app = await rig.add(raptor, { ownName: true });
  handle = await rig.start(app);
  browser = await chromium.launch({ executablePath: found.executablePath, env: { ...found.env } });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: 'UTC' });
  context.setDefaultTimeout(15_000);
  await playPeople(rig, handle, app, atGate('go'));
  run = await openRun(await context.newPage(), temporal.uiUrl ?? '', handle.workflowId);
});
afterAll(async () => {
  await browser?.close();
  await rig?.close();
  await temporal?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** The message that the page asks for, with what a person fills in. */
async function filledIn(fields: Message): Promise<Message> {
  return { ...(await run.askedFor()), ...fields };
}

async function refusalOf(message: Message): Promise<string> {
  const dialog = await run.fillIn('Send an Update', 'approve', message);
  await dialog.getByRole('button', { name: 'Submit' }).click();
  return dialog.getByRole('alert').innerText();
}

const closeDialogue = (): Promise<void> =>
  run.page.getByRole('dialog', { name: 'Send an Update' }).getByText('Cancel', { exact: true }).click();

test('the page of a run shows what is asked, of whom, until when, and the message for it', async () => {
  await run.untilItShows('Waiting for approval of the gate go.');
  const text = await run.details.locator('body').innerText();
  expect(text).toMatch(/Cutover of raxx-api-prod, asked for by Rita at .* UTC: waiting, in preflight/);
  expect(text).toMatch(/From Ada, Bo\. Until \d{4}-\d\d-\d\dT/);
  expect(text).toMatch(/to run: 0001_raptor_baseline, 0002_paper_orders, 0003_audit_grants/);
  expect(text).toMatch(/way back/);
  const status = await queryStatus(handle);
  expect(await run.askedFor()).toEqual(status.waitingFor?.message);
  await keepImage(run.page, 'gate-go', 740);
});

test('an update that cannot count is refused in the dialogue, in a sentence, and leaves no trace', async () => {
  const { length } = (await handle.fetchHistory()).events ?? [];
  const unsigned = await refusalOf(await filledIn({}));
  expect(unsigned).toMatch(/^approve was refused: .*a person's name in the place of <…>$/);
  await closeDialogue();
  const requester = await refusalOf(await filledIn({ by: 'Rita' }));
  expect(requester).toBe('approve was refused: Rita is not among the approvers of the target file: Ada, Bo');
  await closeDialogue();
  const other = await refusalOf(await filledIn({ by: 'Ada', plan: '0'.repeat(12) }));
  expect(other).toMatch(/^approve was refused: it names the plan 000000000000, and the open plan is [0-9a-f]{12}$/);
  await keepImage(run.page, 'update-refused', run.page.getByRole('dialog', { name: 'Send an Update' }));
  await closeDialogue();
  expect((await handle.fetchHistory()).events).toHaveLength(length);
});

test('a signal that cannot count is shown with the reason, and the gate stays open', async () => {
  await run.send('Send a Signal', 'approve', await filledIn({ by: 'Rita' }));
  // That is all that its sender hears.
  await run.page.getByRole('log').getByText('Workflow signaled.').waitFor();
  await run.untilItShows(/Last refused, at .* UTC: approve from Rita, because Rita is not among the approvers/);
  await run.untilItShows('Waiting for approval of the gate go.');
});

test('a rejected gate parks the run, and a decision has it asked anew', async () => {
  await run.send('Send a Signal', 'reject', await filledIn({ by: 'Bo', reason: 'the backup is not there yet' }));
  await run.untilItShows('Waiting for a decision about the rejected gate go, attempt 1.');
  const text = await run.details.locator('body').innerText();
  expect(text).toMatch(/Cutover of raxx-api-prod, asked for by Rita at .* UTC: parked, in preflight/);
  expect(text).toContain('From Rita, Ada, Bo, Cy. The action may be retry, undo-rm-11, kill-switch, abort.');
  expect(text).toMatch(/⏸ go .*: Rejected: Bo: the backup is not there yet/);
  await keepImage(run.page, 'gate-rejected', 700);
  // An update that counts closes the dialogue too.
  await run.send('Send an Update', 'resolve', await filledIn({ by: 'Rita', reason: 'there it is' }));
  await run.untilItShows('Waiting for approval of the gate go.');
  expect(await queryStatus(handle)).toMatchObject({ stage: 'waiting', waitingFor: { round: 2 } });
});

test('the message that was pasted, with a name, approves the gate by signal, and RM-10 follows', async () => {
  const message = await filledIn({ by: 'Ada' });
  const dialog = await run.fillIn('Send a Signal', 'approve', message);
  await keepImage(run.page, 'approve-by-signal', dialog);
  await dialog.getByRole('button', { name: 'Submit' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await run.untilItShows('Waiting for approval of the gate rm-11.');
  const text = await run.details.locator('body').innerText();
  expect(text).toMatch(/☑ go .*: approved by Ada/);
  expect(text).toMatch(/☑ smoke Run the smoke suite against the target: /);
});

test('while no worker is up, the memo says what is waited for, and a signal is kept until one is', async () => {
  const message = await filledIn({ by: 'Bo' });
  await worker.stop();
  await run.page.reload();
  await run.page.getByRole('tab', { name: 'Memo' }).click();
  await run.page.getByText('"approval of the gate rm-11"').waitFor();
  // Nobody is there to say which signals there are: the name is typed.
  await run.send('Send a Signal', 'approve', message, 'typed');
  worker = rig.startWorker();
  await run.page.getByRole('tab', { name: 'User Metadata' }).click();
  await run.untilItShows('Waiting for the launch, the point of no return.');
  expect(await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app)).toMatchObject({ ok: true });
});

test('the kill switch is pulled from the list of signals, and the page shows how it ended', async () => {
  const pulled = { by: 'Cy', reason: 'orders fail since 09:40' };
  const dialog = await run.fillIn('Send a Signal', 'killSwitch', pulled);
  await keepImage(run.page, 'kill-switch', dialog);
  await dialog.getByRole('button', { name: 'Submit' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await run.untilItShows(/^rolled-back$/);
  const text = await run.details.locator('body').innerText();
  expect(text).toMatch(/rolled-back: .*orders fail since 09:40/);
  await run.page.getByText('Completed', { exact: true }).first().waitFor();
  await keepImage(run.page, 'kill-switch-outcome', 640);
  expect(await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app, 'sqlite')).toMatchObject({ ok: true });
});
