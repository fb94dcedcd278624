import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startOrphanGuard } from '../orphan-guard.ts';
import type { RehearsalPostgres } from '../postgres.ts';
import { addonRoutes, createAddon } from './addons.ts';
import { startApiServer, type Intercept, type RecordedRequest } from './api-server.ts';
import { startAppRouter } from './app-router.ts';
import { appRoutes } from './apps.ts';
import { attach, attachmentRoutes, freeAttachmentName } from './attachments.ts';
import { authorizationRoutes } from './authorizations.ts';
import { configVarRoutes, noteSecret } from './config-vars.ts';
import { credentialRoutes, findCredential, rotate } from './credentials.ts';
import { databaseRoutes } from './databases.ts';
import { createDynoManager } from './dyno-manager.ts';
import { dynoRoutes } from './dynos.ts';
import { featureRoutes, newFeatures } from './features.ts';
import { formationRoutes, newFormation } from './formation.ts';
import { logRoutes } from './logs.ts';
import { createRelease, releaseRoutes } from './releases.ts';
import { startRendezvous } from './rendezvous.ts';
import { deploySlug, slugRoutes, type SlugSource } from './slugs.ts';
import {
  DEFAULT_SETTINGS,
  findAddon,
  findApp,
  type App,
  type BadBoot,
  type Generation,
  type HerokuSettings,
  type Plan,
  type Platform,
  type WebBoot,
} from './state.ts';
import { capture, transferRoutes, type BackupEnd } from './transfers.ts';

export type { ApiRequest, Intercept, RecordedRequest } from './api-server.ts';
export type { SlugSource } from './slugs.ts';
export { isPlan } from './state.ts';
export type { BadBoot, Generation, HerokuSettings, Plan, WebBoot } from './state.ts';

export interface HerokuOptions {
  readonly postgres: RehearsalPostgres;
  /** A folder that exists; what is made in it is removed by stop(). */
  readonly workDir: string;
  /** The folder with `python` and `alembic`; it leads the PATH of every dyno. */
  readonly pythonBin: string;
  readonly log?: (line: string) => void;
  /** Runs before a handler; an answer of its own replaces the handler's. */
  readonly intercept?: Intercept;
  readonly settings?: Partial<HerokuSettings>;
  /** Seconds until the token expires; it does not unless said. */
  readonly tokenExpiresIn?: number;
}

/** A local server that speaks Heroku's Platform API, Data API and rendezvous protocol. */
export interface HerokuStandIn {
  /** Platform API and Data API. */
  readonly url: string;
  /** Made for this run; the only one that is accepted. */
  readonly token: string;
  /** PEM file of the authority of the rendezvous certificate, for NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  /** Method, path, status and what was left, never a body. */
  readonly requests: readonly RecordedRequest[];
  /** May be changed while it runs. */
  readonly settings: HerokuSettings;
  /** Answers when the app's first release is deployed; its web dynos may still be starting. */
  createApp(options: {
    name: string;
    slug: SlugSource;
    /** How many web dynos, one unless said. */
    web?: number;
    configVars?: Record<string, string>;
    /** On `fir`, `heroku run` may be missing [docs]. */
    generation?: Generation;
    preboot?: boolean;
    /** On from the start. */
    maintenance?: boolean;
    /** `HEROKU_SLUG_COMMIT` and its kin in every dyno's environment. */
    dynoMetadata?: boolean;
    webBoot?: BadBoot | WebBoot;
  }): Promise<void>;
  /** How the app's web dynos boot from now on; undefined for as the slug has it. */
  setWebBoot(app: string, boot: BadBoot | WebBoot | undefined): void;
  /**
   * `attachAs` is `DATABASE` unless said, or a name with a colour when that is taken. Answers when the release that this
   * makes has settled.
   */
  createAddon(options: {
    app: string;
    name: string;
    plan: Plan;
    attachAs?: string;
    /** Name of the leader that it follows: it takes no writes then. */
    follows?: string;
    /** How many sessions it takes, really; its plan's number is only shown. */
    connectionLimit?: number;
    /** `user` runs the app's release command, as provisioning does [docs]; unless said, the app is as it would be later. */
    by?: 'user' | 'addon';
    /** A server of its own, for example where two add-ons need a credential of one name. */
    postgres?: RehearsalPostgres;
  }): Promise<void>;
  /**
   * Attaches an add-on to an app, its own or another that shares it, as a user would. Answers when the release that this
   * makes has settled, be it well or not.
   */
  attach(options: {
    addon: string;
    app: string;
    /** A name with a colour unless said. */
    as?: string;
    /** `credential:NAME`, or `connection-pooling:default` for the pooler. */
    namespace?: string;
    /** Over an attachment of that name. */
    overwrite?: boolean;
  }): Promise<void>;
  /** Rotates a credential, as the platform also does by itself in a maintenance [docs]. `default` unless named. */
  rotateCredential(options: { addon: string; name?: string; forced?: boolean }): Promise<void>;
  /**
   * Backs an add-on of the app up, as a person or a schedule would. It takes as long as the settings say.
   *
   * @returns its name, as `heroku pg:backups` shows it
   */
  captureBackup(options: { app: string; addon: string; end?: BackupEnd; at?: Date }): string;
  /** Seconds from now; null for never. Once it has expired, every request with the token is 401. */
  setTokenExpiry(expiresIn: number | null): void;
  /** A new slug and its release. Answers when the release has succeeded or failed. */
  deploy(app: string, slug: SlugSource): Promise<{ version: number; status: string }>;
  /** Of the app's router; the same for the whole life of the app. */
  webUrl(app: string): string;
  /** What the app's dynos printed and the platform said of them. May hold what the app itself chose to print. */
  appLog(app: string): string[];
  /** Every real secret of this run so far: passwords, whole URLs, the token. */
  secrets(): string[];
  /** Ends every dyno by its process group and closes every socket. May be called twice. */
  stop(): Promise<void>;
}

export async function startHeroku(options: HerokuOptions): Promise<HerokuStandIn> {
  const cleanups: (() => Promise<unknown>)[] = [];
  const cleanUp = async (): Promise<void> => {
    for (let undo = cleanups.pop(); undo !== undefined; undo = cleanups.pop()) await undo();
  };
  try {
    return await start(options, cleanups, cleanUp);
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

async function start(
  options: HerokuOptions,
  cleanups: (() => Promise<unknown>)[],
  cleanUp: () => Promise<void>,
): Promise<HerokuStandIn> {
  const guard = startOrphanGuard();
  cleanups.push(() => guard.close());
  const workDir = await mkdtemp(join(options.workDir, 'heroku-'));
  guard.watchFolder(workDir);
  cleanups.push(() => rm(workDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  await mkdir(join(workDir, 'slugs'));
  await mkdir(join(workDir, 'dynos'));

  const caFile = join(workDir, 'rendezvous-ca.pem');
  const rendezvous = await startRendezvous(caFile);
  cleanups.push(() => rendezvous.stop());
  const server = await startApiServer();
  cleanups.push(() => server.stop());

  const stopped = new AbortController();
  const token = `HRKU-${randomUUID()}-${randomBytes(8).toString('hex')}`;
  const settings: HerokuSettings = { ...DEFAULT_SETTINGS, ...options.settings };
  const dynos = createDynoManager(() => platform, rendezvous, guard, options.pythonBin);
  const platform: Platform = {
    url: server.url,
    token,
    tokenExpiresAt: null,
    workDir,
    account: { id: randomUUID(), email: 'operator@rehearsal.invalid' },
    settings,
    apps: new Map(),
    addons: [],
    attachments: [],
    slugs: new Map(),
    dynos,
    secrets: new Set([token, options.postgres.superuser.password]),
    stopped: stopped.signal,
    log: options.log ?? (() => undefined),
  };
  cleanups.push(() => dynos.stopAll());
  // First of all no new work: neither by a request nor by a dyno that ends.
  cleanups.push(async () => {
    stopped.abort();
    await server.stop();
  });
  server.serve(
    platform,
    [
      appRoutes,
      featureRoutes,
      authorizationRoutes,
      configVarRoutes,
      releaseRoutes,
      slugRoutes,
      formationRoutes,
      dynoRoutes,
      logRoutes,
      addonRoutes,
      attachmentRoutes,
      credentialRoutes,
      databaseRoutes,
      transferRoutes,
    ].flatMap((routes) => routes(platform)),
    options.intercept,
  );
  const setTokenExpiry = (expiresIn: number | null): void => {
    platform.tokenExpiresAt = expiresIn === null ? null : Date.now() + expiresIn * 1000;
  };
  setTokenExpiry(options.tokenExpiresIn ?? null);

  let stopping: Promise<void> | undefined;
  return {
    url: server.url,
    token,
    caFile,
    requests: server.requests,
    settings,
    createApp: async ({ name, slug, web = 1, configVars = {}, generation = 'cedar', webBoot, ...more }) => {
      const { preboot = false, maintenance = false, dynoMetadata = false } = more;
      if (platform.apps.has(name)) throw new Error(`there is an app ${name} already`);
      const router = await startAppRouter();
      if (stopped.signal.aborted) {
        await router.stop();
        throw new Error('the stand-in was stopped');
      }
      cleanups.push(() => router.stop());
      const now = new Date();
      const app: App = {
        id: randomUUID(),
        name,
        createdAt: now,
        updatedAt: now,
        maintenance,
        config: new Map(Object.entries(configVars)),
        releases: [],
        formation: new Map(),
        dynos: new Map(),
        logs: [],
        transfers: [],
        router,
        generation,
        features: newFeatures({ preboot, dynoMetadata }),
        outgoing: new Set(),
        webBoot: webBootOf(webBoot),
      };
      for (const value of Object.values(configVars)) noteSecret(platform, value);
      app.formation.set('web', newFormation('web', web));
      router.route(app);
      platform.apps.set(name, app);
      createRelease(platform, app, { description: 'Initial release', by: 'user' });
      await deploySlug(platform, app, slug);
    },
    setWebBoot: (app, boot) => {
      findApp(platform, app).webBoot = webBootOf(boot);
    },
    createAddon: async ({ app, postgres, follows, ...addon }) => {
      await createAddon(platform, postgres ?? options.postgres, {
        ...addon,
        app: findApp(platform, app),
        ...(follows === undefined ? {} : { follows: findAddon(platform, follows) }),
      });
    },
    attach: async ({ addon, app: name, as, namespace = null, overwrite = false }) => {
      const app = findApp(platform, name);
      attach(platform, {
        addon: findAddon(platform, addon),
        app,
        name: as ?? freeAttachmentName(platform, app),
        namespace,
        by: 'user',
        ...(overwrite ? { confirm: app.name } : {}),
      });
      await app.releases.at(-1)?.settled;
    },
    rotateCredential: async ({ addon: name, name: credential = 'default', forced = false }) => {
      const addon = findAddon(platform, name);
      await rotate(platform, addon, findCredential(addon, credential), forced);
    },
    captureBackup: ({ app, addon, end = 'completed', at }) => {
      const { num } = capture(platform, findApp(platform, app), findAddon(platform, addon), end, at);
      return `b${String(num).padStart(3, '0')}`;
    },
    setTokenExpiry,
    deploy: async (app, slug) => {
      const { version, status } = await deploySlug(platform, findApp(platform, app), slug);
      return { version, status };
    },
    webUrl: (app) => findApp(platform, app).router.url,
    appLog: (app) =>
      findApp(platform, app).logs.map(
        ({ at, source, dyno, text }) => `${at.toISOString()} ${source}[${dyno}]: ${text}`,
      ),
    secrets: () => [...platform.secrets],
    stop: () => (stopping ??= cleanUp()),
  };
}

function webBootOf(boot: BadBoot | WebBoot | undefined): WebBoot {
  return typeof boot === 'function' ? boot : () => boot;
}
