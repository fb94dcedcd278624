import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ledger, raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { freePort } from '../../rehearsal/ports.ts';
import { queryStatus } from '../../rehearsal/query-status.ts';
import { raptorStaging, soakOfSeconds } from '../../rehearsal/soak.ts';
import { startEncryption, type Encryption } from '../../rehearsal/start/encryption.ts';
import { startTemporal, type RehearsalTemporal } from '../../rehearsal/temporal.ts';
import type { Status } from '../../workflows/view.ts';
import { createRig, playPeople, type CutoverHandle, type Rig } from './cutover-rig.ts';
import { commandsOf, documents, filledIn, type DocumentedCommand } from './documents.ts';
import { eventually } from './heroku-client.ts';
import { endRun } from './run-control.ts';
import { atGate, isParkedAt } from './steering.ts';

// Every command of Temporal's CLI in README and guides, typed as it is printed: only the placeholders are filled in, and
// only the address is said by the environment. The tests go on from one another, as a cutover and its way back do.

let dir: string;
let temporal: RehearsalTemporal;
let rig: Rig;
let app: RehearsedApp;
let encryption: Encryption;
let documented: DocumentedCommand[];
const typed = new Set<string>();

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'documented-commands-'));
  const cli = process.env['RC_TEST_TEMPORAL_CLI'] ?? '';
  await mkdir(path.join(dir, 'bin'));
  await symlink(cli, path.join(dir, 'bin', 'temporal'));
  documented = (await documents()).flatMap(commandsOf);
  // A server of its own, on which the names of the documents are free.
  temporal = await startTemporal({ dir, cli, ui: false });
  rig = await createRig({ temporal: { address: temporal.address, taskQueue: 'cutover' } });
  rig.startWorker();
  app = await rig.add(raptor, { ownName: true });
  encryption = await startEncryption(dir, 'http://127.0.0.1');
});
afterAll(async () => {
  await encryption?.server.stop();
  await rig?.close();
  await temporal?.stop();
  await rm(dir, { recursive: true, force: true });
});

/**
 * Types a documented command.
 *
 * @param key of the command
 * @param values for its placeholders
 * @param env of the shell, besides the address of Temporal
 * @returns what it printed
 * @throws when it ends with another exit code than 0
 */
async function type(
  key: string,
  values: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const [found, ...others] = documented.filter((one) => one.key === key);
  if (found === undefined || others.length > 0) throw new Error(`${others.length + 1} commands, and not one: ${key}`);
  typed.add(key);
  return shell(filledIn(found.text, values), env);
}

async function shell(command: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', command], {
    env: { ...shellEnv(), ...env },
    maxBuffer: 64_000_000,
  });
  return stdout;
}

function shellEnv(): Record<string, string> {
  const bin = `${path.join(dir, 'bin')}${path.delimiter}${process.env['PATH'] ?? ''}`;
  return { PATH: bin, HOME: dir, TEMPORAL_ADDRESS: temporal.address };
}

const currentRun = (): CutoverHandle => rig.client.workflow.getHandle(`cutover-${app.herokuApp}`) as CutoverHandle;
/** Plays the people until the run is as wanted. One that has stopped otherwise will not come there. */
async function play(until: (status: Status) => boolean): Promise<Status> {
  const stopped = (status: Status): boolean => status.stage === 'ended' || status.stage === 'parked';
  const status = await playPeople(rig, currentRun(), app, (seen) => until(seen) || stopped(seen));
  if (!until(status))
    throw new Error(`the run is ${status.stage}: ${JSON.stringify(status.outcome ?? status.waitingFor)}`);
  return status;
}

/** A decision counts once its sender was looked up, and so long the run stays parked. */
const untilUnparked = (): Promise<Status> =>
  eventually(
    () => queryStatus(currentRun()),
    ({ stage }) => stage !== 'parked',
    60_000,
  );
const hasEnded = (status: Status): boolean => status.stage === 'ended';
const mended = { '<your name>': 'Cy', '<name>': 'Cy', '<why>': 'the suite is mended' };

async function expectOnSqlite(status: Status): Promise<void> {
  expect(status.outcome).toMatchObject({ result: 'rolled-back', by: 'Cy' });
  expect(await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app, 'sqlite')).toMatchObject({ ok: true });
}

test('docs/production.md: a server keeps its state in a file', async () => {
  const key = 'docs/production.md: server start-dev';
  const { text } = documented.find((one) => one.key === key) ?? { text: '' };
  typed.add(key);
  // The folder of the document belongs to another machine, and the usual ports may be somebody else's here.
  const [port, uiPort] = [await freePort(), await freePort()];
  const file = path.join(dir, 'kept.db');
  const command = `${text.replace('/var/lib/cutover/temporal.db', file)} --port ${port} --ui-port ${uiPort}`;
  const server = spawn('sh', ['-c', `exec ${command}`], { env: shellEnv(), stdio: 'ignore' });
  const ended = once(server, 'exit');
  try {
    await eventually(
      () => shell(`temporal operator cluster health --address 127.0.0.1:${port}`).catch(() => ''),
      (answer) => answer.includes('SERVING'),
      60_000,
    );
    expect((await stat(file)).size).toBeGreaterThan(0);
  } finally {
    server.kill();
    await ended;
  }
});

test('docs/plan.md: a run of mode plan is started, and asked', async () => {
  await type('docs/plan.md: workflow start productionCutover plan', { '<name>': 'Rita' });
  await play(hasEnded);
  const asked = await type('docs/plan.md: workflow query status', {});
  const [status] = (JSON.parse(asked) as { queryResult: Status[] }).queryResult;
  expect(status?.outcome).toMatchObject({ result: 'planned' });
  expect(status?.plans.go).toMatchObject({ preview: expect.anything() });
});

test('docs/web-ui.md: a run gets a line of its own, and runs are found by what they wait for', async () => {
  await type('docs/web-ui.md: workflow start productionCutover', { '<name>': 'Rita' });
  await play(atGate('go'));
  const { raw } = await currentRun().describe();
  expect(raw.executionConfig?.userMetadata?.summary?.data).toBeDefined();
  await endRun(currentRun());
  await type('docs/web-ui.md: operator search-attribute CutoverTarget', {});
  const found = await eventually(
    () =>
      type('docs/web-ui.md: workflow list', {}).then(
        () => true,
        () => false,
      ),
    (worked) => worked,
    60_000,
  );
  expect(found).toBe(true);
});

test('docs/soak.md: a soak is started, and asked', async () => {
  const staging = await rig.add(raptorStaging, { ownName: true, target: soakOfSeconds(raptorStaging) });
  await type('docs/soak.md: workflow start stagingSoak', { '<your name>': 'Rita' });
  const soak = rig.client.workflow.getHandle(`cutover-${staging.herokuApp}`) as CutoverHandle;
  const status = await playPeople(rig, soak, staging, (seen) => seen.waitingFor !== null || hasEnded(seen));
  expect(status).toMatchObject({ procedure: 'staging-soak', waitingFor: { message: { gate: 'go' } } });
  expect(await type('docs/soak.md: workflow query status', {})).toContain('staging-soak');
  await endRun(soak);
});

describe('docs/operator.md', () => {
  test('a run is started and asked, and the worker is seen', async () => {
    await type('docs/operator.md: workflow start productionCutover', { '<your name>': 'Rita' });
    await play(atGate('go'));
    expect(await type('docs/operator.md: workflow query status', {})).toContain('"waitingFor"');
    expect(await type('docs/operator.md: task-queue describe', {})).toMatch(/workflow/);
    await endRun(currentRun());
  });
});

describe('README.md', () => {
  test('a run is started, asked, and approved', async () => {
    await type('README.md: workflow start productionCutover', { '<name>': 'Rita' });
    await play(atGate('go'));
    const asked = await type('README.md: workflow query status', {});
    const [status] = (JSON.parse(asked) as { queryResult: Status[] }).queryResult;
    expect(status).toMatchObject({ requestedBy: 'Rita', waitingFor: { signal: 'approve', message: { gate: 'go' } } });

    rig.platform.github.setSmoke('fail');
    const plan = String(status?.waitingFor?.message['plan']);
    await type('README.md: workflow signal approve', { '<name>': 'Ada', '<digest of the plan>': plan });
    const parked = await play(isParkedAt('smoke'));
    expect(parked.items.find(({ id }) => id === 'go')).toMatchObject({ state: 'done', approvedBy: 'Ada' });
  });

  test('a step that is parked is tried again', async () => {
    rig.platform.github.setSmoke('pass');
    await type('README.md: workflow signal resolve', mended);
    await untilUnparked();
    await play(atGate('rm-11'));
  });
});

describe('docs/on-call.md', () => {
  test('the kill switch takes the run back', async () => {
    await type('docs/on-call.md: workflow signal killSwitch', { '<your name>': 'Cy', '<why>': 'orders fail' });
    await expectOnSqlite(await play(hasEnded));
  });

  test('a step of the next run that is parked is tried again', async () => {
    rig.platform.github.setSmoke('fail');
    await rig.start(app);
    await play(isParkedAt('smoke'));
    rig.platform.github.setSmoke('pass');
    await type('docs/on-call.md: workflow signal resolve', mended);
    await untilUnparked();
    await play(atGate('rm-11'));
  });

  test('a run of its own takes the place of the old one, and takes the app back', async () => {
    const old = (await currentRun().describe()).runId;
    const values = { '<your name>': 'Cy', '<why>': 'the run hangs' };
    await type('docs/on-call.md: workflow start productionCutover kill-switch', values);
    const replaced = rig.client.workflow.getHandle(currentRun().workflowId, old);
    expect((await replaced.describe()).status.name).toBe('TERMINATED');
    await expectOnSqlite(await play(hasEnded));
  });
});

test('a run on a build that is gone is moved to the current one', async () => {
  const first = rig.startWorker({ env: { CUTOVER_BUILD_ID: 'one' } });
  await makeCurrent('one');
  await rig.start(app);
  await play(atGate('go'));
  expect(await type('docs/production.md: workflow list', {})).toContain(currentRun().workflowId);
  expect(await type('docs/production.md: worker deployment describe-version', { '<build>': 'one' })).toMatch(/one/);

  rig.startWorker({ env: { CUTOVER_BUILD_ID: 'two' } });
  await makeCurrent('two');
  await first.stop();
  await type('docs/on-call.md: workflow update-options', {});
  await play(atGate('rm-11'));
  const { raw } = await currentRun().describe();
  expect(raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId).toBe('two');
  await endRun(currentRun());
});

/** As soon as the server has heard of the build. */
function makeCurrent(build: string): Promise<boolean> {
  const command = 'docs/production.md: worker deployment set-current-version';
  return eventually(
    () =>
      type(command, { '<build>': build }).then(
        () => true,
        () => false,
      ),
    (isCurrent) => isCurrent,
    60_000,
  );
}

describe('docs/rotation.md', () => {
  const values = { '<your name>': 'Rita', '<why>': 'it is May' };

  test('during the watch the open run is asked', async () => {
    await rig.start(app);
    await play(atGate('launch'));
    await type('docs/rotation.md: workflow signal rotate', values);
    await play((status) => status.journal.some(({ event }) => event === 'rotated'));
    await play(hasEnded);
    await currentRun().result();
  });

  test('a run of its own', async () => {
    await type('docs/rotation.md: workflow start rotateCredential', values);
    expect((await play(hasEnded)).outcome).toMatchObject({ result: 'rotated' });
    await currentRun().result();
  });

  test('on a schedule', async () => {
    const before = (await currentRun().describe()).runId;
    await type('docs/rotation.md: schedule create startRotation', values);
    await type('docs/rotation.md: schedule trigger', {});
    await eventually(
      async () => (await currentRun().describe()).runId,
      (now) => now !== before,
      60_000,
    );
    expect((await play(hasEnded)).outcome).toMatchObject({ result: 'rotated', by: 'Rita' });
  });
});

test('docs/security.md: an encrypted run is read by the codec server', async () => {
  const other = await rig.add(ledger, { ownName: true });
  const taskQueue = 'encrypted';
  rig.startWorker({ env: { ...encryption.workerEnv, CUTOVER_TASK_QUEUE: taskQueue } });
  const workflowId = `cutover-${other.herokuApp}`;
  const args = [{ app: other.herokuApp, requestedBy: 'Rita', mode: 'plan' }];
  await rig.client.workflow.execute('productionCutover', { taskQueue, workflowId, args }).catch(() => undefined);

  const fact = ledger.repository;
  const [command = ''] = documented.filter(({ file }) => file === 'docs/security.md').map(({ text }) => text);
  // The codec server of the document listens on its usual port, which may be somebody else's here.
  documented = documented.map((one) => ({
    ...one,
    text: one.text.replace('http://127.0.0.1:8081', encryption.server.url),
  }));
  const token = encryption.handEnv['CODEC_AUTH']?.replace('Bearer ', '') ?? '';
  const values = { '<app>': other.herokuApp };
  const read = await type('docs/security.md: workflow show', values, { CUTOVER_CODEC_TOKEN: token });
  expect(read).toContain(fact);
  const plain = filledIn(command.slice(0, command.indexOf('--codec-endpoint')).replace(/\\\s*$/, ''), values);
  expect(await shell(plain)).not.toContain(fact);
});

test('every command of a document was typed: a new one is told here what it is to do', () => {
  expect(documented.length).toBeGreaterThan(0);
  expect([...typed].sort()).toEqual(documented.map(({ key }) => key).sort());
});
