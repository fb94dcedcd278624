import type { Route } from './api-server.ts';
import { credentialUrl } from './credentials.ts';
import { databaseFigures } from './roles.ts';
import { findAddon, type Addon, type Credential, type Platform } from './state.ts';

/** The Data API's view of a database, for `pg:info`, `pg:wait` and `pg:promote` [source]. */
export function databaseRoutes(platform: Platform): Route[] {
  return [
    {
      method: 'GET',
      path: '/client/v11/databases/:addon',
      auth: 'data',
      handle: async ({ params }) => ({ status: 200, body: await present(findAddon(platform, params.addon as string)) }),
    },
    {
      method: 'GET',
      path: '/client/v11/databases/:addon/wait_status',
      auth: 'data',
      handle: ({ params }) => {
        findAddon(platform, params.addon as string);
        return { status: 200, body: { 'waiting?': false, 'error?': false, message: 'available' } };
      },
    },
  ];
}

const CONNECTION_LIMITS: readonly [RegExp, number][] = [
  [/^(mini|basic|essential)/, 20],
  [/^standard-0/, 120],
];

async function present(addon: Addon): Promise<Record<string, unknown>> {
  const figures = await databaseFigures(addon.postgres, addon.database);
  const limit = CONNECTION_LIMITS.find(([plans]) => plans.test(addon.plan))?.[1] ?? 400;
  const owner = addon.credentials.get('default') as Credential;
  return {
    addon_id: addon.id,
    name: addon.name,
    plan: addon.plan,
    database_name: addon.database,
    database_user: owner.roles[0]?.user,
    resource_url: credentialUrl(addon, owner),
    postgres_version: figures.version,
    num_bytes: figures.bytes,
    num_tables: figures.tables,
    num_connections: figures.connections,
    following: null,
    forked_from: null,
    leader: null,
    'waiting?': false,
    created_at: addon.createdAt.toISOString(),
    info: [
      { name: 'Plan', values: [titleOf(addon.plan)] },
      { name: 'Status', values: ['Available'] },
      { name: 'Data Size', values: [`${(figures.bytes / 1_000_000).toFixed(1)} MB`] },
      { name: 'Tables', values: [String(figures.tables)] },
      { name: 'PG Version', values: [figures.version] },
      { name: 'Connections', values: [`${figures.connections}/${limit}`] },
      { name: 'Credentials', values: [String(addon.credentials.size)] },
      { name: 'Created', values: [addon.createdAt.toISOString()] },
    ],
  };
}

/** `standard-0` is shown as `Standard 0`. */
function titleOf(plan: string): string {
  return plan.charAt(0).toUpperCase() + plan.slice(1).replace('-', ' ');
}
