import { randomBytes } from 'node:crypto';
import { ServiceError } from '../../../activities/clients/errors.ts';
import type {
  Addon,
  Attachment,
  Credential,
  Dyno,
  HerokuClient,
  Release,
  Transfer,
} from '../../../activities/clients/heroku.ts';
import { currentScope } from '../../../activities/scope.ts';

export const app = 'an-app';
const commit = 'd4'.repeat(20);

/** What a command of a one-off dyno prints, and the status that its shell tells; undefined where it is not told. */
export interface CommandOutcome {
  readonly output: string;
  readonly status: number | undefined;
}

/** The rules of the platform that the steps rely on, in memory. Time is the test's. */
export class FakeHeroku {
  vars: Record<string, string> = {};
  attachments: Attachment[] = [];
  addons: Addon[] = [];
  credentials = new Map<string, Credential[]>();
  releases: Release[] = [];
  formation = [{ type: 'web', quantity: 2 }];
  dynos: Dyno[] = [];
  details: Awaited<ReturnType<HerokuClient['getApp']>> = {
    id: 'app-1',
    name: app,
    maintenance: false,
    web_url: 'https://an-app.example/',
    generation: { name: 'cedar' },
  };
  slug: Awaited<ReturnType<HerokuClient['getSlug']>> = { id: 'slug-1', commit, process_types: { web: 'serve' } };
  features = new Set<string>();
  transfers: Transfer[] = [];
  /** Attachments of the add-ons in other apps. */
  elsewhere: Attachment[] = [];
  /** Seconds. */
  tokenExpiresIn: number | null = null;
  /** How often each process type was restarted by request. */
  restarts: string[] = [];
  /** One-off dynos that were stopped, how often maintenance was switched, and credentials that were destroyed. */
  stops: string[] = [];
  maintenances = 0;
  destroyed = 0;
  /** Every command that a one-off dyno was started with. */
  readonly oneOffs: { command: string; env: Record<string, string> }[] = [];
  /** Milliseconds from a change to its release, from a release to its dynos, from a request to an active credential (or none), and to a dyno's end. */
  releaseTakes = 0;
  bootTakes = 0;
  credentialTakes = 0;
  stopTakes = 0;
  rotationTakes = 0;
  /** The next release fails, as one whose release command does. */
  nextReleaseFails = false;
  runCommand: (command: string) => CommandOutcome = () => ({ output: '', status: 0 });
  readonly password = randomBytes(12).toString('hex');
  /** Of users whose credential was rotated. */
  readonly passwords = new Map<string, string>();
  rotations = 0;
  #outputs = new Map<string, { dyno: Dyno; command: string }>();

  constructor() {
    this.addAddon('main-db', 'heroku-postgresql:standard-0');
    this.attach('main-db', 'DATABASE', null);
    this.release('Initial release', { now: true });
  }

  addAddon(name: string, plan: string): void {
    this.addons.push({ id: `id-${name}`, name, plan: { name: plan } });
    this.credentials.set(name, [this.#credential(name, 'default', 'owner', 'active')]);
  }

  #credential(addon: string, name: string, user: string, state: string): Credential {
    return {
      name,
      state,
      database: `${addon}-data`,
      host: 'db.example',
      port: 5432,
      credentials: [{ user, state: 'active' }],
    };
  }

  urlOf(addon: string, user = 'owner'): string {
    return `postgres://${user}:${this.passwords.get(user) ?? this.password}@db.example:5432/${addon}-data`;
  }

  /** Attaches without a release, as the state that a test begins in. */
  attach(addon: string, name: string, namespace: string | null): Attachment {
    const attachment = {
      id: `attachment-${name}`,
      name,
      namespace,
      app: { id: 'app-1', name: app },
      addon: { id: `id-${addon}`, name: addon },
    };
    this.attachments = [...this.attachments.filter((one) => one.name !== name), attachment];
    const user = namespace === null ? 'owner' : namespace.replace('credential:', '');
    this.vars[`${name}_URL`] = this.urlOf(addon, user);
    return attachment;
  }

  /** A new release, and the dynos that it brings. */
  release(description: string, { now = false, by = 'deployer@example.com' } = {}): void {
    const version = (this.releases[0]?.version ?? 0) + 1;
    const release: Release = {
      id: `r-${version}`,
      version,
      status: 'pending',
      current: false,
      description,
      created_at: stamp(),
      slug: { id: this.slug.id },
      user: { email: by },
    };
    this.releases = [release, ...this.releases];
    const failed = this.nextReleaseFails;
    this.nextReleaseFails = false;
    after(now ? 0 : this.releaseTakes, () => {
      const settled = this.releases.map((one) =>
        one.version === version
          ? { ...one, status: failed ? ('failed' as const) : ('succeeded' as const), current: !failed }
          : failed
            ? one
            : { ...one, current: false },
      );
      this.releases = settled;
      if (!failed) for (const { type } of this.formation) this.#boot(type, now);
    });
  }

  /** Replaces the dynos of a process type. */
  #boot(type: string, now = false): void {
    const { quantity } = this.formation.find((one) => one.type === type) ?? { quantity: 0 };
    const version = this.releases.find((one) => one.current)?.version ?? 1;
    const fresh = Array.from({ length: quantity }, (_, index) =>
      this.dyno(`${type}.${index + 1}`, type, version, 'starting'),
    );
    this.dynos = [...this.dynos.filter((one) => one.type !== type), ...fresh];
    after(now ? 0 : this.bootTakes, () => {
      this.dynos = this.dynos.map((one) => (fresh.includes(one) ? { ...one, state: 'up' } : one));
    });
  }

  dyno(name: string, type: string, version: number, state: string, command = 'serve'): Dyno {
    return {
      id: `${name}-${randomBytes(4).toString('hex')}`,
      name,
      type,
      state,
      command,
      created_at: stamp(),
      updated_at: stamp(),
      release: { version },
    };
  }

  readonly client: HerokuClient = {
    getApp: () => Promise.resolve(this.details),
    getConfigVars: () => {
      currentScope().secrets.addConfigVars(this.vars);
      return Promise.resolve({ ...this.vars });
    },
    setConfigVars: async (_, change) => {
      const owned = Object.keys(change).filter((name) => this.attachments.some((one) => `${one.name}_URL` === name));
      if (owned.length > 0)
        throw new ServiceError(
          'Heroku',
          'PATCH /config-vars',
          422,
          'invalid_params',
          `Cannot overwrite attachment values ${owned.join(', ')}.`,
        );
      for (const [name, value] of Object.entries(change)) {
        if (value === null) delete this.vars[name];
        else this.vars[name] = value;
      }
      this.release(`Set ${Object.keys(change).join(', ')} config vars`);
      await Promise.resolve();
    },
    listReleases: (_, max = 10) => Promise.resolve(this.releases.slice(0, max)),
    getSlug: () => Promise.resolve(this.slug),
    listAppAttachments: () => Promise.resolve([...this.attachments]),
    listAddonAttachments: (id) =>
      Promise.resolve([...this.attachments, ...this.elsewhere].filter((one) => one.addon.id === id)),
    getAddon: (id) => {
      const addon = this.addons.find((one) => one.id === id || one.name === id);
      return addon
        ? Promise.resolve(addon)
        : Promise.reject(new ServiceError('Heroku', 'GET /addons', 404, 'not_found', 'no such add-on'));
    },
    attachAddon: ({ addon, as = 'OTHER_DATABASE', namespace = null, confirm }) => {
      if (this.attachments.some((one) => one.name === as) && confirm !== app) {
        return Promise.reject(
          new ServiceError('Heroku', 'POST /addon-attachments', 422, 'invalid_params', 'Name is already in use.'),
        );
      }
      const attachment = this.attach(addon, as, namespace);
      this.release(`Attach ${as}`);
      return Promise.resolve(attachment);
    },
    detachAddon: async (id) => {
      const found = this.attachments.find((one) => one.id === id);
      if (found === undefined) throw new ServiceError('Heroku', 'DELETE /addon-attachments', 404, 'not_found', 'gone');
      const left = this.attachments.filter((one) => one !== found);
      if (!left.some((one) => one.addon.id === found.addon.id))
        throw new ServiceError(
          'Heroku',
          'DELETE /addon-attachments',
          422,
          'invalid_params',
          'Cannot destroy last attachment',
        );
      this.attachments = left;
      delete this.vars[`${found.name}_URL`];
      this.release(`Detach ${found.name}`);
      await Promise.resolve();
    },
    setMaintenance: async (_, maintenance) => {
      if (this.details.maintenance !== maintenance) this.maintenances += 1;
      this.details = { ...this.details, maintenance };
      await Promise.resolve();
    },
    scale: async (_, updates) => {
      const wanted = new Map(updates.map(({ type, quantity }) => [type, quantity]));
      this.formation = this.formation.map((one) => ({ ...one, quantity: wanted.get(one.type) ?? one.quantity }));
      for (const { type } of updates) this.#boot(type);
      await Promise.resolve();
    },
    stopDyno: async (_, name) => {
      this.stops.push(name);
      after(this.stopTakes, () => void (this.dynos = this.dynos.filter((one) => one.name !== name)));
      await Promise.resolve();
    },
    destroyCredential: async (addon, name) => {
      if ([...this.attachments, ...this.elsewhere].some((one) => one.namespace === `credential:${name}`))
        throw new ServiceError('Heroku Data', 'DELETE /credentials', 422, 'invalid_params', 'must be detached');
      const all = this.credentials.get(addon) ?? [];
      const found = all.find((one) => one.name === name);
      if (found !== undefined) found.state = 'revoking';
      this.destroyed += 1;
      after(this.credentialTakes, () =>
        this.credentials.set(
          addon,
          all.filter((one) => one !== found),
        ),
      );
      await Promise.resolve();
    },
    listTransfers: () => Promise.resolve([...this.transfers]),
    listDynos: () => Promise.resolve([...this.dynos]),
    listFormation: () => Promise.resolve([...this.formation]),
    runAttached: (_, command, env) => {
      const dyno = this.dyno(`run.${this.oneOffs.length + 1}`, 'run', 1, 'up', command);
      this.oneOffs.push({ command, env });
      this.dynos.push(dyno);
      this.#outputs.set(dyno.name, { dyno, command });
      return Promise.resolve({ name: dyno.name, attachUrl: `rendezvous://dyno.example:5000/${dyno.name}` });
    },
    takeOutput: (attachUrl, onOutput) => {
      const { dyno, command } = this.#outputs.get(new URL(attachUrl).pathname.slice(1)) ?? {};
      if (dyno === undefined || command === undefined) throw new Error(`no dyno behind ${attachUrl}`);
      const { output, status } = this.runCommand(command);
      onOutput(output);
      this.dynos = this.dynos.filter((one) => one !== dyno);
      return Promise.resolve(
        status === undefined ? output : `${output}\n\uFFFF heroku-command-exit-status: ${status}\r\n`,
      );
    },
    restartProcesses: async (_, type) => {
      this.restarts.push(type);
      this.#boot(type);
      await Promise.resolve();
    },
    findCredential: (addon, name) => Promise.resolve(this.credentials.get(addon)?.find((one) => one.name === name)),
    createCredential: async (addon, name) => {
      const made = this.#credential(addon, name, name, 'provisioning');
      this.credentials.get(addon)?.push(made);
      after(this.credentialTakes, () => void (made.state = 'active'));
      await Promise.resolve();
    },
    tokenExpiresIn: () => Promise.resolve(this.tokenExpiresIn),
    isFeatureEnabled: (_, feature) => Promise.resolve(this.features.has(feature)),
    readCredentialUrl: (addon, name) => Promise.resolve(this.urlOf(addon, name === 'default' ? 'owner' : name)),
    readCredential: (addon, name) => {
      const found = this.credentials.get(addon)?.find((one) => one.name === name);
      if (found === undefined) return Promise.resolve(undefined);
      const urls = found.credentials.map(({ user, state }) => ({ user, state, url: this.urlOf(addon, user) }));
      for (const { url } of urls) currentScope().secrets.addUrl(url);
      return Promise.resolve({ state: found.state, database: found.database, urls });
    },
    rotateCredential: async (addon, name) => {
      this.rotations += 1;
      const found = this.credentials.get(addon)?.find((one) => one.name === name);
      if (found === undefined) throw new ServiceError('Heroku Data', 'POST rotation', 404, 'not_found', 'no such');
      found.state = 'rotating';
      after(this.rotationTakes, () => {
        found.state = 'active';
        for (const { user } of found.credentials) this.passwords.set(user, randomBytes(12).toString('hex'));
        const namespace = name === 'default' ? null : `credential:${name}`;
        const attached = this.attachments.filter((one) => one.addon.name === addon && one.namespace === namespace);
        for (const one of attached) this.attach(addon, one.name, namespace);
        this.release(`Update ${attached.map((one) => one.name).join(', ')} by heroku-postgresql`);
      });
      await Promise.resolve();
    },
  };
}

/** As the platform writes a time: in whole seconds. */
export function stamp(ms = Date.now()): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

function after(ms: number, act: () => void): void {
  if (ms === 0) act();
  else setTimeout(act, ms);
}
