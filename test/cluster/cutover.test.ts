import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFolder } from '../../audit/record-files.ts';
import type { AuditRecord } from '../../audit/record-schema.ts';
import { verifyRecord } from '../../audit/verify.ts';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import type { ServerPrograms } from '../../rehearsal/cluster/build.ts';
import { startCluster, type Cluster } from '../../rehearsal/cluster/start.ts';
import { startOrphanGuard } from '../../rehearsal/orphan-guard.ts';
import { freePort } from '../../rehearsal/ports.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { scenarios } from '../../rehearsal/scenarios.ts';
import type { WorkerProcess } from '../../rehearsal/worker-process.ts';
import type { Status } from '../../workflows/view.ts';
import { runAudit } from '../integration/audit-commands.ts';
import { expectEachEffectOnce } from '../integration/cutover-effects.ts';
import { createRig, playPeople, type CutoverHandle, type Rig } from '../integration/cutover-rig.ts';
import { eventually } from '../integration/heroku-client.ts';
import { holdRequest } from '../integration/held-request.ts';
import { stepOf } from '../integration/run-control.ts';
import { atGate } from '../integration/steering.ts';
import { buildWithoutDocker, execForm, readDockerfile } from './dockerfile.ts';

// A whole cutover on the cluster of docker-compose.yml, without its containers: Temporal's server on PostgreSQL, and two
// workers of what the Dockerfile builds. One of them dies in the middle of a write, and the server goes away and comes
// back while the run waits for people.

const programs = JSON.parse(process.env['RC_TEST_TEMPORAL_SERVER'] ?? '{}') as ServerPrograms;
const namespace = 'default';
const taskQueue = 'cutover';
const day = 24 * 60 * 60;

const guard = startOrphanGuard();
let dir: string;
let cluster: Cluster;
let rig: Rig;
let app: RehearsedApp;
let handle: CutoverHandle;
let workers: WorkerProcess[];
let healthPorts: number[];
let records: string;
/** The platform has been asked for the credential, and does not answer before the worker that asked is dead. */
const credential = holdRequest(({ method, path: target }) => method === 'POST' && /\/credentials$/.test(target));

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'cutover-cluster-'));
  // A test run that is killed leaves no folder behind either.
  guard.watchFolder(dir);
  records = path.join(dir, 'records');
  await mkdir(records);
  cluster = await startCluster({ dir, programs, cli: process.env['RC_TEST_TEMPORAL_CLI'] ?? '' });
  rig = await createRig({
    temporal: { address: cluster.address, taskQueue },
    heroku: { intercept: credential.intercept },
    workerEnv: { CUTOVER_AUDIT_DIR: records },
  });
  await mkdir(path.join(dir, 'build'));
  const image = await buildWithoutDocker(path.join(dir, 'build'));
  healthPorts = [await freePort(), await freePort()];
  workers = healthPorts.map((port) =>
    rig.startWorker({
      folder: image,
      entry: path.join(image, 'dist/worker.js'),
      env: { CUTOVER_HEALTH_PORT: String(port), NODE_ENV: 'production' },
    }),
  );
  await eventually(pollers, (pids) => workers.every(({ pid }) => pids.includes(pid)), 120_000);
  app = await rig.add(raptor, scenarios['from-essential-0'].options);
}, 900_000);
afterAll(async () => {
  credential.release();
  await rig?.close();
  await cluster?.stop();
  await rm(dir, { recursive: true, force: true });
  await guard.close();
});

/** The exit code of the image's HEALTHCHECK, for a worker whose health is answered on that port. */
async function checkHealth(port: number): Promise<number | null> {
  const check = (await readDockerfile()).find(({ keyword }) => keyword === 'HEALTHCHECK');
  const [, ...args] = execForm(check?.text ?? '');
  const child = spawn(process.execPath, args, { env: { CUTOVER_HEALTH_PORT: String(port) }, stdio: 'ignore' });
  return new Promise((resolve) => child.once('exit', resolve));
}

/** Process ids of the workers that the server knows. */
async function pollers(): Promise<number[]> {
  const found = await rig.client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: 2,
  });
  return (found.pollers ?? []).map(({ identity }) => pidIn(identity));
}

/** An SDK's worker calls itself `PID@HOST`. */
function pidIn(identity: string | null | undefined): number {
  const [pid, host] = (identity ?? '').split('@');
  return host === hostname() ? Number(pid) : 0;
}

/** The worker that performs the step which is under way. */
async function workerAtWork(): Promise<WorkerProcess> {
  const { raw } = await handle.describe();
  const pid = pidIn(raw.pendingActivities?.[0]?.lastWorkerIdentity);
  const found = workers.find((worker) => worker.pid === pid);
  if (found === undefined) throw new Error(`no worker of the test is at work, but ${pid}`);
  return found;
}

/** Process ids of the workers that completed an activity, from the run's history. */
async function workerOf(activity: string): Promise<number[]> {
  const { events = [] } = await handle.fetchHistory();
  const scheduled = (events ?? []).filter(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity,
  );
  return (events ?? []).flatMap(({ activityTaskCompletedEventAttributes: completed }) =>
    scheduled.some(({ eventId }) => completed != null && String(eventId) === String(completed.scheduledEventId))
      ? [pidIn(completed?.identity)]
      : [],
  );
}

describe('the cluster', () => {
  test('keeps what has ended for as long as docker-compose.yml says', async () => {
    const { config } = await rig.client.workflowService.describeNamespace({ namespace });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(90 * day);
  });

  test('is the version that docker-compose.yml runs', async () => {
    const { serverVersion } = await rig.client.workflowService.getSystemInfo({});
    expect(serverVersion).toBe(programs.version);
  });
});

describe('what the Dockerfile builds', () => {
  test('starts with the bundle that was built before', async () => {
    const log = await readFile(rig.workerLog, 'utf8');
    expect(log.match(/"workflow bundle",.*"built":"before"/g)).toHaveLength(2);
  });

  test('is healthy by its own check where a worker is ready, and not where none is', async () => {
    for (const port of healthPorts)
      await eventually(
        () => checkHealth(port),
        (code) => code === 0,
      );
    expect(await checkHealth(await freePort())).toBe(1);
  });
});

describe('a whole cutover on it', () => {
  let dead: WorkerProcess;
  let status: Status;

  test('a worker that is killed in the middle of a write leaves the step to the other one', async () => {
    handle = await rig.start(app);
    await playPeople(rig, handle, app, () => credential.isHeld());
    dead = await workerAtWork();
    dead.process.kill('SIGKILL');
    await dead.ended;
    // The platform takes the write, and whoever asked for it will never hear so.
    credential.release();
    const killedAt = Date.now();
    status = await playPeople(rig, handle, app, atGate('rm-11'));
    const step = stepOf(status, 'credential');
    expect(step).toMatchObject({ state: 'done', did: 'settled' });
    expect((step.finishedAt ?? Infinity) - killedAt).toBeLessThan(30_000);
    expect(await workerOf('createCredential')).toEqual([workers.find((worker) => worker !== dead)?.pid]);
  });

  test('the server stops and starts while the run waits for people, and dies and starts while it waits again', async () => {
    const pids = [cluster.pid];
    await cluster.restart();
    pids.push(cluster.pid);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await playPeople(rig, handle, app, atGate('launch'));
    await cluster.restart('crash');
    pids.push(cluster.pid);
    expect(new Set(pids).size).toBe(3);
    status = await playPeople(rig, handle, app);
    expect(status.outcome).toMatchObject({ result: 'completed' });
    await handle.result();
    expect((await handle.describe()).status.name).toBe('COMPLETED');
    // Neither the death nor the server's absence took the other one along.
    expect(workers.map(({ process: { exitCode, signalCode } }) => signalCode ?? exitCode).sort()).toEqual(
      ['SIGKILL', null].sort(),
    );
  });

  test('the app serves as the role, and each effect happened once', async () => {
    expect(await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app)).toMatchObject({ ok: true });
    await expectEachEffectOnce(rig, app);
  });

  test('its record is made from its history, and verifies', async () => {
    const out = path.join(dir, 'record');
    const made = await runAudit('audit', [handle.workflowId, '--address', cluster.address, '--out', out]);
    expect(made).toMatchObject({ code: 0 });
    expect(await runAudit('audit-verify', [out])).toMatchObject({ code: 0 });
    const { summary } = JSON.parse((await readFolder(out))['record.json'] ?? '') as AuditRecord;
    expect(summary).toMatchObject({ status: 'completed', result: 'completed', unsettled: [] });
  });

  test('the worker that was left wrote one as the run ended', async () => {
    const [run, ...others] = await readdir(path.join(records, handle.workflowId));
    expect(others).toEqual([]);
    const { signature: _, ...files } = await readFolder(path.join(records, handle.workflowId, run ?? ''));
    expect(verifyRecord(files)).toEqual([]);
  });

  test('it is found by its phase', async () => {
    const query = `CutoverTarget = '${app.herokuApp}' AND CutoverPhase = 'end'`;
    const find = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const { workflowId } of rig.client.workflow.list({ query })) found.push(workflowId);
      return found;
    };
    await eventually(find, (ids) => ids.includes(handle.workflowId), 30_000);
  });

  test('making schema and namespace once more, as each `up` does, changes nothing', async () => {
    const before = await schemaVersions();
    await cluster.run('schema');
    await cluster.run('namespace');
    expect(await schemaVersions()).toEqual(before);
    expect((await handle.describe()).status.name).toBe('COMPLETED');
  });
});

async function schemaVersions(): Promise<unknown[]> {
  const versions: unknown[] = [];
  for (const database of ['temporal', 'temporal_visibility']) {
    const client = await cluster.postgres.connect(database);
    try {
      versions.push((await client.query('SELECT curr_version, creation_time FROM schema_version')).rows);
    } finally {
      await client.end();
    }
  }
  return versions;
}
