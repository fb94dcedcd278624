import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, notFound, refused } from './api-error.ts';
import { requiredText, type Route } from './api-server.ts';
import { createRelease } from './releases.ts';
import { changePassword, createMemberRole, createRole, dropRole, roleExists } from './roles.ts';
import {
  findAddon,
  isAdvanced,
  isEssential,
  ownedVariables,
  type Addon,
  type App,
  type Credential,
  type Platform,
  type Role,
} from './state.ts';

/** Milliseconds between two tries of what the database did not take. */
const insistEveryMs = 250;

/** Letters and digits only, so that it reads the same in a URL as in SQL. */
export const newPassword = (): string => `p${randomBytes(32).toString('hex')}`;

/** `postgres://`, and no `sslmode`: to ask for TLS is the client's business [docs]. */
function roleUrl(addon: Addon, role: Role): string {
  const { host, port } = addon.postgres;
  return `postgres://${role.user}:${role.password}@${host}:${port}/${addon.database}`;
}

export function credentialUrl(addon: Addon, credential: Credential): string {
  return roleUrl(addon, activeRole(credential));
}

/** Remembered as secrets, for the tests that look for leaks. */
export function rememberRole(platform: Platform, addon: Addon, role: Role): void {
  platform.secrets.add(role.password).add(roleUrl(addon, role));
}

function activeRole(credential: Credential): Role {
  const active = credential.roles.findLast(({ state }) => state === 'active') ?? credential.roles[0];
  if (!active) throw new Error('a credential without a role');
  return active;
}

export const ownerOf = (addon: Addon): string => activeRole(findCredential(addon, 'default')).user;

/** The Data API's credential calls. The CLI makes them with the add-on's name, and some with its id [seen]. */
export function credentialRoutes(platform: Platform): Route[] {
  const base = '/postgres/v0/databases/:addon';
  const addonIn = (params: Readonly<Record<string, string>>): Addon => {
    const addon = findAddon(platform, params.addon as string);
    // [source] Advanced plans have calls of their own, under /data/postgres/v1; what these answer there is [assumed].
    if (isAdvanced(addon.plan)) throw refused('This is not available on Advanced-tier databases.');
    return addon;
  };
  return [
    {
      method: 'GET',
      path: `${base}/credentials`,
      auth: 'data',
      handle: ({ params }) => {
        const addon = addonIn(params);
        return { status: 200, body: [...addon.credentials.values()].map((one) => present(addon, one)) };
      },
    },
    {
      method: 'POST',
      path: `${base}/credentials`,
      auth: 'data',
      handle: async ({ params, body }) => {
        const addon = addonIn(params);
        const credential = await createCredential(platform, addon, requiredText(body, 'name'));
        return { status: 201, body: present(addon, credential) };
      },
    },
    {
      method: 'GET',
      path: `${base}/credentials/:name`,
      auth: 'data',
      handle: ({ params }) => {
        const addon = addonIn(params);
        return { status: 200, body: present(addon, findCredential(addon, params.name as string)) };
      },
    },
    {
      method: 'DELETE',
      path: `${base}/credentials/:name`,
      auth: 'data',
      handle: async ({ params }) => {
        const addon = addonIn(params);
        await destroyCredential(platform, addon, findCredential(addon, params.name as string));
        return { status: 200, body: { message: 'The credential has been destroyed.' } };
      },
    },
    {
      method: 'POST',
      path: `${base}/credentials/:name/credentials_rotation`,
      auth: 'data',
      handle: async ({ params, body }) => {
        const addon = addonIn(params);
        await rotate(platform, addon, findCredential(addon, params.name as string), body.forced === true);
        return { status: 200, body: {} };
      },
    },
    {
      method: 'POST',
      path: `${base}/credentials_rotation`,
      auth: 'data',
      handle: async ({ params, body }) => {
        const addon = addonIn(params);
        for (const credential of addon.credentials.values()) {
          await rotate(platform, addon, credential, body.forced === true);
        }
        return { status: 200, body: {} };
      },
    },
  ];
}

export function findCredential(addon: Addon, name: string): Credential {
  const found = addon.credentials.get(name);
  if (!found) throw notFound('credential', "Couldn't find that credential.");
  return found;
}

async function createCredential(platform: Platform, addon: Addon, name: string): Promise<Credential> {
  // The words are the CLI's own refusal [seen]; that the server says the same is [assumed].
  if (isEssential(addon.plan)) {
    throw refused("You can't create a custom credential on Essential-tier databases.");
  }
  // A follower has its leader's roles, and takes no writes [assumed].
  if (addon.follows) throw refused(`Credentials cannot be created on ${addon.name}, which is a follower.`);
  if (!/^[a-z_][a-z0-9_$-]{0,49}$/i.test(name) || /^pg_/i.test(name)) throw refused('Credential name is not valid.');
  if (addon.credentials.has(name)) throw refused(`Credential ${name} already exists.`);
  const role: Role = { user: name, password: newPassword(), state: 'enabling' };
  const credential: Credential = { id: randomUUID(), name, state: 'provisioning', roles: [role] };
  // Before the first await: a second request for the same name must find it.
  addon.credentials.set(name, credential);
  rememberRole(platform, addon, role);
  try {
    // Roles belong to the whole server, and here the add-ons share one. The platform has no such limit.
    if (await roleExists(addon.postgres, name)) throw refused(`The role ${name} belongs to another database here.`);
    await createRole(addon.postgres, addon.database, name, role.password);
  } catch (error) {
    addon.credentials.delete(name);
    throw error;
  }
  // [seen] The request does not wait: the state has to be asked for until it is `active`.
  void sleep(platform.settings.credentialProvisioningMs, undefined, { signal: platform.stopped }).then(
    () => {
      role.state = 'active';
      credential.state = 'active';
    },
    () => undefined,
  );
  return credential;
}

async function destroyCredential(platform: Platform, addon: Addon, credential: Credential): Promise<void> {
  if (credential.name === 'default') throw refused('Default credential cannot be destroyed.');
  const apps = new Set(attachedTo(platform, addon, credential).map(({ app }) => app.name));
  // [source] The CLI refuses it with this text before it asks; that the server does too is [assumed].
  if (apps.size > 0) {
    const which = `app${apps.size > 1 ? 's' : ''} ${[...apps].join(', ')}`;
    throw refused(`Credential ${credential.name} must be detached from the ${which} before destroying.`);
  }
  if (credential.state !== 'active') throw new ApiError(409, 'conflict', `Credential is ${credential.state}.`);
  credential.state = 'revoking';
  // [source] What it owned goes to the default credential.
  try {
    for (const { user } of credential.roles) await dropRole(addon.postgres, addon.database, user, ownerOf(addon));
  } catch (error) {
    credential.state = 'active';
    throw error;
  }
  addon.credentials.delete(credential.name);
}

/**
 * [source, text; what the server does is assumed] The default credential, and any when forced: another password, all
 * its connections are reset at once. A named one gets a temporary second user name; after a while the first one has
 * its new password, its old connections are reset, and the temporary name goes.
 */
export async function rotate(platform: Platform, addon: Addon, credential: Credential, forced: boolean): Promise<void> {
  if (credential.state !== 'active') throw new ApiError(409, 'conflict', `Credential is ${credential.state}.`);
  const { rotationHiddenMs } = platform.settings;
  if (rotationHiddenMs > 0) {
    later(platform, rotationHiddenMs, () => begin(platform, addon, credential, forced));
    return;
  }
  await begin(platform, addon, credential, forced);
}

/** Does something in a while, unless the stand-in is stopped before. */
function later(platform: Platform, ms: number, act: () => Promise<void> | void): void {
  void sleep(ms, undefined, { signal: platform.stopped })
    .then(act)
    .catch(() => undefined);
}

/** [assumed] What the platform has begun it goes on with, however often the database is away meanwhile. */
async function insist(platform: Platform, act: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await act();
    } catch {
      await sleep(insistEveryMs, undefined, { signal: platform.stopped });
    }
  }
}

async function begin(platform: Platform, addon: Addon, credential: Credential, forced: boolean): Promise<void> {
  const { user } = activeRole(credential);
  credential.state = 'rotating';
  if (credential.name === 'default' || forced) {
    const { resetMs } = platform.settings;
    if (resetMs === 0) await renew(platform, addon, credential, user);
    else later(platform, resetMs, () => renew(platform, addon, credential, user));
    return;
  }
  const temporary: Role = {
    user: `${user}_rotation_${randomBytes(4).toString('hex')}`,
    password: newPassword(),
    state: 'active',
  };
  try {
    await createMemberRole(addon.postgres, temporary.user, temporary.password, user);
  } catch (error) {
    credential.state = 'active';
    throw error;
  }
  rememberRole(platform, addon, temporary);
  credential.roles = [...credential.roles.map((role): Role => ({ ...role, state: 'revoking' })), temporary];
  updateAttached(platform, addon, credential);
  later(platform, platform.settings.rotationMs, async () => {
    await renew(platform, addon, credential, user);
    const drop = (): Promise<void> =>
      insist(platform, () => dropRole(addon.postgres, addon.database, temporary.user, user));
    const { temporaryUserMs } = platform.settings;
    if (temporaryUserMs === 0) await drop();
    else later(platform, temporaryUserMs, drop);
  });
}

async function renew(platform: Platform, addon: Addon, credential: Credential, user: string): Promise<void> {
  const role: Role = { user, password: newPassword(), state: 'active' };
  rememberRole(platform, addon, role);
  const ends = platform.settings.sessionsOfOldPassword === 'end';
  await insist(platform, () => changePassword(addon.postgres, user, role.password, { endSessions: ends }));
  credential.roles = [role];
  credential.state = 'active';
  updateAttached(platform, addon, credential);
}

/** Every app that has the credential attached gets the new value, a release and a restart, but no release command [docs]. */
function updateAttached(platform: Platform, addon: Addon, credential: Credential): void {
  const { rotatedVariablesMs } = platform.settings;
  if (rotatedVariablesMs === 0) update(platform, addon, credential);
  else later(platform, rotatedVariablesMs, () => update(platform, addon, credential));
}

function update(platform: Platform, addon: Addon, credential: Credential): void {
  const attached = attachedTo(platform, addon, credential);
  for (const app of new Set(attached.map((attachment): App => attachment.app))) {
    const ours = attached.filter((attachment) => attachment.app === app);
    for (const name of ours.flatMap(ownedVariables)) app.config.set(name, credentialUrl(addon, credential));
    const names = ours.map(({ name }) => name).join(', ');
    createRelease(platform, app, { description: `Update ${names} by heroku-postgresql`, by: 'addon' });
  }
}

function attachedTo(platform: Platform, addon: Addon, credential: Credential): Platform['attachments'] {
  // The pooler's attachment uses the default credential [source].
  const namespaces =
    credential.name === 'default' ? [null, 'connection-pooling:default'] : [`credential:${credential.name}`];
  return platform.attachments.filter((one) => one.addon === addon && namespaces.includes(one.namespace));
}

function present(addon: Addon, credential: Credential): Record<string, unknown> {
  return {
    uuid: credential.id,
    name: credential.name,
    state: credential.state,
    database: addon.database,
    host: addon.postgres.host,
    port: addon.postgres.port,
    credentials: credential.roles.map(({ user, password, state }) => ({ user, password, state })),
  };
}
