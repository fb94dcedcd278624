import { randomUUID } from 'node:crypto';
import { ApiError, notFound, refused } from './api-error.ts';
import { reference, type Route } from './api-server.ts';
import { credentialUrl } from './credentials.ts';
import { createRelease } from './releases.ts';
import {
  attachmentsOf,
  findAddon,
  findApp,
  isEssential,
  ownedVariables,
  type Addon,
  type App,
  type Attachment,
  type Credential,
  type Platform,
} from './state.ts';

const COLOURS = ['AMBER', 'BLUE', 'COPPER', 'CYAN', 'GOLD', 'GREEN', 'IVORY', 'OLIVE', 'ROSE', 'SILVER', 'TEAL'];

export interface AttachRequest {
  readonly addon: Addon;
  readonly app: App;
  readonly name: string;
  readonly namespace: string | null;
  readonly confirm?: string;
  readonly by: 'user' | 'addon';
}

/**
 * The namespace of an attachment through the pooler [source, `pg:promote`]. There is no pooler here: the variable holds
 * the database's own address, where the platform's has another port [assumed].
 */
const POOLER = 'connection-pooling:default';

/**
 * Attaching as X gives the app the variable X_URL, which the platform owns from then on [docs; assumed with a
 * credential], and makes a release [docs].
 */
export function attach(platform: Platform, { addon, app, name, namespace, confirm, by }: AttachRequest): Attachment {
  const credential = credentialOf(addon, namespace);
  const variable = `${name}_URL`;
  const existing = attachmentsOf(platform, app).find((attachment) => attachment.name === name);
  if (existing) {
    // [source] `pg:promote` sends `confirm`; without it the CLI asks the user and sends the request again.
    if (confirm !== app.name) {
      const message = `The attachment ${name} already exists on ${app.name}. Confirm to overwrite it.`;
      throw new ApiError(423, 'confirmation_required', message);
    }
    if (existing.addon !== addon) refuseLastDetach(platform, existing);
    detach(platform, existing, by);
  } else if (app.config.has(variable) && platform.settings.attachOverHandSet === 'refuse') {
    // Whether this is refused or the value is replaced, nobody knows [assumed]: the setting answers both ways.
    throw refused(`Cannot attach as ${name}: the config var ${variable} is already set.`);
  }
  const attachment: Attachment = { id: randomUUID(), name, app, addon, namespace, createdAt: new Date() };
  platform.attachments.push(attachment);
  app.config.set(variable, credentialUrl(addon, credential));
  createRelease(platform, app, { description: `Attach ${name} (@ref:${addon.name})`, by });
  return attachment;
}

function detach(platform: Platform, attachment: Attachment, by: 'user' | 'addon'): void {
  const { app, addon, name } = attachment;
  platform.attachments.splice(platform.attachments.indexOf(attachment), 1);
  for (const variable of ownedVariables(attachment)) app.config.delete(variable);
  // [source] `pg:promote` looks for "Detach DATABASE" and "Attach DATABASE" in the descriptions.
  createRelease(platform, app, { description: `Detach ${name} (@ref:${addon.name})`, by });
}

/** [docs, an old text] The last attachment to the app that pays for the add-on stays. */
function refuseLastDetach(platform: Platform, { addon, app }: Attachment): void {
  if (app !== addon.app) return;
  const left = platform.attachments.filter((other) => other.addon === addon && other.app === app).length;
  if (left <= 1) throw refused(`Cannot destroy last attachment to billing app for resource ${addon.name}`);
}

function credentialOf(addon: Addon, namespace: string | null): Credential {
  const pooled = namespace === POOLER;
  // [source] The CLI refuses it by these words before it asks; that the server does too is [assumed].
  if (pooled && isEssential(addon.plan)) throw refused("You can't perform this operation on Essential-tier databases.");
  const name = namespace === null || pooled ? 'default' : /^credential:(.+)$/.exec(namespace)?.[1];
  const credential = name === undefined ? undefined : addon.credentials.get(name);
  if (!credential || credential.state === 'provisioning') {
    throw refused(`There is no ${namespace ?? 'default'} for ${addon.name}.`);
  }
  return credential;
}

/** What an attachment without a name is called: `HEROKU_POSTGRESQL_` and a colour [docs]. */
export function freeAttachmentName(platform: Platform, app: App): string {
  const taken = new Set(attachmentsOf(platform, app).map(({ name }) => name));
  const colour = COLOURS.find((candidate) => !taken.has(`HEROKU_POSTGRESQL_${candidate}`));
  if (colour === undefined) throw refused('There are too many attachments.');
  return `HEROKU_POSTGRESQL_${colour}`;
}

export function attachmentRoutes(platform: Platform): Route[] {
  const list = (found: readonly Attachment[]): { status: number; body: unknown } => ({
    status: 200,
    body: found.map(present),
  });
  return [
    { method: 'GET', path: '/addon-attachments', handle: () => list(platform.attachments) },
    {
      method: 'GET',
      path: '/addon-attachments/:attachment',
      handle: ({ params }) => ({ status: 200, body: present(findById(platform, params.attachment as string)) }),
    },
    {
      method: 'GET',
      path: '/apps/:app/addon-attachments',
      handle: ({ params }) => list(attachmentsOf(platform, findApp(platform, params.app as string))),
    },
    {
      method: 'GET',
      path: '/apps/:app/addon-attachments/:attachment',
      handle: ({ params }) => {
        const app = findApp(platform, params.app as string);
        const wanted = params.attachment as string;
        const found = attachmentsOf(platform, app).find(({ id, name }) => id === wanted || name === wanted);
        if (!found) throw notFound('add_on attachment', "Couldn't find that add-on attachment.");
        return { status: 200, body: present(found) };
      },
    },
    {
      method: 'GET',
      path: '/addons/:addon/addon-attachments',
      handle: ({ params }) => {
        const addon = findAddon(platform, params.addon as string);
        return list(platform.attachments.filter((attachment) => attachment.addon === addon));
      },
    },
    {
      method: 'POST',
      path: '/addon-attachments',
      handle: ({ body }) => {
        const app = findApp(platform, reference(body, 'app'));
        const addon = findAddon(platform, reference(body, 'addon'));
        const attachment = attach(platform, {
          addon,
          app,
          name: typeof body.name === 'string' ? checkedName(body.name) : freeAttachmentName(platform, app),
          namespace: typeof body.namespace === 'string' ? body.namespace : null,
          by: 'user',
          ...(typeof body.confirm === 'string' ? { confirm: body.confirm } : {}),
        });
        return { status: 201, body: present(attachment) };
      },
    },
    {
      method: 'DELETE',
      path: '/addon-attachments/:attachment',
      handle: ({ params }) => {
        const attachment = findById(platform, params.attachment as string);
        refuseLastDetach(platform, attachment);
        const body = present(attachment);
        detach(platform, attachment, 'user');
        return { status: 200, body };
      },
    },
    {
      method: 'POST',
      path: '/client/v11/databases/:addon/connection-pooling',
      auth: 'data',
      // [source] `pg:connection-pooling:attach` sends `{ app, credential, name }`; the name that it gets without one is
      // what `pg:promote` looks for.
      handle: ({ params, body }) => {
        const attachment = attach(platform, {
          addon: findAddon(platform, params.addon as string),
          app: findApp(platform, reference(body, 'app')),
          name: typeof body.name === 'string' ? checkedName(body.name) : 'DATABASE_CONNECTION_POOL',
          namespace: POOLER,
          by: 'user',
        });
        return { status: 201, body: present(attachment) };
      },
    },
    {
      method: 'POST',
      path: '/actions/addon-attachments/resolve',
      handle: ({ body }) => list(resolve(platform, body)),
    },
  ];
}

/**
 * Always a list. The CLI asks for an attachment's name or id, for its config var (`DATABASE_URL` when the user named
 * nothing), or for an add-on's name, and picks among several by namespace [seen]. A 404 must carry `not_found` [seen].
 */
function resolve(platform: Platform, body: Record<string, unknown>): Attachment[] {
  const wanted = reference(body, 'addon_attachment');
  const app = typeof body.app === 'string' ? findApp(platform, body.app) : undefined;
  const candidates = app ? attachmentsOf(platform, app) : platform.attachments;
  const byName = candidates.filter(
    (attachment) =>
      attachment.id === wanted ||
      (app !== undefined && (attachment.name === wanted || ownedVariables(attachment).includes(wanted))),
  );
  if (byName.length > 0) return byName;
  const byAddon = candidates.filter(({ addon }) => addon.name === wanted || addon.id === wanted);
  if (byAddon.length === 0) throw notFound('add_on attachment', "Couldn't find that add-on attachment.");
  return byAddon;
}

function checkedName(name: string): string {
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) throw refused('Name must start with a letter and hold letters, digits, _');
  return name.toUpperCase();
}

function findById(platform: Platform, id: string): Attachment {
  const found = platform.attachments.find((attachment) => attachment.id === id);
  if (!found) throw notFound('add_on attachment', "Couldn't find that add-on attachment.");
  return found;
}

function present(attachment: Attachment): Record<string, unknown> {
  const { addon, app } = attachment;
  const at = attachment.createdAt.toISOString();
  return {
    id: attachment.id,
    name: attachment.name,
    namespace: attachment.namespace,
    config_vars: ownedVariables(attachment),
    app: { id: app.id, name: app.name },
    addon: {
      id: addon.id,
      name: addon.name,
      app: { id: addon.app.id, name: addon.app.name },
      plan: { id: addon.id, name: `heroku-postgresql:${addon.plan}` },
    },
    web_url: null,
    log_input_url: null,
    created_at: at,
    updated_at: at,
  };
}
