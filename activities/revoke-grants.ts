import { sql } from 'slonik';
import { z } from 'zod';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import type { Connection, Transaction } from './clients/postgres.ts';
import { fail } from './fail.ts';
import { perform } from './perform.ts';
import { versionSchemaOf } from './revisions.ts';
import { currentScope } from './scope.ts';
import { targetOf, type Services } from './services.ts';
import { wayBackDatabase } from './way-back-database.ts';

const standing = z.object({
  on: z.string(),
  /** Null where somebody else than the owner gave it: only they can take it away. */
  revocable: z.boolean(),
});

/** What `pg_default_acl` calls the kinds of objects, as a statement names them. */
const kinds = new Map([
  ['r', sql.fragment`TABLES`],
  ['S', sql.fragment`SEQUENCES`],
  ['f', sql.fragment`ROUTINES`],
  ['T', sql.fragment`TYPES`],
  ['n', sql.fragment`SCHEMAS`],
]);

/**
 * Revokes everything that the role was given in the app's schema, and what the owner's future objects would give it,
 * whoever granted it: done when the catalog shows no privilege of its own. A role that is gone has none.
 */
export async function revokeGrants(services: Services, call: StepCall): Promise<StepResult<Evidence<'revoke-grants'>>> {
  const target = await targetOf(services, call);
  const { credential } = target.role;
  const schemas = [...new Set([target.migrations.schema, versionSchemaOf(target)])];
  const { url, addon } = await wayBackDatabase(services, target);
  let acted = false;
  return perform({
    probe: async () => {
      const { exists, own } = await services.postgres.connected(url, (connection) =>
        ownPrivileges(connection, credential, schemas),
      );
      if (own.length === 0) return { is: 'done', evidence: { role: credential, exists, privileges: 0 } };
      const first = own.slice(0, 5).map((one) => one.on);
      const foreign = own.filter((one) => !one.revocable);
      if (acted || foreign.length === own.length) {
        throw fail(
          'GrantsDiffer',
          `${credential} still has ${own.length} privileges in ${addon.name}: ${first.join(', ')}; expected none. Others than the owner granted them: ` +
            'have them revoked by who did, then try again.',
        );
      }
      return { is: 'absent', what: `${credential} has ${own.length} privileges, ${first.join(', ')} first` };
    },
    act: () =>
      services.postgres.connected(url, (connection) =>
        connection.transaction(async (tx) => {
          await tx.query(sql.unsafe`SET LOCAL lock_timeout = '5s'`);
          await revokeAll(tx, credential, schemas);
          acted = true;
          currentScope().report('underway');
        }),
      ),
  });
}

async function revokeAll(tx: Transaction, role: string, schemas: readonly string[]): Promise<void> {
  const grantee = sql.identifier([role]);
  for (const name of schemas) {
    const schema = sql.identifier([name]);
    // Those on a table's columns go with the table's own.
    await tx.query(sql.unsafe`REVOKE ALL ON ALL TABLES IN SCHEMA ${schema} FROM ${grantee}`);
    await tx.query(sql.unsafe`REVOKE ALL ON ALL SEQUENCES IN SCHEMA ${schema} FROM ${grantee}`);
    await tx.query(sql.unsafe`REVOKE ALL ON ALL ROUTINES IN SCHEMA ${schema} FROM ${grantee}`);
    await tx.query(sql.unsafe`REVOKE ALL ON SCHEMA ${schema} FROM ${grantee}`);
  }
  const defaults = await tx.any(sql.type(z.object({ kind: z.string(), schema: z.string().nullable() }))`
    SELECT DISTINCT d.defaclobjtype::text AS kind, n.nspname AS schema
    FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace, aclexplode(d.defaclacl) a
    WHERE d.defaclrole = current_user::regrole AND a.grantee = (SELECT oid FROM pg_roles WHERE rolname = ${role})`);
  for (const { kind, schema } of defaults) {
    const inSchema = schema === null ? sql.fragment`` : sql.fragment`IN SCHEMA ${sql.identifier([schema])}`;
    const objects = kinds.get(kind);
    if (objects === undefined) continue;
    await tx.query(sql.unsafe`ALTER DEFAULT PRIVILEGES ${inSchema} REVOKE ALL ON ${objects} FROM ${grantee}`);
  }
}

/** What was granted to the role itself in these schemas, and by default on the owner's future objects. */
async function ownPrivileges(
  connection: Connection,
  role: string,
  schemas: readonly string[],
): Promise<{ exists: boolean; own: readonly z.infer<typeof standing>[] }> {
  const exists = await connection.oneFirst(
    sql.type(z.object({ found: z.boolean() }))`SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = ${role}) AS found`,
  );
  if (!exists) return { exists, own: [] };
  // What the role owns itself goes to the owner with the credential.
  const own = await connection.any(sql.type(standing)`
    WITH role AS (SELECT oid FROM pg_roles WHERE rolname = ${role}),
         own AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY(${sql.array([...schemas], 'text')})),
         acls AS (
           SELECT c.relname AS name, c.relowner AS owner, a.*
           FROM pg_class c JOIN own n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
           UNION ALL
           SELECT format('%s.%s', c.relname, t.attname), c.relowner, a.*
           FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid JOIN own n ON n.oid = c.relnamespace, aclexplode(t.attacl) a
           UNION ALL
           SELECT f.proname, f.proowner, a.*
           FROM pg_proc f JOIN own n ON n.oid = f.pronamespace, aclexplode(f.proacl) a
           UNION ALL
           SELECT format('schema %s', s.nspname), s.nspowner, a.*
           FROM pg_namespace s JOIN own n ON n.oid = s.oid, aclexplode(s.nspacl) a
           UNION ALL
           SELECT format('future objects of kind %s', d.defaclobjtype), 0::oid, a.*
           FROM pg_default_acl d, aclexplode(d.defaclacl) a WHERE d.defaclrole = current_user::regrole)
    SELECT DISTINCT format('%s on %s', privilege_type, name) AS "on",
           bool_or(pg_has_role(current_user, grantor, 'USAGE')) AS revocable
    FROM acls WHERE grantee = (SELECT oid FROM role) AND owner <> grantee
    GROUP BY 1 ORDER BY 1`);
  return { exists, own };
}
