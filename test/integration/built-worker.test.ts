import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { raptor } from '../../rehearsal/apps.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { buildWorker } from '../../worker/build-worker.ts';
import { projectFolder } from '../../worker/source-digest.mjs';
import { createRig, playPeople } from './cutover-rig.ts';
import { startProgram } from './started-program.ts';

// What `npm run build` makes of the worker does what the sources do, where nothing reads TypeScript.

/** Inside the project, whose packages it needs. */
const folder = path.join(projectFolder, 'dist', `test-${randomUUID()}`);
let entry: string;

beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  entry = await buildWorker(path.join(folder, 'worker.js'));
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test('it performs a whole cutover', async () => {
  const rig = await createRig();
  try {
    rig.startWorker({ entry });
    const app = await rig.add(raptor);
    const status = await playPeople(rig, await rig.start(app), app);
    expect(status.outcome).toMatchObject({ result: 'completed' });
    expect(await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app)).toMatchObject({ ok: true });
  } finally {
    await rig.close();
  }
});

test('with keys it loads the converter that lets failures be encrypted', async () => {
  const worker = await startProgram(['node', '--enable-source-maps', entry], {
    TEMPORAL_ADDRESS: process.env['RC_TEST_TEMPORAL_ADDRESS'],
    CUTOVER_TASK_QUEUE: 'cutover-nobody',
    CUTOVER_ENCRYPTION_KEYS: 'test=env:TEST_KEY',
    TEST_KEY: randomBytes(32).toString('base64'),
    HEROKU_API_KEY: 'not-a-token',
    GITHUB_TOKEN: 'not-a-token',
  });
  try {
    await worker.says(/"state":"RUNNING"/);
    worker.signal('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
  } finally {
    await worker.dispose();
  }
});
