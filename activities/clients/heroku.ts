import { z } from 'zod';
import { currentScope } from '../scope.ts';
import { ServiceError } from './errors.ts';
import { requestJson, type JsonRequest } from './http.ts';
import { createRateLimit, type RateLimitOptions } from './rate-limit.ts';
import { takeOutput } from './rendezvous.ts';
import { tellerOf, type Token } from './token.ts';

/** 75 requests a minute are given back [docs]. The reserve is for the people who look at the same account meanwhile. */
export const allowance: RateLimitOptions = { reserve: 100, refillMs: 800 };

const named = z.object({ id: z.string(), name: z.string() });

const app = z.object({
  id: z.string(),
  name: z.string(),
  maintenance: z.boolean(),
  web_url: z.string().nullish(),
  generation: z.object({ name: z.string() }).nullish(),
});
const authorization = z.object({
  access_token: z.object({ token: z.string(), expires_in: z.number().nullable() }).nullish(),
});
const release = z.object({
  id: z.string(),
  version: z.number().int(),
  status: z.enum(['pending', 'succeeded', 'failed', 'expired']),
  current: z.boolean(),
  description: z.string().nullable(),
  created_at: z.string(),
  slug: z.object({ id: z.string() }).nullable(),
  user: z.object({ email: z.string() }),
});
const slug = z.object({
  id: z.string(),
  commit: z.string().nullable(),
  process_types: z.record(z.string()).nullable(),
});
const attachment = z.object({
  id: z.string(),
  name: z.string(),
  namespace: z.string().nullable(),
  app: named,
  addon: z.object({ id: z.string(), name: z.string() }),
});
const addon = z.object({
  id: z.string(),
  name: z.string(),
  plan: z.object({ name: z.string() }),
});
const dyno = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  state: z.string(),
  command: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  release: z.object({ version: z.number().int() }),
});
const startedDyno = dyno.extend({ attach_url: z.string().nullable() });
const formation = z.object({ type: z.string(), quantity: z.number().int() });
const credential = z.object({
  name: z.string(),
  state: z.string(),
  database: z.string(),
  host: z.string(),
  port: z.coerce.number(),
  credentials: z.array(z.object({ user: z.string(), state: z.string() })),
});

const transfer = z.object({
  num: z.number().int(),
  from_type: z.string(),
  to_type: z.string(),
  /** The attachment by which the database was named. */
  from_name: z.string().nullish(),
  started_at: z.string().nullish(),
  finished_at: z.string().nullish(),
  succeeded: z.boolean().nullish(),
  /** An object where a schedule made it. */
  schedule: z.unknown(),
  options: z.object({ pgbackups_name: z.string().nullish() }).nullish(),
});

export type Release = z.infer<typeof release>;
export type Attachment = z.infer<typeof attachment>;
export type Addon = z.infer<typeof addon>;
export type Dyno = z.infer<typeof dyno>;
export type Credential = z.infer<typeof credential>;
export type Transfer = z.infer<typeof transfer>;
export type Quantity = z.infer<typeof formation>;

/** A credential with its secrets. */
export interface CredentialUrls {
  readonly state: string;
  readonly database: string;
  readonly urls: readonly { readonly user: string; readonly state: string; readonly url: string }[];
}

export interface HerokuOptions {
  /** Base URL of the Platform API. */
  readonly apiUrl: string;
  /** Base URL of the Data API, which is another host in production. */
  readonly dataUrl: string;
  readonly token: Token;
  /** Milliseconds after which a request counts as not answered. */
  readonly timeoutMs?: number;
  /** What the account is allowed, where it is not Heroku's own limit. */
  readonly allowance?: RateLimitOptions;
}

export type HerokuClient = ReturnType<typeof createHerokuClient>;

/** The parts of Heroku's Platform API (version 3) and Data API that a cutover needs, typed and checked. */
export function createHerokuClient({ apiUrl, dataUrl, token: given, timeoutMs, ...options }: HerokuOptions) {
  const token = tellerOf(given);
  // Platform API and Data API count against the same account.
  const limit = createRateLimit(options.allowance ?? allowance);
  type Call<S extends z.ZodTypeAny> = Pick<JsonRequest<S>, 'method' | 'answer' | 'body'> & {
    headers?: Record<string, string>;
  };

  const platform = <S extends z.ZodTypeAny>(path: string, { headers, ...call }: Call<S>): Promise<z.output<S>> =>
    requestJson({
      service: 'Heroku',
      url: `${apiUrl}${path}`,
      timeoutMs,
      limit,
      headers: { accept: 'application/vnd.heroku+json; version=3', authorization: bearer(), ...headers },
      ...call,
    });
  // The Data API's credential calls take the token as a Basic password without a user name [seen: official CLI 11.10.0].
  const data = <S extends z.ZodTypeAny>(path: string, call: Call<S>): Promise<z.output<S>> =>
    requestJson({
      service: 'Heroku Data',
      url: `${dataUrl}${path}`,
      timeoutMs,
      limit,
      headers: { authorization: basic() },
      ...call,
    });

  const bearer = (): string => `Bearer ${registered(token())}`;
  const basic = (): string => `Basic ${registered(Buffer.from(`:${registered(token())}`).toString('base64'))}`;
  const credentialsOf = (addonName: string): string => `/postgres/v0/databases/${part(addonName)}/credentials`;

  const readUrls = async (addonName: string, name: string): Promise<CredentialUrls> => {
    const { state, host, port, database, credentials } = await data(`${credentialsOf(addonName)}/${part(name)}`, {
      method: 'GET',
      answer: credential.extend({
        credentials: z.array(z.object({ user: z.string(), password: z.string(), state: z.string() })),
      }),
    });
    const urls = credentials.map((one) => {
      const url = new URL(`postgres://${host}:${port}/${database}`);
      url.username = one.user;
      url.password = registered(one.password);
      currentScope().secrets.addUrl(url.href);
      return { user: one.user, state: one.state, url: url.href };
    });
    return { state, database, urls };
  };

  return {
    /**
     * Seconds for which the token in use is still good: null where it does not expire, undefined where the token may
     * not ask. No call names the token in use; the official client looks for its own in the list too [source].
     */
    async tokenExpiresIn(): Promise<number | null | undefined> {
      try {
        const own = token();
        const all = await platform('/oauth/authorizations', { method: 'GET', answer: z.array(authorization) });
        for (const one of all) if (one.access_token) registered(one.access_token.token);
        return all.find((one) => one.access_token?.token === own)?.access_token?.expires_in;
      } catch (error) {
        if (error instanceof ServiceError && [403, 404].includes(error.status)) return undefined;
        throw error;
      }
    },

    getApp: (name: string) => platform(`/apps/${part(name)}`, { method: 'GET', answer: app }),

    /** Config vars. What may be a secret among the values is registered before they are returned. */
    async getConfigVars(name: string): Promise<Record<string, string>> {
      const vars = await platform(`/apps/${part(name)}/config-vars`, { method: 'GET', answer: z.record(z.string()) });
      currentScope().secrets.addConfigVars(vars);
      return vars;
    },

    /** Sets several variables, or unsets with null, in one release. The answer says nothing of that release. */
    async setConfigVars(name: string, change: Record<string, string | null>): Promise<void> {
      await platform(`/apps/${part(name)}/config-vars`, { method: 'PATCH', body: change, answer: z.unknown() });
    },

    /** @returns newest first */
    listReleases: (name: string, max = 10) =>
      platform(`/apps/${part(name)}/releases`, {
        method: 'GET',
        headers: { range: `version ..; order=desc,max=${max}` },
        answer: z.array(release),
      }),
    getSlug: (name: string, id: string) =>
      platform(`/apps/${part(name)}/slugs/${part(id)}`, { method: 'GET', answer: slug }),

    listAppAttachments: (name: string) =>
      platform(`/apps/${part(name)}/addon-attachments`, { method: 'GET', answer: z.array(attachment) }),
    listAddonAttachments: (id: string) =>
      platform(`/addons/${part(id)}/addon-attachments`, { method: 'GET', answer: z.array(attachment) }),
    getAddon: (id: string) => platform(`/addons/${part(id)}`, { method: 'GET', answer: addon }),

    /**
     * Attaches an add-on: under a name that the platform chooses, or under a given one, whose attachment it replaces
     * where `confirm` holds the app's name. Makes a release.
     */
    attachAddon: (target: { app: string; addon: string; as?: string; namespace?: string; confirm?: string }) =>
      platform('/addon-attachments', {
        method: 'POST',
        body: {
          app: target.app,
          addon: target.addon,
          ...(target.as === undefined ? {} : { name: target.as }),
          ...(target.namespace === undefined ? {} : { namespace: target.namespace }),
          ...(target.confirm === undefined ? {} : { confirm: target.confirm }),
        },
        answer: attachment,
      }),

    /** Detaches; the platform unsets the variable and makes a release. */
    async detachAddon(id: string): Promise<void> {
      await platform(`/addon-attachments/${part(id)}`, { method: 'DELETE', answer: z.unknown() });
    },

    /** Maintenance stops the routers, not workers or schedulers, and makes no release [docs]. */
    async setMaintenance(name: string, maintenance: boolean): Promise<void> {
      await platform(`/apps/${part(name)}`, { method: 'PATCH', body: { maintenance }, answer: z.unknown() });
    },

    listDynos: (name: string) => platform(`/apps/${part(name)}/dynos`, { method: 'GET', answer: z.array(dyno) }),
    /** Whether a feature of the app is switched on; a feature that the platform does not know is off. */
    async isFeatureEnabled(name: string, feature: string): Promise<boolean> {
      const path = `/apps/${part(name)}/features/${part(feature)}`;
      try {
        return (await platform(path, { method: 'GET', answer: z.object({ enabled: z.boolean() }) })).enabled;
      } catch (error) {
        if (error instanceof ServiceError && error.status === 404) return false;
        throw error;
      }
    },
    listFormation: (name: string) =>
      platform(`/apps/${part(name)}/formation`, { method: 'GET', answer: z.array(formation) }),

    /** How many dynos several process types are to have, in one request. Answers before they are up or gone. */
    async scale(name: string, updates: readonly Quantity[]): Promise<void> {
      await platform(`/apps/${part(name)}/formation`, { method: 'PATCH', body: { updates }, answer: z.unknown() });
    },
    /** Stops one dyno. One of the formation comes back by itself [docs]. */
    async stopDyno(name: string, dynoName: string): Promise<void> {
      const path = `/apps/${part(name)}/dynos/${part(dynoName)}/actions/stop`;
      await platform(path, { method: 'POST', answer: z.unknown() });
    },

    /** Starts a one-off dyno whose output is taken by rendezvous; it ends when the taker disconnects [docs]. */
    async runAttached(
      name: string,
      command: string,
      env: Record<string, string>,
    ): Promise<{ name: string; attachUrl: string }> {
      const started = await platform(`/apps/${part(name)}/dynos`, {
        method: 'POST',
        body: { command, env, attach: true, force_no_tty: true },
        answer: startedDyno,
      });
      const attachUrl = started.attach_url ?? '';
      // Whoever has the last part of the address may take the dyno's output.
      if (URL.canParse(attachUrl)) registered(new URL(attachUrl).pathname.slice(1));
      return { name: started.name, attachUrl: registered(attachUrl) };
    },

    /** The output of a dyno that `runAttached` started, until it ends. */
    takeOutput: (attachUrl: string, onOutput: (chunk: string) => void): Promise<string> =>
      takeOutput(attachUrl, onOutput, timeoutMs),

    /** Restarts the dynos of one process type; one-off dynos of other people go on. Answers before they are up. */
    async restartProcesses(name: string, type: string): Promise<void> {
      await platform(`/apps/${part(name)}/formations/${part(type)}`, { method: 'DELETE', answer: z.unknown() });
    },

    /** @returns undefined when there is no such credential */
    async findCredential(addonName: string, name: string): Promise<Credential | undefined> {
      const all = await data(credentialsOf(addonName), { method: 'GET', answer: z.array(credential) });
      return all.find((one) => one.name === name);
    },
    async createCredential(addonName: string, name: string): Promise<void> {
      await data(credentialsOf(addonName), { method: 'POST', body: { name }, answer: z.unknown() });
    },
    /** Destroys a credential; what it owned goes to the default one [source]. It must be attached to no app. */
    async destroyCredential(addonName: string, name: string): Promise<void> {
      await data(`${credentialsOf(addonName)}/${part(name)}`, { method: 'DELETE', answer: z.unknown() });
    },

    /**
     * Gives a credential another password, as `pg:credentials:rotate` does without `--force` [source]: the default one at
     * once, a named one by way of a second user name. Answers before it is done.
     */
    async rotateCredential(addonName: string, name: string): Promise<void> {
      const path = `${credentialsOf(addonName)}/${part(name)}/credentials_rotation`;
      await data(path, { method: 'POST', body: {}, answer: z.unknown() });
    },

    /** Backups, restores and copies of the app's databases [source: official CLI, pg:backups]. */
    listTransfers: (name: string) =>
      data(`/client/v11/apps/${part(name)}/transfers`, { method: 'GET', answer: z.array(transfer) }),

    /** The URL of a credential: a secret, read only where the platform is not to bind it itself. */
    async readCredentialUrl(addonName: string, name: string): Promise<string> {
      const { urls } = await readUrls(addonName, name);
      return urls.find((one) => one.state === 'active')?.url ?? '';
    },

    /**
     * A credential with the URL of each of its user names, secrets all: while it is rotated there are several.
     *
     * @returns undefined when there is no such credential
     */
    async readCredential(addonName: string, name: string): Promise<CredentialUrls | undefined> {
      try {
        return await readUrls(addonName, name);
      } catch (error) {
        if (error instanceof ServiceError && error.status === 404) return undefined;
        throw error;
      }
    },
  };
}

/** One segment of a path. */
function part(text: string): string {
  return encodeURIComponent(text);
}

function registered(secret: string): string {
  currentScope().secrets.add(secret);
  return secret;
}
