import { randomBytes, randomUUID } from 'node:crypto';
import type { RehearsalPostgres } from '../postgres.ts';
import { notFound, refused } from './api-error.ts';
import { reference, type Route } from './api-server.ts';
import { attach, freeAttachmentName } from './attachments.ts';
import { credentialUrl, newPassword, rememberRole } from './credentials.ts';
import { createDatabase, limitConnections, makeReadOnly } from './roles.ts';
import {
  attachmentsOf,
  findAddon,
  findApp,
  isEssential,
  ownedVariables,
  type Addon,
  type App,
  type Credential,
  type Plan,
  type Platform,
} from './state.ts';

export interface AddonRequest {
  readonly app: App;
  readonly name: string;
  readonly plan: Plan;
  readonly attachAs?: string;
  /** The leader that it is to replicate. */
  readonly follows?: Addon;
  readonly connectionLimit?: number;
  /** Who attaches it. Provisioning by a user runs the app's release command [docs]. */
  readonly by?: 'user' | 'addon';
}

/** A new, empty database, attached to its billing app as `DATABASE` unless that name is taken [docs]. */
export async function createAddon(
  platform: Platform,
  postgres: RehearsalPostgres,
  { app, name, plan, attachAs, follows, connectionLimit, by = 'addon' }: AddonRequest,
): Promise<Addon> {
  if (platform.addons.some((addon) => addon.name === name)) throw refused('Name is already taken');
  // [docs] Followers are for Standard and above.
  if (follows && [plan, follows.plan].some(isEssential)) throw refused('Essential-tier databases have no followers.');
  const owner = { user: `u${randomBytes(7).toString('hex')}`, password: newPassword() };
  const database = `d${randomBytes(7).toString('hex')}`;
  await createDatabase(postgres, database, owner);
  if (follows) await makeReadOnly(postgres, database);
  if (connectionLimit !== undefined) await limitConnections(postgres, database, connectionLimit);
  const credential: Credential = {
    id: randomUUID(),
    name: 'default',
    state: 'active',
    roles: [{ ...owner, state: 'active' }],
  };
  const addon: Addon = {
    id: randomUUID(),
    name,
    plan,
    app,
    database,
    postgres,
    credentials: new Map([['default', credential]]),
    follows,
    connectionLimit,
    createdAt: new Date(),
  };
  platform.addons.push(addon);
  rememberRole(platform, addon, credential.roles[0]!);
  // [assumed] A variable that was set by hand counts as taken, like an attachment.
  const taken = app.config.has('DATABASE_URL');
  const as = attachAs ?? (taken ? freeAttachmentName(platform, app) : 'DATABASE');
  attach(platform, { addon, app, name: as, namespace: null, by });
  await app.releases.at(-1)?.settled;
  return addon;
}

export function addonRoutes(platform: Platform): Route[] {
  return [
    {
      method: 'GET',
      path: '/addons',
      handle: () => ({ status: 200, body: platform.addons.map((addon) => presentAddon(platform, addon)) }),
    },
    {
      method: 'GET',
      path: '/apps/:app/addons',
      handle: ({ params }) => {
        const app = findApp(platform, params.app as string);
        return { status: 200, body: addonsOf(platform, app).map((addon) => presentAddon(platform, addon)) };
      },
    },
    {
      method: 'GET',
      path: '/apps/:app/addons/:addon',
      handle: ({ params }) => {
        const app = findApp(platform, params.app as string);
        const addon = findAddon(platform, params.addon as string);
        if (!addonsOf(platform, app).includes(addon)) throw notFound('add_on', "Couldn't find that add-on.");
        return { status: 200, body: presentAddon(platform, addon) };
      },
    },
    {
      method: 'GET',
      path: '/addons/:addon',
      handle: ({ params }) => ({
        status: 200,
        body: presentAddon(platform, findAddon(platform, params.addon as string)),
      }),
    },
    {
      method: 'GET',
      path: '/addons/:addon/config/:namespace',
      // An empty array says that there is no such credential: the CLI goes by that [seen]. Empty too while it is not
      // yet active [assumed].
      handle: ({ params }) => {
        const addon = findAddon(platform, params.addon as string);
        const name = /^credential:(.+)$/.exec(params.namespace as string)?.[1];
        const credential = name === undefined ? undefined : addon.credentials.get(name);
        if (!credential || credential.state === 'provisioning') return { status: 200, body: [] };
        return { status: 200, body: [{ name: 'URL', value: credentialUrl(addon, credential) }] };
      },
    },
    {
      method: 'POST',
      path: '/actions/addons/resolve',
      handle: ({ body }) => {
        const wanted = reference(body, 'addon');
        const app = typeof body.app === 'string' ? findApp(platform, body.app) : undefined;
        const found = platform.addons.filter(
          (addon) =>
            addon.id === wanted ||
            addon.name === wanted ||
            (app !== undefined &&
              attachmentsOf(platform, app).some(
                (attachment) => attachment.addon === addon && attachment.name === wanted,
              )),
        );
        if (found.length === 0) throw notFound('add_on', "Couldn't find that add-on.");
        return { status: 200, body: found.map((addon) => presentAddon(platform, addon)) };
      },
    },
  ];
}

/** Those that the app pays for and those that another app shares with it. */
function addonsOf(platform: Platform, app: App): Addon[] {
  return platform.addons.filter(
    (addon) => addon.app === app || attachmentsOf(platform, app).some((attachment) => attachment.addon === addon),
  );
}

/** Dollars a month, for what the CLI prints [docs]. */
const PRICES: Readonly<Record<string, number>> = {
  'essential-0': 5,
  'essential-1': 9,
  'essential-2': 20,
  'standard-0': 50,
  'standard-2': 200,
  'standard-3': 400,
  'premium-0': 200,
  'premium-2': 350,
};

function presentAddon(platform: Platform, addon: Addon): Record<string, unknown> {
  const attachments = platform.attachments.filter((attachment) => attachment.addon === addon);
  const price = { cents: (PRICES[addon.plan] ?? 0) * 100, contract: false, metered: false, unit: 'month' };
  const at = addon.createdAt.toISOString();
  return {
    id: addon.id,
    name: addon.name,
    state: 'provisioned',
    app: { id: addon.app.id, name: addon.app.name },
    billing_entity: { id: addon.app.id, name: addon.app.name, type: 'app' },
    addon_service: { id: addon.id, name: 'heroku-postgresql' },
    plan: { id: addon.id, name: `heroku-postgresql:${addon.plan}`, price },
    billed_price: price,
    config_vars: attachments.filter(({ app }) => app === addon.app).flatMap(ownedVariables),
    provider_id: addon.id,
    web_url: null,
    actions: [],
    created_at: at,
    updated_at: at,
  };
}
