import { randomUUID } from 'node:crypto';
import type { RehearsalPostgres } from '../postgres.ts';
import { notFound } from './api-error.ts';
import type { AppRouter } from './app-router.ts';
import type { DynoManager } from './dyno-manager.ts';
import type { Transfer } from './transfers.ts';

/**
 * Where a rule of the stand-in comes from is said beside it:
 * [seen]    the official CLI (npm `heroku` 11.10.0) was watched relying on it
 * [source]  read in that CLI's source
 * [docs]    Heroku's published documentation or several independent public reports
 * [assumed] nobody has checked it against the real service
 */
export interface Slug {
  readonly id: string;
  readonly commit: string;
  readonly dir: string;
  /** The Procfile: process type to command. */
  readonly processTypes: Readonly<Record<string, string>>;
  readonly createdAt: Date;
}

export type ReleaseStatus = 'pending' | 'succeeded' | 'failed';

export interface Release {
  readonly id: string;
  readonly version: number;
  status: ReleaseStatus;
  current: boolean;
  readonly description: string;
  readonly createdAt: Date;
  updatedAt: Date;
  readonly user: Person;
  readonly slug: Slug | undefined;
  /** The config vars that this release's dynos run with. */
  readonly config: Readonly<Record<string, string>>;
  /** Whether its dynos are told about app, release and slug in their environment. */
  readonly metadata: boolean;
  /** What the release command has printed, where the release runs one. */
  readonly output: ReleaseOutput | undefined;
  /** Settles when the release is no longer pending. */
  settled: Promise<void>;
}

export interface ReleaseOutput {
  /** Its address is all that protects it. */
  readonly secret: string;
  readonly lines: string[];
  started: boolean;
}

export interface Person {
  readonly id: string;
  readonly email: string;
}

export type DynoState = 'starting' | 'up' | 'complete' | 'crashed';

export interface Dyno {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly command: string;
  readonly createdAt: Date;
  state: DynoState;
  updatedAt: Date;
  readonly release: Release;
  /** Only while a client may still attach. */
  attachUrl?: string;
  port?: number;
  /** False while preboot lets the old web dynos serve in its place. */
  routable: boolean;
  /** Requests that the router has passed on and that are not answered yet. */
  inFlight: number;
}

export interface Formation {
  readonly id: string;
  readonly type: string;
  quantity: number;
  size: string;
  readonly createdAt: Date;
  updatedAt: Date;
}

export interface App {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  updatedAt: Date;
  maintenance: boolean;
  readonly config: Map<string, string>;
  readonly releases: Release[];
  readonly formation: Map<string, Formation>;
  readonly dynos: Map<string, Dyno>;
  readonly logs: LogLine[];
  /** Backups, oldest first. */
  readonly transfers: Transfer[];
  readonly router: AppRouter;
  readonly generation: Generation;
  readonly features: ReadonlyMap<FeatureName, Feature>;
  /** Old web dynos that preboot lets serve until the switch-over. They are not among `dynos`, new ones have their names. */
  readonly outgoing: Set<Dyno>;
  /** How the web dynos that start from now on boot. */
  webBoot: WebBoot;
}

/** On `fir`, one-off dynos may be missing, and releases have an image in place of a slug [docs, source]. */
export type Generation = 'cedar' | 'fir';

export type FeatureName = 'preboot' | 'runtime-dyno-metadata';

export interface Feature {
  readonly id: string;
  readonly name: FeatureName;
  enabled: boolean;
}

/** A boot that goes otherwise than the slug has it. The dyno's own process does it: it waits, or it ends. */
export interface BadBoot {
  /** Before the slug's command starts. The dyno is `starting` for that long. */
  readonly delayMs?: number;
  /** Ends the process with this status in place of the slug's command, after the delay. */
  readonly exitCode?: number;
  /** A line that it prints first. */
  readonly prints?: string;
}

/** Asked for each web dyno that starts, with the config vars of its release. */
export type WebBoot = (config: Readonly<Record<string, string>>) => BadBoot | undefined;

export interface LogLine {
  readonly at: Date;
  /** `app` for a dyno's own output, `heroku` for what the platform says of it. */
  readonly source: 'app' | 'heroku';
  readonly dyno: string;
  readonly text: string;
}

/** `advanced`, or with a network behind it: `advanced-private` [source]. */
export type Plan =
  | 'mini'
  | 'basic'
  | `essential-${0 | 1 | 2}`
  | `${'standard' | 'premium' | 'private' | 'shield'}-${number}`
  | 'advanced'
  | `advanced-${string}`;

const PLANS = /^(mini|basic|essential-[0-2]|(standard|premium|private|shield)-\d+|advanced(-\w+)*)$/;
export const isPlan = (text: string): text is Plan => PLANS.test(text);
export const isEssential = (plan: Plan): boolean => /^(essential|mini|basic)/.test(plan);
export const isAdvanced = (plan: Plan): boolean => plan.startsWith('advanced');

export interface Role {
  readonly user: string;
  readonly password: string;
  state: 'enabling' | 'active' | 'revoking';
}

export interface Credential {
  readonly id: string;
  readonly name: string;
  state: 'provisioning' | 'active' | 'rotating' | 'revoking';
  /** Usually one; two while a rotation is under way. */
  roles: Role[];
}

export interface Addon {
  readonly id: string;
  readonly name: string;
  readonly plan: Plan;
  /** The billing app. */
  readonly app: App;
  readonly database: string;
  readonly postgres: RehearsalPostgres;
  readonly credentials: Map<string, Credential>;
  /** The leader that it replicates; it takes no writes. */
  readonly follows: Addon | undefined;
  /** How many sessions it takes, where that is another number than its plan's. */
  readonly connectionLimit: number | undefined;
  readonly createdAt: Date;
}

export interface Attachment {
  readonly id: string;
  readonly name: string;
  readonly app: App;
  readonly addon: Addon;
  /** `credential:NAME`, `connection-pooling:default` through the pooler, or null for the default credential. */
  readonly namespace: string | null;
  readonly createdAt: Date;
}

/** What may be changed while the stand-in runs, to make it slow or to choose between unknown behaviours. */
export interface HerokuSettings {
  /** How long a new credential stays `provisioning`. */
  credentialProvisioningMs: number;
  /** How long a named credential's rotation keeps its temporary second user name. */
  rotationMs: number;
  /** How long that second user name is good still once the first one has its new password [assumed: no time]. */
  temporaryUserMs: number;
  /** How long the default credential, or a forced rotation, is `rotating` before it has its new password [assumed: no time]. */
  resetMs: number;
  /** How long a rotation that was asked for does not show yet [assumed: no time]. */
  rotationHiddenMs: number;
  /** How much later than the credential the variables of the apps change [assumed: no time]. */
  rotatedVariablesMs: number;
  /** What becomes of sessions of the old password: the CLI says that they are reset [source], and nobody has seen it. */
  sessionsOfOldPassword: 'end' | 'linger';
  /** What attaching as X does when X_URL is set by hand: nobody knows which of the two the platform does. */
  attachOverHandSet: 'refuse' | 'replace';
  /**
   * With preboot, how long the old web dynos serve on after the new ones have booted or failed to. About two minutes
   * behind the boot limit [docs].
   */
  prebootMs: number;
  /** Whether the list of dynos shows the old ones meanwhile. `heroku ps` does not show them [docs]. */
  prebootListsOld: boolean;
  /** What a one-off dyno is answered on `fir`. Missing there once, and later said to work [docs]. */
  firOneOffs: 'refuse' | 'run';
  /**
   * What GET /oauth/authorizations/~ answers: it is the account's API key as the dashboard shows it, and not the token
   * in use [source]; 404 when the account has none [source].
   */
  defaultAuthorization: 'in-use' | 'another' | 'none';
  /** Between SIGTERM and SIGKILL. The platform gives 30 s [docs]. */
  stopGraceMs: number;
  /** Before the first restart of a crashed dyno; doubled at each further crash, up to 30 s. */
  crashBackoffMs: number;
  /** A web dyno that has not bound its port by then is killed. 60 s [docs]. */
  bootLimitMs: number;
  /** How long a one-off dyno waits for its client. */
  attachLimitMs: number;
  /** How long a backup takes. */
  backupMs: number;
  /** How long an ended one-off dyno is still listed. */
  endedDynoMs: number;
  /** Requests an account has at most, and how many it gets back a minute. 4,500 and 75 [docs]. */
  rateLimit: number;
  rateRefillPerMinute: number;
}

export const DEFAULT_SETTINGS: HerokuSettings = {
  credentialProvisioningMs: 300,
  rotationMs: 1_000,
  temporaryUserMs: 0,
  resetMs: 0,
  rotationHiddenMs: 0,
  rotatedVariablesMs: 0,
  sessionsOfOldPassword: 'end',
  attachOverHandSet: 'refuse',
  prebootMs: 3_000,
  prebootListsOld: false,
  firOneOffs: 'refuse',
  defaultAuthorization: 'another',
  stopGraceMs: 2_000,
  crashBackoffMs: 1_000,
  bootLimitMs: 60_000,
  attachLimitMs: 60_000,
  backupMs: 300,
  endedDynoMs: 500,
  rateLimit: 4_500,
  rateRefillPerMinute: 75,
};

/** The whole state of the stand-in, handed to every resource. */
export interface Platform {
  readonly url: string;
  readonly token: string;
  /** Milliseconds since 1970; null for a token that does not expire. */
  tokenExpiresAt: number | null;
  readonly workDir: string;
  readonly account: Person;
  readonly settings: HerokuSettings;
  readonly apps: Map<string, App>;
  readonly addons: Addon[];
  readonly attachments: Attachment[];
  readonly slugs: Map<string, Slug>;
  readonly dynos: DynoManager;
  /** Every secret that was ever given out, for tests that look for leaks. */
  readonly secrets: Set<string>;
  /** Ends timers with the stand-in. */
  readonly stopped: AbortSignal;
  readonly log: (line: string) => void;
}

/** Whom an add-on's own changes are attributed to. */
export const ADDON_USER: Person = { id: randomUUID(), email: 'heroku-postgresql@addons.heroku.com' };

export function findApp(platform: Platform, idOrName: string): App {
  const found = [...platform.apps.values()].find((app) => app.name === idOrName || app.id === idOrName);
  if (!found) throw notFound('app', "Couldn't find that app.");
  return found;
}

export function findAddon(platform: Platform, idOrName: string): Addon {
  const found = platform.addons.find((addon) => addon.name === idOrName || addon.id === idOrName);
  // The CLI looks at `resource` to tell an unknown add-on from other failures [source].
  if (!found) throw notFound('add_on', "Couldn't find that add-on.");
  return found;
}

export function attachmentsOf(platform: Platform, app: App): Attachment[] {
  return platform.attachments.filter((attachment) => attachment.app === app);
}

/** The config vars that an attachment owns. */
export function ownedVariables(attachment: Attachment): string[] {
  return [`${attachment.name}_URL`];
}

export function currentRelease(app: App): Release | undefined {
  return app.releases.find((release) => release.current);
}
