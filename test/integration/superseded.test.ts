import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import type { Intercept } from '../../rehearsal/heroku/index.ts';
import { createRig, playPeople, writesOf, type Rig } from './cutover-rig.ts';
import { startWayBack } from './going-back.ts';
import { holdRequest } from './held-request.ts';
import { eventually } from './heroku-client.ts';
import { configVars } from './world.ts';

// A worker that Temporal cannot reach goes on with what it was asked, when others have taken over.

let rig: Rig;
let intercept: Intercept = async () => undefined;
let people: Promise<unknown> | undefined;
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  intercept = async () => undefined;
  rig = await createRig({ heroku: { intercept: (request) => intercept(request) } });
});
afterEach(async () => {
  await people;
  await rig.close();
  for (const close of closers.splice(0)) close();
});

/** Starts a run, and people who take it on until something has happened. What they ask meanwhile may go unanswered. */
async function startUntil(app: RehearsedApp, happened: () => boolean): Promise<void> {
  const handle = await rig.start(app);
  people = playPeople(rig, handle, app, happened).catch(() => undefined);
  await eventually(async () => happened(), Boolean, 120_000);
}

/** The rig's Temporal server behind a line that can be cut: what is sent then arrives once it is mended. */
async function cuttableLine() {
  const [host = '', port = ''] = (rig.workerEnv['TEMPORAL_ADDRESS'] ?? '').split(':');
  const ends: Socket[] = [];
  let isCut = false;
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('error', () => to.destroy());
      from.pipe(to);
      ends.push(from);
      if (isCut) from.pause();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.close();
    for (const end of ends) end.destroy();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut(): void {
      isCut = true;
      for (const end of ends) end.pause();
    },
    mend(): void {
      isCut = false;
      for (const end of ends) end.resume();
    },
  };
}

const isInLog = (message: string, step: string): boolean =>
  new RegExp(`"${message}".*"step":"${step}"`).test(readFileSync(rig.workerLog, 'utf8'));

test('cut off from Temporal while its run is terminated and a way back comes to its end: it writes nothing', async () => {
  const app = await rig.add(raptor);
  const line = await cuttableLine();
  const cutOff = rig.startWorker({ env: { TEMPORAL_ADDRESS: line.address } });

  // The platform is slow to answer the last question before the write, so that nothing else can stop that any more.
  const question = holdRequest(
    ({ method, path }) => method === 'GET' && path.includes('/slugs/') && isInLog('step begun', 'flag'),
  );
  ({ intercept } = question);
  await startUntil(app, question.isHeld);
  line.cut();

  const taskQueue = `way-back-${app.herokuApp}`;
  rig.startWorker({ env: { CUTOVER_TASK_QUEUE: taskQueue } });
  const second = await startWayBack(rig, app, { mode: 'kill-switch', reason: 'the worker hangs' }, taskQueue);
  // Not later: a request that is not answered within 30 s ends the attempt by itself.
  question.release();
  await eventually(async () => isInLog('step acting', 'flag'), Boolean, 60_000);
  expect((await second.result()).outcome).toMatchObject({ result: 'rolled-back' });
  line.mend();
  cutOff.process.kill('SIGTERM');
  await cutOff.ended;
  // The one that points to SQLite, and none that sets the flag.
  expect(writesOf(rig.platform).filter((write) => /^PATCH .*\/config-vars$/.test(write))).toHaveLength(1);
  expect(await configVars(rig, app)).not.toHaveProperty('FLAG_RAPTOR_APP_ROLE_SEPARATION');
});
