import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import { ledger, raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import type { Status } from '../../workflows/view.ts';
import { createRig, playPeople, writesOf, type Rig } from './cutover-rig.ts';
import { findLeaks, textOf } from '../../drill/leaks.ts';
import { connectAs } from './world.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await createRig();
  rig.startWorker();
});
afterAll(() => rig.close());

describe('Raptor, on real parts', () => {
  let app: RehearsedApp;
  let first: Status;
  const runs: { workflowId: string; runId: string }[] = [];
  const perform = async (): Promise<Status> => {
    const handle = await rig.start(app);
    const { workflowId, runId } = await handle.describe();
    runs.push({ workflowId, runId });
    return playPeople(rig, handle, app);
  };

  beforeAll(async () => {
    app = await rig.add(raptor);
    first = await perform();
  });

  test('ends with the app serving from PostgreSQL as the role', async () => {
    expect(first.outcome).toMatchObject({ result: 'completed' });
    expect(await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app)).toMatchObject({ ok: true });
  });

  test('lists the 35 tables, paper_orders and alembic_version', async () => {
    const tables = await connectAs(rig, app, 'DATABASE_URL', (client) =>
      client.query<{ name: string }>("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"),
    );
    const names = tables.rows.map((row) => row.name);
    expect(names).toHaveLength(37);
    expect(names).toEqual(expect.arrayContaining(['paper_orders', 'alembic_version']));
  });

  test('lets the role read and write paper_orders, and refuses it the forbidden', async () => {
    await connectAs(rig, app, 'RAPTOR_APP_DATABASE_URL', async (client) => {
      const { rows } = await client.query("INSERT INTO paper_orders (status) VALUES ('test') RETURNING id, status");
      expect(rows).toMatchObject([{ status: 'test' }]);
      await client.query('DELETE FROM paper_orders');
      for (const forbidden of [
        "UPDATE alembic_version SET version_num = 'x'",
        'CREATE TABLE t (id int)',
        'DROP TABLE paper_orders',
      ]) {
        await expect(client.query(forbidden)).rejects.toMatchObject({ code: '42501' });
      }
    });
  });

  test('lets the role insert into a table that a later migration brings', async () => {
    await connectAs(rig, app, 'DATABASE_URL', (client) =>
      client.query('CREATE TABLE later (id bigserial PRIMARY KEY, note text)'),
    );
    await connectAs(rig, app, 'RAPTOR_APP_DATABASE_URL', (client) =>
      client.query("INSERT INTO later (note) VALUES ('in reach')"),
    );
    await connectAs(rig, app, 'DATABASE_URL', (client) => client.query('DROP TABLE later'));
  });

  test('run again on the cut-over app does nothing twice, says so, and ends the same', async () => {
    const before = writesOf(rig.platform);
    const again = await perform();
    expect(again.outcome).toMatchObject({ result: 'completed' });
    const did = Object.fromEntries(
      again.items.filter((item) => item.kind === 'step').map((item) => [item.id, item.did]),
    );
    expect(did).toMatchObject({
      upgrade: 'already',
      restart: 'already',
      credential: 'already',
      'bind-url': 'already',
      grants: 'already',
      flag: 'already',
      'restart-rm-11': 'already',
    });
    // The smoke suite is a look at the app, and each run puts its own evidence on the tracking issue.
    const written = writesOf(rig.platform).slice(before.length);
    const isComment = (write: string): boolean => /\/issues\/\d+\/comments$/.test(write);
    expect(written.filter(isComment)).toHaveLength(1);
    const dispatches = written.filter((write) => !isComment(write));
    expect(dispatches.every((write) => /\/actions\/workflows\/.*\/dispatches$/.test(write))).toBe(true);
    expect(dispatches).toHaveLength(2);
    expect(await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app)).toMatchObject({ ok: true });
  });

  test("leaves no secret in the history of either run, nor in the worker's log", async () => {
    const places = [];
    for (const { workflowId, runId } of runs) {
      const history = textOf(await rig.client.workflow.getHandle(workflowId, runId).fetchHistory());
      // The search proves itself: what is surely there is found by it.
      for (const paid of ['Ada', '0003_audit_grants']) expect(history).toContain(paid);
      places.push({ name: runId, text: history });
    }
    expect(places).toHaveLength(2);
    const log = await readFile(rig.workerLog, 'utf8');
    const secrets = rig.platform.secrets();
    expect(secrets.length).toBeGreaterThan(5);
    expect(findLeaks([...places, { name: 'log', text: log }], secrets)).toEqual([]);
    expect(log).toContain('bindUrl');
  });
});

test('another app, with other names in everything, goes the same way, continuing as new at each gate', async () => {
  // So little that it has to at every quiet point.
  const app = await rig.add(ledger, { target: (target) => Object.assign(target, { historyEventLimit: 25 }) });
  const handle = await rig.start(app);
  const runs = rig.platform.github.runs.length;
  const status = await playPeople(rig, handle, app);
  expect(status.outcome).toMatchObject({ result: 'completed' });
  // At each gate, and while it is watched.
  expect(status.continued).toBeGreaterThanOrEqual(3);
  expect(status.journal.map(({ seq }) => seq)).toEqual(status.journal.map((_entry, index) => index + 1));
  const approvals = status.items.filter(({ kind }) => kind !== 'step').map(({ id, approvedBy }) => [id, approvedBy]);
  expect(approvals).toEqual(['go', 'rm-11', 'launch'].map((gate) => [gate, 'Ada']));
  // What the run leaves in other systems bears one mark from its first run to its last.
  const marks = rig.platform.github.runs.slice(runs).map(({ inputs }) => inputs['marker']);
  const first = (handle as unknown as { firstExecutionRunId: string }).firstExecutionRunId;
  expect(marks).toEqual(['smoke', 'smoke-rm-11'].map((step) => `cutover/${first}/${step}/1`));
  const order = status.items.map((item) => item.id);
  // Its pull request brings no revision, so it is waited for only before RM-11.
  expect(order.indexOf('await-pull-request')).toBeGreaterThan(order.indexOf('smoke'));
  expect(await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app)).toMatchObject({ ok: true });
  await connectAs(rig, app, 'LEDGER_RUNTIME_DATABASE_URL', async (client: pg.Client) => {
    await expect(client.query('DROP TABLE entries')).rejects.toMatchObject({ code: '42501' });
  });
});
