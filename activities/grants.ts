import { sql } from 'slonik';
import { z } from 'zod';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import { attachedDatabase } from './attached-database.ts';
import { isPassing, rolledBack, sqlState, statement, type Connection, type Transaction } from './clients/postgres.ts';
import { guardAgainstDrift } from './drift.ts';
import { fail } from './fail.ts';
import { grantMatrix, type GrantMatrix } from './matrix.ts';
import { perform } from './perform.ts';
import { currentScope } from './scope.ts';
import { targetOf, type Services } from './services.ts';
import type { Target } from './target.ts';

/** SQLSTATE of a refusal for want of privilege: the only one that proves that something is forbidden. */
const insufficientPrivilege = '42501';

/**
 * Applies the grant matrix as the owner. In place means both: applying the matrix once more would change no effective
 * privilege, and the role, connected as itself, can do what it must and is refused what it must not.
 */
export async function applyGrants(services: Services, call: StepCall): Promise<StepResult<Evidence<'grants'>>> {
  const target = await targetOf(services, call);
  const matrix = await grantMatrix(services, target);
  // One that is read from a repository changes with what is deployed.
  if (call.matrixDigest !== undefined && matrix.digest !== call.matrixDigest) {
    throw fail(
      'TargetChanged',
      `The grant matrix of ${target.app} at the deployed commit has the digest ${matrix.digest.slice(0, 12)}, and the approved plan has ` +
        `${call.matrixDigest.slice(0, 12)}. Deploy the approved commit again and try again, or abort the run and start a new one.`,
    );
  }
  const { url } = await attachedDatabase(services, target);
  const { heroku, postgres } = services;
  return perform({
    guard: () => guardAgainstDrift(services, target, call),
    probe: async () => {
      const { missing, privileges, inherited } = await postgres.connected(url, (connection) =>
        compareWithMatrix(connection, target, matrix),
      );
      if (missing.length > 0)
        return { is: 'absent', what: `${missing.length} privileges differ, ${missing.slice(0, 5).join(', ')} first` };
      const roleUrl = (await heroku.getConfigVars(target.app))[`${target.role.attachment}_URL`] ?? '';
      await postgres.connected(roleUrl, (connection) => tryAsRole(connection, target, inherited));
      return {
        is: 'done',
        evidence: { matrix: matrix.digest, privileges, refused: target.role.mayNot, allowed: target.role.may },
      };
    },
    act: () =>
      postgres.connected(url, (connection) =>
        connection.transaction(async (tx) => {
          await runMatrix(tx, matrix);
          currentScope().report('underway');
        }),
      ),
  });
}

/**
 * Applies the matrix in a transaction that is rolled back, and tells which effective privileges that changed, and which
 * the role would have besides: a REVOKE from the role takes away neither PUBLIC's grants nor those of other roles.
 */
async function compareWithMatrix(
  connection: Connection,
  target: Target,
  matrix: GrantMatrix,
): Promise<{ missing: string[]; privileges: number; inherited: readonly string[] }> {
  return rolledBack(connection, async (tx) => {
    const before = await effectivePrivileges(tx, target);
    await runMatrix(tx, matrix);
    const after = await effectivePrivileges(tx, target);
    const inherited = await inheritedPrivileges(tx, {
      credential: target.role.credential,
      schema: target.migrations.schema,
    });
    return { missing: symmetricDifference(before, after), privileges: after.length, inherited };
  });
}

async function runMatrix(tx: Transaction, matrix: GrantMatrix): Promise<void> {
  for (const text of matrix.statements) await tx.query(statement(text));
}

/**
 * Everything that the role can do in the schema, by whatever way it came to it (its own grants, PUBLIC's, a role it is
 * a member of), and what the owner's future tables and sequences will give it.
 */
async function effectivePrivileges(tx: Transaction, { role, migrations }: Target): Promise<readonly string[]> {
  const { credential } = role;
  const { schema } = migrations;
  return tx.anyFirst(sql.type(z.object({ privilege: z.string() }))`
    SELECT format('%s on %s', p, c.relname) AS privilege
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
         unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
    WHERE n.nspname = ${schema} AND c.relkind IN ('r', 'p', 'v', 'm') AND has_table_privilege(${credential}, c.oid, p)
    UNION ALL
    SELECT format('%s on sequence %s', p, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) p
    WHERE n.nspname = ${schema} AND c.relkind = 'S' AND has_sequence_privilege(${credential}, c.oid, p)
    UNION ALL
    SELECT format('EXECUTE on %s', f.oid::regprocedure)
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE n.nspname = ${schema} AND has_function_privilege(${credential}, f.oid, 'EXECUTE')
    UNION ALL
    SELECT format('%s on schema %s', p, ${schema}::text) FROM unnest(ARRAY['USAGE', 'CREATE']) p
    WHERE has_schema_privilege(${credential}, ${schema}, p)
    UNION ALL
    SELECT format('by default %s on future %s', a.privilege_type, d.defaclobjtype)
    FROM pg_default_acl d, aclexplode(d.defaclacl) a
    WHERE a.grantee IN (0, (SELECT oid FROM pg_roles WHERE rolname = ${credential})) AND d.defaclrole = current_user::regrole
    ORDER BY 1`);
}

/**
 * What the role can do with the owner's tables, sequences and schema by PUBLIC's grants or by a membership only. What
 * extensions bring is theirs to grant.
 *
 * @param of the role; or `public`, for what each role has
 */
export async function inheritedPrivileges(
  tx: Transaction,
  { credential, schema }: { readonly credential: string; readonly schema: string },
): Promise<readonly string[]> {
  return tx.anyFirst(sql.type(z.object({ privilege: z.string() }))`
    WITH own AS (SELECT oid FROM pg_roles WHERE rolname = ${credential}),
         relations AS (
           SELECT c.oid, c.relname, c.relkind, c.relacl
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = ${schema} AND c.relowner = current_user::regrole
             AND NOT EXISTS (SELECT FROM pg_depend d
                             WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
    SELECT format('%s on %s', p, r.relname) AS privilege
    FROM relations r, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
    WHERE r.relkind IN ('r', 'p', 'v', 'm') AND has_table_privilege(${credential}, r.oid, p)
      AND NOT EXISTS (SELECT FROM aclexplode(r.relacl) a, own WHERE a.grantee = own.oid AND a.privilege_type = p)
    UNION ALL
    SELECT format('%s on sequence %s', p, r.relname)
    FROM relations r, unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) p
    WHERE r.relkind = 'S' AND has_sequence_privilege(${credential}, r.oid, p)
      AND NOT EXISTS (SELECT FROM aclexplode(r.relacl) a, own WHERE a.grantee = own.oid AND a.privilege_type = p)
    UNION ALL
    SELECT format('CREATE on schema %s', n.nspname)
    FROM pg_namespace n
    WHERE n.nspname = ${schema} AND has_schema_privilege(${credential}, n.oid, 'CREATE')
      AND NOT EXISTS (SELECT FROM aclexplode(n.nspacl) a, own WHERE a.grantee = own.oid AND a.privilege_type = 'CREATE')
    ORDER BY 1`);
}

/**
 * Tries, as the role and always rolled back, what it must be able to do and what it must be refused.
 *
 * @param inherited what it was found to have by other ways than the matrix
 */
async function tryAsRole(connection: Connection, { role }: Target, inherited: readonly string[]): Promise<void> {
  const wrong = inherited.map((one) => `it has ${one} by PUBLIC or a membership, not by the matrix`);
  for (const text of role.may) {
    const state = await refusal(connection, text);
    if (state !== undefined) wrong.push(`it was refused (${state}): ${text}`);
  }
  for (const text of role.mayNot) {
    const state = await refusal(connection, text);
    if (state !== insufficientPrivilege)
      wrong.push(`it was ${state === undefined ? 'allowed' : `stopped only by ${state}`}: ${text}`);
  }
  if (wrong.length > 0) {
    throw fail(
      'GrantsDiffer',
      `The matrix is applied, and ${role.credential} still differs from what the target says: ${wrong.join('; ')}. Revoke what is too much (PUBLIC and memberships count), or grant what is missing, then try again; where the matrix or the target file is wrong, abort, mend it and start a new run.`,
    );
  }
}

/**
 * The SQLSTATE with which a statement was refused, or undefined. A wrong grant must not do harm: nothing is kept. What
 * stood in the way in passing, somebody's lock say, tells nothing of what the role may do.
 */
async function refusal(connection: Connection, text: string): Promise<string | undefined> {
  try {
    await rolledBack(connection, async (tx) => {
      await tx.query(sql.unsafe`SET LOCAL lock_timeout = '1s'`);
      await tx.query(statement(text));
    });
    return undefined;
  } catch (error) {
    const state = sqlState(error);
    if (state === undefined || isPassing(state)) throw error;
    return state;
  }
}

function symmetricDifference(before: readonly string[], after: readonly string[]): string[] {
  return [
    ...after.filter((one) => !before.includes(one)).map((one) => `+${one}`),
    ...before.filter((one) => !after.includes(one)).map((one) => `-${one}`),
  ];
}
