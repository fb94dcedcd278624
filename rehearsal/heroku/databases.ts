import type { Route } from './api-server.ts';
import { credentialUrl } from './credentials.ts';
import { databaseFigures } from './roles.ts';
import { refused } from './api-error.ts';
import { findAddon, isAdvanced, isEssential, type Addon, type Credential, type Platform } from './state.ts';

/** The Data API's view of a database, for `pg:info`, `pg:wait` and `pg:promote` [source]. */
export function databaseRoutes(platform: Platform): Route[] {
  const addonIn = (params: Readonly<Record<string, string>>): Addon => {
    const addon = findAddon(platform, params.addon as string);
    // [source] `pg:info` and its kin leave Advanced databases out; what these calls answer there is [assumed].
    if (isAdvanced(addon.plan)) throw refused('This is not available on Advanced-tier databases.');
    return addon;
  };
  return [
    {
      method: 'GET',
      path: '/client/v11/databases/:addon',
      auth: 'data',
      handle: async ({ params }) => ({ status: 200, body: await present(platform, addonIn(params)) }),
    },
    {
      method: 'GET',
      path: '/client/v11/databases/:addon/wait_status',
      auth: 'data',
      handle: ({ params }) => {
        addonIn(params);
        return { status: 200, body: { 'waiting?': false, 'error?': false, message: 'available' } };
      },
    },
  ];
}

/** [docs, second hand] */
const CONNECTION_LIMITS: readonly [RegExp, number][] = [
  [/^essential-2/, 40],
  [/^(mini|basic|essential)/, 20],
  [/^(standard|premium|private|shield)-0/, 120],
  [/^(standard|premium|private|shield)-2/, 400],
];

async function present(platform: Platform, addon: Addon): Promise<Record<string, unknown>> {
  const figures = await databaseFigures(addon.postgres, addon.database);
  const limit = addon.connectionLimit ?? CONNECTION_LIMITS.find(([plans]) => plans.test(addon.plan))?.[1] ?? 500;
  const leader = addon.follows;
  const followers = platform.addons.filter(({ follows }) => follows === addon);
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
    // [source, the CLI's own tests] The leader's address, without its password, and the leader itself.
    following: leader ? addressOf(leader) : null,
    forked_from: null,
    leader: leader ? { addon_id: leader.id, name: leader.name } : null,
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
      { name: 'Fork/Follow', values: [isEssential(addon.plan) ? 'Unsupported' : 'Available'] },
      // [source] The CLI turns these addresses into names.
      ...(leader ? [{ name: 'Following', values: [addressOf(leader)], resolve_db_name: true }] : []),
      ...(followers.length > 0 ? [{ name: 'Followers', values: followers.map(addressOf), resolve_db_name: true }] : []),
      { name: 'Created', values: [addon.createdAt.toISOString()] },
    ],
  };
}

function addressOf({ postgres, database }: Addon): string {
  return `postgres://${postgres.host}:${postgres.port}/${database}`;
}

/** `standard-0` is shown as `Standard 0`. */
function titleOf(plan: string): string {
  return plan.charAt(0).toUpperCase() + plan.slice(1).replace('-', ' ');
}
