import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type pg from 'pg';
import { createPostgresClient, readOnly, sqlState, statement } from '../../activities/clients/postgres.ts';
import type { Entry } from '../../activities/grant-effects.ts';
import { grantLines } from '../../activities/grant-lines.ts';
import { readMatrix } from '../../activities/matrix.ts';
import { privilegesPreview } from '../../activities/privileges.ts';
import { newPassword } from '../../rehearsal/heroku/credentials.ts';
import { createDatabase } from '../../rehearsal/heroku/roles.ts';
import { startPostgres, type RehearsalPostgres } from '../../rehearsal/postgres.ts';
import { sampleTarget } from '../unit/activities/sample-target.ts';
import { withDatabase } from './heroku-client.ts';

// What a plan says of privileges is worked out from access control lists. Here PostgreSQL itself applies the matrix, to
// privileges in random disorder, and the lists before and after are compared with what was said.

const cases = 40;
let dir: string;
let postgres: RehearsalPostgres;
let url: string;
let differences = 0;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'grant-effects-'));
  postgres = await startPostgres({ dir });
  const owner = { user: 'owner', password: newPassword() };
  await createDatabase(postgres, 'd', owner);
  url = `postgres://owner:${owner.password}@${postgres.host}:${postgres.port}/d`;
  const superuser = await postgres.connect('d');
  await superuser.query('CREATE ROLE app_role; CREATE ROLE other_role');
  await superuser.end();
  await withDatabase(url, (client) =>
    client.query(
      `CREATE SCHEMA audit; CREATE TABLE users (id bigserial); CREATE TABLE orders (id bigserial);
       CREATE TABLE alembic_version (v text); CREATE TABLE audit.log (id bigserial); CREATE VIEW recent AS SELECT 1 AS one`,
    ),
  );
});
afterAll(async () => {
  await postgres?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** A generator of the same numbers for the same seed, so that a failure can be had again. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const grantees = ['app_role', 'PUBLIC', 'other_role'];
/** Objects, and what can be granted on them. */
const objects: readonly (readonly [on: string, privileges: readonly string[]])[] = [
  ['users', ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'ALL', 'ALL PRIVILEGES']],
  ['orders, public.users', ['SELECT', 'INSERT', 'ALL']],
  ['TABLE alembic_version', ['SELECT', 'UPDATE', 'ALL']],
  ['recent', ['SELECT']],
  ['audit.log', ['INSERT', 'SELECT']],
  ['ALL TABLES IN SCHEMA public', ['SELECT', 'INSERT', 'DELETE', 'ALL']],
  ['ALL TABLES IN SCHEMA public, audit', ['SELECT', 'TRUNCATE']],
  ['SEQUENCE users_id_seq', ['USAGE', 'SELECT', 'UPDATE', 'ALL']],
  ['orders_id_seq', ['SELECT', 'UPDATE']],
  ['ALL SEQUENCES IN SCHEMA public', ['USAGE', 'SELECT', 'ALL']],
  ['SCHEMA public', ['USAGE', 'CREATE', 'ALL']],
  ['SCHEMA audit', ['USAGE']],
];
const futures: readonly (readonly [on: string, privileges: readonly string[]])[] = [
  ['TABLES', ['SELECT', 'INSERT', 'UPDATE', 'ALL']],
  ['SEQUENCES', ['USAGE', 'SELECT', 'ALL']],
];

function statementFrom(next: (below: number) => number): string {
  const pick = <T>(list: readonly T[]): T => list[next(list.length)] as T;
  const future = next(4) === 0;
  const [on, privileges] = pick(future ? futures : objects);
  const some = [...new Set([pick(privileges), pick(privileges)])];
  const listed = some.some((one) => one.startsWith('ALL'))
    ? some.find((one) => one.startsWith('ALL'))
    : some.join(', ');
  const gives = next(2) === 0;
  const where = future
    ? `ALTER DEFAULT PRIVILEGES${pick(['', ' IN SCHEMA public', ' FOR ROLE owner IN SCHEMA public'])} `
    : '';
  return `${where}${gives ? 'GRANT' : 'REVOKE'} ${listed} ON ${on} ${gives ? 'TO' : 'FROM'} ${pick(grantees)}`;
}

async function entriesOf(client: pg.Client): Promise<Entry[]> {
  const { rows } = await client.query<Entry>(
    `SELECT a.grantee::regrole::text AS grantee, kind, "schema", name, a.privilege_type AS privilege
     FROM (SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind, relnamespace::regnamespace::text AS "schema",
                  relname::text AS name, relacl AS acl FROM pg_class WHERE relkind IN ('r', 'v', 'S')
           UNION ALL SELECT 'schema', nspname, '', nspacl FROM pg_namespace
           UNION ALL SELECT CASE defaclobjtype WHEN 'S' THEN 'default sequence' ELSE 'default table' END,
                            CASE defaclnamespace WHEN 0 THEN '' ELSE defaclnamespace::regnamespace::text END, '', defaclacl
                     FROM pg_default_acl) lists, aclexplode(acl) a
     WHERE "schema" IN ('public', 'audit', '')`,
  );
  return rows.map((row) => ({ ...row, grantee: row.grantee === '-' ? 'PUBLIC' : row.grantee }));
}

const target = { ...sampleTarget(), schema: { ...sampleTarget().schema, tables: ['users'] } };
const shipped = readFile('migrations/grants/raptor_app.sql', 'utf8');

test.each(Array.from({ length: cases }, (_, seed) => seed))(
  'what PostgreSQL does is what was said, seed %d',
  async (seed) => {
    const next = numbersFrom(seed * 7919 + 17);
    const disorder = Array.from({ length: 12 }, () => statementFrom(next));
    const text =
      seed % 8 === 0
        ? (await shipped)
            .replaceAll('raptor_app', 'app_role')
            .replaceAll(/audit_events, audit_customer_access/g, 'orders')
        : Array.from({ length: 6 }, () => statementFrom(next)).join(';\n');
    const matrix = readMatrix('an-app', text);
    const client = createPostgresClient({});
    const said = await withDatabase(url, async (owner) => {
      for (const one of disorder) await owner.query(one);
      const before = await entriesOf(owner);
      const { privileges, asTheyStand } = await client.connected(url, (connection) =>
        privilegesPreview(connection, target, matrix, false),
      );
      expect(asTheyStand).toEqual([]);
      for (const one of matrix.statements) await owner.query(one);
      const after = await entriesOf(owner);
      const lacks = (list: readonly Entry[]) => (one: Entry) =>
        !list.some((other) => Object.entries(one).every(([key, value]) => other[key as keyof Entry] === value));
      // An owner's own privileges come to be written down when an access control list is first made.
      const others = (one: Entry): boolean => one.grantee !== 'owner';
      const given = after.filter(others).filter(lacks(before));
      const taken = before.filter(others).filter(lacks(after));
      return { privileges, done: grantLines({ given, taken }, 'public') };
    });
    expect(said.privileges).toEqual(said.done);
    differences += said.privileges.length;
  },
);

test('there was something to say', () => {
  expect(differences).toBeGreaterThan(cases);
});

test('such a session may only read', async () => {
  const refused = createPostgresClient({}).connected(url, (connection) =>
    readOnly(connection, (tx) => tx.query(statement('GRANT SELECT ON users TO app_role'))),
  );
  expect(sqlState(await refused.catch((error: unknown) => error))).toBe('25006');
});

test('what a matrix says in other ways is told as it stands, and a table that is missing is named', async () => {
  const odd = [
    'GRANT SELECT (id) ON users TO app_role',
    'GRANT other_role TO app_role',
    'GRANT SELECT ON users TO app_role WITH GRANT OPTION',
    'REVOKE GRANT OPTION FOR SELECT ON users FROM app_role',
    'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO app_role',
    'ALTER DEFAULT PRIVILEGES FOR ROLE other_role GRANT SELECT ON TABLES TO app_role',
    'GRANT SELECT ON users TO owner',
  ];
  const matrix = readMatrix(
    'an-app',
    [...odd, `GRANT SELECT ON t${randomBytes(3).toString('hex')} TO app_role`].join(';'),
  );
  const preview = await createPostgresClient({}).connected(url, (connection) =>
    privilegesPreview(connection, target, matrix, false),
  );
  expect(preview.asTheyStand).toEqual(odd);
  expect(preview.obstacles).toContainEqual(expect.stringMatching(/^the grant matrix names t\w+, which does not exist/));
});
