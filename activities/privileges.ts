import { sql } from 'slonik';
import { z } from 'zod';
import type { Preview } from '../workflows/preview.ts';
import { readOnly, type Connection, type Transaction } from './clients/postgres.ts';
import { grantEffects, schemasOf, sequencesToCome, type Entry, type Ground, type Relation } from './grant-effects.ts';
import { grantLines } from './grant-lines.ts';
import { inheritedPrivileges } from './grants.ts';
import type { GrantMatrix } from './matrix.ts';
import { versionSchemaOf } from './revisions.ts';
import type { Target } from './target.ts';

const relation = z.object({ kind: z.enum(['table', 'sequence']), schema: z.string(), name: z.string() });
const entry = z.object({
  grantee: z.string(),
  kind: z.enum(['schema', 'table', 'sequence', 'default table', 'default sequence']),
  schema: z.string(),
  name: z.string(),
  privilege: z.string(),
});
const around = z.object({ owner: z.string(), maintain: z.boolean(), hasRole: z.boolean() });

/** Obstacles that are named; a role with thousands of privileges too many is one finding, and not thousands. */
const namedAtMost = 10;

/**
 * What applying the grant matrix would change, read in a transaction that may only read. Nothing is run on trial, as the
 * step itself does: the tables and the role may not be there yet.
 *
 * @param migrates whether revisions run before the matrix is applied
 */
export async function privilegesPreview(
  connection: Connection,
  target: Target,
  matrix: GrantMatrix,
  migrates: boolean,
): Promise<Pick<Preview, 'privileges' | 'asTheyStand' | 'obstacles'>> {
  return readOnly(connection, async (tx) => {
    const { ground, hasRole } = await readGround(tx, target, matrix, migrates);
    const effects = grantEffects(matrix.statements, ground);
    // PUBLIC's are the role's as soon as it exists.
    const credential = hasRole ? target.role.credential : 'public';
    const inherited = await inheritedPrivileges(tx, { credential, schema: target.migrations.schema });
    const settled = new Set(
      [
        ...effects.after.filter((one) => one.grantee === target.role.credential),
        ...effects.taken.filter((one) => one.grantee === 'PUBLIC'),
      ]
        .filter((one) => one.kind === 'schema' || one.schema === target.migrations.schema)
        .map(inWords),
    );
    const left = inherited.filter((one) => !settled.has(one));
    return {
      privileges: grantLines(effects, target.migrations.schema),
      asTheyStand: [...effects.asTheyStand],
      obstacles: [
        ...effects.missing.map((name) => `the grant matrix names ${name}, which does not exist: grants would fail`),
        ...(left.length === 0
          ? []
          : [
              `${target.role.credential} would have ${listed(left)} by PUBLIC or a membership, which the matrix does not ` +
                'take away: grants would stop with GrantsDiffer',
            ]),
      ],
    };
  });
}

function listed(all: readonly string[]): string {
  const more = all.length - namedAtMost;
  return `${all.slice(0, namedAtMost).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

async function readGround(
  tx: Transaction,
  target: Target,
  { statements }: GrantMatrix,
  migrates: boolean,
): Promise<{ ground: Ground; hasRole: boolean }> {
  const { schema } = target.migrations;
  const schemas = schemasOf(statements, schema);
  const relations = await tx.any(sql.type(relation)`
    SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind, n.nspname AS "schema", c.relname AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(${sql.array(schemas, 'text')}) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    ORDER BY 2, 3`);
  const entries = await readEntries(tx, schemas);
  const { owner, maintain, hasRole } = await tx.one(sql.type(around)`
    SELECT current_user::text AS owner, current_setting('server_version_num')::int >= 170000 AS maintain,
           EXISTS (SELECT FROM pg_roles WHERE rolname = ${target.role.credential}) AS "hasRole"`);
  const coming = migrates ? comingTo(target, relations) : [];
  return { ground: { owner, schema, relations, coming, entries, maintain }, hasRole };
}

function readEntries(tx: Transaction, schemas: readonly string[]): Promise<readonly Entry[]> {
  const within = sql.array([...schemas], 'text');
  return tx.any(sql.type(entry)`
    WITH lists AS (
      SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind, n.nspname AS "schema", c.relname AS name,
             c.relacl AS acl
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY(${within}) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      UNION ALL
      SELECT 'schema', n.nspname, '', n.nspacl FROM pg_namespace n WHERE n.nspname = ANY(${within})
      UNION ALL
      SELECT CASE d.defaclobjtype WHEN 'S' THEN 'default sequence' ELSE 'default table' END, coalesce(n.nspname, ''), '',
             d.defaclacl
      FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
      WHERE d.defaclrole = current_user::regrole AND d.defaclobjtype IN ('r', 'S')
    )
    SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END AS grantee,
           kind, "schema", name, a.privilege_type AS privilege
    FROM lists, aclexplode(lists.acl) a
    ORDER BY 1, 2, 3, 4, 5`);
}

/** The tables that the target file expects after the upgrade and that are not there yet, and their sequences. */
function comingTo(target: Target, relations: readonly Relation[]): Relation[] {
  const { schema, versionTable } = target.migrations;
  const isThere = (one: Relation): boolean =>
    relations.some(({ schema: where, name }) => where === one.schema && name === one.name);
  const names = [...(target.schema.tables ?? []), ...(target.expectedSchema?.tables ?? [])].filter(
    (name) => name !== versionTable,
  );
  const tables: Relation[] = [...new Set(names)].map((name) => ({ kind: 'table', schema, name }));
  const version: Relation = { kind: 'table', schema: versionSchemaOf(target), name: versionTable };
  const sequences: Relation = { kind: 'sequence', schema, name: sequencesToCome };
  return [...tables, version, sequences].filter((one) => !isThere(one));
}

/** A privilege as `inheritedPrivileges` says it. */
function inWords({ kind, schema, name, privilege }: Entry): string {
  if (kind === 'schema') return `${privilege} on schema ${schema}`;
  return `${privilege} on ${kind === 'sequence' ? 'sequence ' : ''}${name}`;
}
