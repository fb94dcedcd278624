import type pg from 'pg';
import type { RehearsedApp } from '../../rehearsal/apps.ts';
import type { Platform } from '../../rehearsal/platform.ts';
import { readCatalog, type Catalog } from '../integration/catalog.ts';
import { clientOf, withDatabase } from '../integration/heroku-client.ts';

/** What a cutover leaves, with the names that differ from platform to platform taken out. */
export interface WorldLeft {
  readonly revision: readonly string[];
  readonly schema: Catalog;
  readonly owners: readonly string[];
  /** Of the restricted role and of PUBLIC, by whatever way they came to them. */
  readonly privileges: readonly string[];
  readonly configVars: readonly string[];
  readonly flag: string | undefined;
  /** `NAME namespace`. */
  readonly attachments: readonly string[];
  readonly credentials: readonly string[];
}

/** @param flag name of the config var */
export async function worldLeft({ heroku }: Platform, app: RehearsedApp, flag: string): Promise<WorldLeft> {
  const ask = clientOf(heroku);
  const vars = (await ask('GET', `/apps/${app.herokuApp}/config-vars`)).body as Record<string, string>;
  const attachments = (await ask('GET', `/apps/${app.herokuApp}/addon-attachments`)).body as {
    name: string;
    namespace: string | null;
  }[];
  const credentials = (await ask('GET', `/postgres/v0/databases/${app.addon.name}/credentials`)).body as {
    name: string;
    state: string;
  }[];
  const url = vars['DATABASE_URL'] ?? '';
  const owner = new URL(url).username;
  return withDatabase(url, async (client) => ({
    revision: await column(client, 'SELECT version_num FROM alembic_version ORDER BY 1'),
    schema: await readCatalog(client),
    owners: (
      await column(
        client,
        `SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'public'::regnamespace`,
      )
    ).map((name) => (name === owner ? 'the default credential' : name)),
    privileges: await column(client, PRIVILEGES, [app.role]),
    configVars: Object.keys(vars).sort(),
    flag: vars[flag],
    attachments: attachments.map(({ name, namespace }) => `${name} ${namespace ?? 'default'}`).sort(),
    credentials: credentials.map(({ name, state }) => `${name} ${state}`).sort(),
  }));
}

/** Asked of PostgreSQL privilege by privilege, and not of the lists of grants: two lists may mean the same. */
const PRIVILEGES = `
  WITH grantees AS (SELECT $1::name AS who UNION ALL SELECT 'public')
  SELECT format('%s: %s on %s', who, p, c.relname) FROM grantees, pg_class c,
    unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND has_table_privilege(who, c.oid, p)
  UNION ALL
  SELECT format('%s: %s on sequence %s', who, p, c.relname) FROM grantees, pg_class c,
    unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) p
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S' AND has_sequence_privilege(who, c.oid, p)
  UNION ALL
  SELECT format('%s: %s on schema public', who, p) FROM grantees, unnest(ARRAY['USAGE', 'CREATE']) p
  WHERE has_schema_privilege(who, 'public', p)
  UNION ALL
  SELECT format('%s: %s on the database', who, p) FROM grantees, unnest(ARRAY['CONNECT', 'CREATE', 'TEMPORARY']) p
  WHERE has_database_privilege(who, current_database(), p)
  UNION ALL
  SELECT format('%s: %s on future %s', CASE a.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(a.grantee)::text END,
                a.privilege_type, d.defaclobjtype)
  FROM pg_default_acl d, aclexplode(d.defaclacl) a WHERE a.grantee <> d.defaclrole
  UNION ALL
  SELECT format('%s: member of %s', pg_get_userbyid(member), pg_get_userbyid(roleid)) FROM pg_auth_members
  WHERE pg_get_userbyid(member) = $1
  ORDER BY 1`;

async function column(client: pg.Client, query: string, values: unknown[] = []): Promise<string[]> {
  const { rows } = await client.query<string[]>({ text: query, values, rowMode: 'array' });
  return rows.map(([value]) => String(value));
}
