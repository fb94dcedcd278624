import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { raptor, type RehearsedApp } from '../../rehearsal/apps.ts';
import { lookFromOutside } from '../../rehearsal/outside.ts';
import { startPostgres, type RehearsalPostgres } from '../../rehearsal/postgres.ts';
import { readMatrix } from '../../activities/matrix.ts';
import { createRig, playPeople, type Rig } from './cutover-rig.ts';
import { approve, atGate, decide, isDone, isParkedAt, isRunning, itemOf, refusal, stop, watch } from './steering.ts';
import { configVars, connectAs } from './world.ts';
import type { Status } from '../../workflows/view.ts';

let rig: Rig;
let matrixText: string;
beforeAll(async () => {
  matrixText = await readFile('migrations/grants/raptor_app.sql', 'utf8');
  rig = await createRig();
  rig.startWorker();
});
afterAll(() => rig.close());

const matrixPath = 'database/grants.sql';
/** The matrix as a file of the app's repository, at every commit. */
const withMatrix =
  (text: string) =>
  async (dir: string): Promise<void> => {
    await mkdir(path.join(dir, path.dirname(matrixPath)), { recursive: true });
    await writeFile(path.join(dir, matrixPath), text);
  };
const matrixFromRepository = (target: Record<string, unknown>): void => {
  Object.assign(target['role'] as object, { grants: { repository: raptor.repository, path: matrixPath } });
};

const atRound =
  (gate: string, round: number) =>
  (status: Status): boolean =>
    atGate(gate)(status) && status.waitingFor?.round === round;

/** What a role may do with a table, as a superuser sees it. */
async function may(app: RehearsedApp, privilege: string, table: string): Promise<boolean> {
  const { rows } = await connectAs(rig, app, 'DATABASE_URL', (client) =>
    client.query<{ may: boolean }>(`SELECT has_table_privilege('raptor_app', '${table}', '${privilege}') AS may`),
  );
  return rows[0]?.may === true;
}

test('a revision that grants to the role: the credential comes before the upgrade and behind go', async () => {
  const app = await rig.add(
    { ...raptor, addon: { name: 'unguarded-db', plan: 'standard-0' } },
    {
      revision: 'unguarded',
      // In the repository from the merge on: the commit that is deployed decides what is read.
      alterSlug: withMatrix(`${matrixText}\n-- of the repository\n`),
      target: matrixFromRepository,
    },
  );
  const handle = await rig.start(app);
  await watch(handle, isRunning('await-pull-request'));
  await rig.platform.github.mergePull(raptor.repository, raptor.pull.number);

  const atGo = await watch(handle, atGate('go'));
  expect(atGo.plans.go?.facts.migrations.namingRole).toEqual(['0003_audit_grants']);
  expect(atGo.plans.go?.facts.matrixDigest).toBe(readMatrix('any', `${matrixText}\n-- of the repository\n`).digest);
  const order = atGo.items.map(({ id }) => id).filter((id) => ['go', 'credential', 'upgrade', 'rm-11'].includes(id));
  expect(order).toEqual(['go', 'credential', 'upgrade', 'rm-11']);
  const role = await rig.platform.postgres.connect('postgres');
  expect((await role.query("SELECT FROM pg_roles WHERE rolname = 'raptor_app'")).rowCount).toBe(0);
  await role.end();

  const end = await playPeople(rig, handle, app);
  expect(end.outcome).toMatchObject({ result: 'completed' });
  expect(itemOf(end, 'credential')).toMatchObject({ did: 'acted', phase: 'rm-10' });
  expect(itemOf(end, 'upgrade')).toMatchObject({ did: 'acted', evidence: { to: '0003_audit_grants' } });
  expect(itemOf(end, 'grants')?.evidence).toMatchObject({ matrix: atGo.plans.go?.facts.matrixDigest });
  expect(await lookFromOutside(rig.platform.heroku.webUrl(app.herokuApp), app)).toMatchObject({ ok: true });
  expect(await may(app, 'INSERT', 'audit_events')).toBe(true);
  expect(await may(app, 'UPDATE', 'audit_events')).toBe(false);
});

test('a revision that asks whether the role exists grants all the same, and what PUBLIC or a membership adds is found', async () => {
  let postgres: RehearsalPostgres | undefined;
  try {
    const dir = path.join(rig.dir, 'second-server');
    await mkdir(dir);
    postgres = await startPostgres({ dir });
    const app = await rig.add(
      { ...raptor, addon: { name: 'guarded-db', plan: 'standard-0' } },
      {
        revision: 'guarded',
        merged: true,
        addon: { postgres },
        alterSlug: withMatrix(matrixText),
        target: matrixFromRepository,
      },
    );
    const database = async (): Promise<string> =>
      new URL((await configVars(rig, app))['DATABASE_URL'] ?? '').pathname.slice(1);
    const asSuperuser = async (...statements: string[]): Promise<void> => {
      const client = await (postgres as RehearsalPostgres).connect(await database());
      for (const statement of statements) await client.query(statement);
      await client.end();
    };

    const handle = await rig.start(app);
    await approve(handle, await watch(handle, atGate('go')));
    const atRm11 = await watch(handle, atGate('rm-11'));
    expect(itemOf(atRm11, 'credential')).toMatchObject({ did: 'acted', phase: 'rm-10' });
    // The revision found the role, so it was not stamped as done in vain.
    expect(await may(app, 'INSERT', 'audit_events')).toBe(true);
    expect(await may(app, 'SELECT', 'paper_orders')).toBe(false);

    // Between the plan and its use the repository comes to answer another matrix: it is not the one that was approved.
    const repositoryFile = path.join(rig.dir, 'slugs', `${app.herokuApp}-merged`, matrixPath);
    await writeFile(
      repositoryFile,
      matrixText.replace('REVOKE UPDATE, DELETE ON audit_events', 'REVOKE DELETE ON audit_events'),
    );
    await approve(handle, atRm11);
    const again = await watch(handle, atRound('rm-11', 2));
    expect(again.waitingFor?.changes).toEqual([expect.stringMatching(/^matrixDigest: /)]);
    expect(await may(app, 'SELECT', 'paper_orders')).toBe(false);
    await writeFile(repositoryFile, matrixText);
    // An approval of the other matrix does not hold for this one either.
    await approve(handle, again);
    const restored = await watch(handle, atRound('rm-11', 3));
    expect(restored.plans['rm-11']?.digest).toBe(atRm11.plans['rm-11']?.digest);

    await asSuperuser('GRANT UPDATE ON alembic_version TO PUBLIC');
    await approve(handle, restored);
    const byPublic = await watch(handle, isParkedAt('grants'));
    expect(itemOf(byPublic, 'grants')?.failure).toMatchObject({
      type: 'GrantsDiffer',
      message: expect.stringMatching(/it was allowed: UPDATE alembic_version .*try again/),
    });
    await asSuperuser(
      'REVOKE UPDATE ON alembic_version FROM PUBLIC',
      'CREATE ROLE auditors',
      'GRANT UPDATE ON audit_events TO auditors',
      // No statement of the target tries this one: the catalog tells.
      'GRANT DELETE ON audit_customer_access TO auditors',
      'GRANT auditors TO raptor_app',
    );
    await decide(handle, byPublic, 'retry');
    const byMembership = await watch(handle, isParkedAt('grants'));
    expect(itemOf(byMembership, 'grants')?.failure).toMatchObject({
      type: 'GrantsDiffer',
      message: expect.stringMatching(
        /it has DELETE on audit_customer_access by PUBLIC or a membership, .*it was allowed: UPDATE audit_events/,
      ),
    });
    await asSuperuser('REVOKE auditors FROM raptor_app');
    await decide(handle, byMembership, 'retry');
    const done = await watch(handle, isDone('grants'));
    await stop(handle);
    expect(itemOf(done, 'grants')?.evidence).toMatchObject({
      refused: expect.arrayContaining(['UPDATE audit_events SET id = id WHERE false']),
    });
    expect(await may(app, 'SELECT', 'paper_orders')).toBe(true);
  } finally {
    await postgres?.stop();
  }
});

test('a matrix that does more than grant and revoke is refused before anything is written', async () => {
  const app = await rig.add(
    { ...raptor, addon: { name: 'greedy-db', plan: 'standard-0' } },
    {
      merged: true,
      alterSlug: withMatrix(`${matrixText}\nDROP TABLE orders;\n`),
      target: matrixFromRepository,
    },
  );
  const { type, message, writes } = await refusal(rig, app);
  expect(type).toBe('GrantMatrixInvalid');
  expect(message).toMatch(/it holds `DROP TABLE orders`.*Correct the file, then start again/);
  expect(writes).toEqual([]);
});
