import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { WorkerDeploymentVersion } from '@temporalio/common';
import { z } from 'zod';
import { readKeys, type EncryptionKey } from './codec/keys.ts';
import { withSecretFiles, type ConfiguredSecret } from './secret-files.ts';
import { StartError } from './start-error.ts';
import { isProtected, readTemporalConnection, secretsOf, type TemporalConnection } from './temporal-config.ts';

const notAPort = { message: 'is not a port: a number from 0 to 65535' };
const missing = { required_error: 'is missing' };
/** Each may be given in a file too, which `<NAME>_FILE` names. */
const secretNames = ['HEROKU_API_KEY', 'GITHUB_TOKEN', 'TEMPORAL_API_KEY', 'CUTOVER_WEBHOOK_URL'] as const;
const secret = (name: (typeof secretNames)[number]) =>
  z.string({ required_error: `is missing; set it, or ${name}_FILE to the path of a file that holds it` });
const url = z
  .string()
  .url('is not a URL')
  .transform((text) => text.replace(/\/+$/, ''));
/** A URL by which whoever knows it may write: no message repeats it. */
const webhook = z
  .string()
  .trim()
  .refine((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, username, password } = new URL(text);
    return /^https?:$/.test(protocol) && `${username}${password}` === '';
  }, 'is not a URL of http or https, without a user in it');
const flag = z
  .enum(['0', '1'], { errorMap: () => ({ message: 'is neither 0 nor 1' }) })
  .default('0')
  .transform((text) => text === '1');
const port = z.coerce.number(notAPort).int(notAPort.message).min(0, notAPort.message).max(65_535, notAPort.message);
const label = z.string().regex(/^[\w-][\w.+-]{0,99}$/, 'is not a plain word: letters, digits, and _ . + -');
const ownAddress = z
  .string()
  .refine((text) => isIP(text) !== 0, 'is not an IP address of this host')
  .default('127.0.0.1');
const folder = z.string().refine((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory(), 'is not a folder');
const file = z.string().refine((path) => statSync(path, { throwIfNoEntry: false })?.isFile(), 'is not a file');
const pemFile = z.string().transform((path, context) => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const message = `cannot be read (${(error as NodeJS.ErrnoException).code}); expected the path of a PEM file`;
    context.addIssue({ code: z.ZodIssueCode.custom, message });
    return z.NEVER;
  }
});

/** References to keys, which may name other variables. */
const keysIn = (variables: NodeJS.ProcessEnv) =>
  z.string(missing).transform((references, context) => {
    try {
      return readKeys(references, variables);
    } catch (error) {
      context.addIssue({ code: z.ZodIssueCode.custom, message: (error as Error).message });
      return z.NEVER;
    }
  });

const environment = z.object({
  CUTOVER_TASK_QUEUE: z.string().default('cutover'),
  CUTOVER_TARGETS: folder.default(fileURLToPath(new URL('../targets', import.meta.url))),
  CUTOVER_DATABASE_CA: pemFile.optional(),
  CUTOVER_AUDIT_DIR: folder.optional(),
  CUTOVER_CERTIFICATES_DIR: folder.optional(),
  CUTOVER_SIGNING_KEY: file.optional(),
  CUTOVER_WEBHOOK_URL: webhook.optional(),
  CUTOVER_WEB_UI_URL: url.refine((text) => webhook.safeParse(text).success, 'has a user in it').optional(),
  CUTOVER_ALLOW_INSECURE_TEMPORAL: flag,
  CUTOVER_BUILD_ID: label.optional(),
  CUTOVER_DEPLOYMENT: label.default('cutover'),
  CUTOVER_HEALTH_PORT: port.optional(),
  CUTOVER_HEALTH_HOST: ownAddress,
  CUTOVER_METRICS_PORT: port.refine((number) => number > 0, 'is 0, and nobody would know the port').optional(),
  CUTOVER_METRICS_HOST: ownAddress,
  HEROKU_API_URL: url.default('https://api.heroku.com'),
  HEROKU_DATA_URL: url.default('https://api.data.heroku.com'),
  HEROKU_API_KEY: secret('HEROKU_API_KEY'),
  GITHUB_API_URL: url.default('https://api.github.com'),
  GITHUB_TOKEN: secret('GITHUB_TOKEN'),
  PATH: z.string().default('/usr/local/bin:/usr/bin:/bin'),
  HOME: z.string().default('/'),
  LANG: z.string().default('C.UTF-8'),
});

export interface Listening {
  /** An IP address of this host. */
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
}

export interface WorkerConfig {
  readonly temporal: TemporalConnection & { readonly taskQueue: string };
  /** What whoever runs the worker should know, though it starts: a sentence each. */
  readonly warnings: readonly string[];
  /** Folder of the target files. */
  readonly targets: string;
  /** PEM of the CA with which PostgreSQL's certificate is verified; without one it is recorded by fingerprint. */
  readonly databaseCa: string | undefined;
  /** Folder for the records of runs; without one, none is written. */
  readonly auditFolder: string | undefined;
  /** Folder for the certificates of soaks; without one they are written nowhere, and read beside the target files. */
  readonly certificatesFolder: string | undefined;
  /** File with the key by which certificates are signed; without one they are not. */
  readonly signingKey: string | undefined;
  readonly heroku: { readonly apiUrl: string; readonly dataUrl: string; readonly token: ConfiguredSecret };
  readonly github: { readonly apiUrl: string; readonly token: ConfiguredSecret };
  /** Where people are told what happens, a secret; without it nobody is. */
  readonly webhookUrl: string | undefined;
  /** Base URL of Temporal's Web UI, for links to runs. */
  readonly webUiUrl: string | undefined;
  /** With which payloads are encrypted, the first, and decrypted, all of them; undefined for payloads in clear. */
  readonly encryptionKeys: readonly EncryptionKey[] | undefined;
  /** Of which build the worker is; undefined for a worker without versions. */
  readonly version: WorkerDeploymentVersion | undefined;
  /** Where health and readiness are answered; undefined for nowhere. */
  readonly health: Listening | undefined;
  /** Where Prometheus scrapes; undefined for nowhere. */
  readonly metrics: Listening | undefined;
  /** What a command on this host is given of the environment: nothing that could be a secret. */
  readonly hostEnv: Readonly<Record<string, string>>;
}

/** A mistake in the worker's own configuration: told in a sentence for each variable, without a stack trace. */
export class ConfigError extends StartError {
  override readonly name = 'ConfigError';
}

/**
 * The worker's configuration. The only reader of the environment.
 *
 * @throws ConfigError that names every variable that is missing or wrong
 */
export function readConfig(given: NodeJS.ProcessEnv): WorkerConfig {
  const { variables, files, problems } = withSecretFiles(secretNames, withoutEmpty(given));
  const schema = environment.extend({ CUTOVER_ENCRYPTION_KEYS: keysIn(variables).optional() });
  const read = schema.safeParse(variables);
  if (!read.success) problems.push(...problemsOf(read.error));
  const temporal = readTemporalConnection(variables, files['TEMPORAL_API_KEY'], (problem) => problems.push(problem));
  const unprotected = temporal !== undefined && !isProtected(temporal) ? unprotectedTo(temporal.address) : undefined;
  // Of a variable that is wrong itself nobody knows what it allows.
  const allowed = read.success ? read.data.CUTOVER_ALLOW_INSECURE_TEMPORAL : true;
  if (unprotected !== undefined && !allowed) problems.push(`${unprotected} ${howToProtect}`);
  if (!read.success || temporal === undefined || problems.length > 0) throw mistakes('worker', problems);
  const env = read.data;
  return {
    temporal: { ...temporal, taskQueue: env.CUTOVER_TASK_QUEUE },
    warnings: unprotected === undefined ? [] : [`${unprotected} CUTOVER_ALLOW_INSECURE_TEMPORAL allows it.`],
    targets: env.CUTOVER_TARGETS,
    databaseCa: env.CUTOVER_DATABASE_CA,
    auditFolder: env.CUTOVER_AUDIT_DIR,
    certificatesFolder: env.CUTOVER_CERTIFICATES_DIR,
    signingKey: env.CUTOVER_SIGNING_KEY,
    heroku: {
      apiUrl: env.HEROKU_API_URL,
      dataUrl: env.HEROKU_DATA_URL,
      token: { value: env.HEROKU_API_KEY, file: files['HEROKU_API_KEY'] },
    },
    github: { apiUrl: env.GITHUB_API_URL, token: { value: env.GITHUB_TOKEN, file: files['GITHUB_TOKEN'] } },
    webhookUrl: env.CUTOVER_WEBHOOK_URL,
    webUiUrl: env.CUTOVER_WEB_UI_URL,
    encryptionKeys: env.CUTOVER_ENCRYPTION_KEYS,
    version:
      env.CUTOVER_BUILD_ID === undefined
        ? undefined
        : { deploymentName: env.CUTOVER_DEPLOYMENT, buildId: env.CUTOVER_BUILD_ID },
    health: listening(env.CUTOVER_HEALTH_HOST, env.CUTOVER_HEALTH_PORT),
    metrics: listening(env.CUTOVER_METRICS_HOST, env.CUTOVER_METRICS_PORT),
    hostEnv: { PATH: env.PATH, HOME: env.HOME, LANG: env.LANG },
  };
}

function listening(host: string, number: number | undefined): Listening | undefined {
  return number === undefined ? undefined : { host, port: number };
}

/** Nothing in a target file says that its app is not production, so each counts as production. */
const unprotectedTo = (address: string): string =>
  `The connection to Temporal at ${address} leaves this machine without TLS and authentication: whoever can reach that server or the way to it can approve a cutover of production.`;
const howToProtect =
  'Set TLS and a client certificate or an API key (docs/production.md), or CUTOVER_ALLOW_INSECURE_TEMPORAL=1 where the network itself keeps everybody else out';

/** What a worker knows from its start and must not say. */
export function tokensOf({ temporal, heroku, github, webhookUrl, encryptionKeys = [] }: WorkerConfig): string[] {
  const keys = encryptionKeys.flatMap(({ bytes }) => [bytes.toString('base64'), bytes.toString('hex')]);
  const webhookParts = webhookUrl === undefined ? [] : partsOfWebhook(webhookUrl);
  return [heroku.token.value, github.token.value, ...secretsOf(temporal), ...webhookParts, ...keys];
}

/** Shorter parts of an address are words, which stand in many a text. */
const shortestPart = 12;

/** An error may say a request's path alone, and a log a part of that. */
function partsOfWebhook(webhookUrl: string): string[] {
  const { href, pathname, search, searchParams } = new URL(webhookUrl);
  const parts = [`${pathname}${search}`, ...pathname.split('/'), ...searchParams.values()];
  return [webhookUrl, href, ...parts.filter((part) => part.length >= shortestPart)];
}

export interface CodecServerConfig {
  readonly keys: readonly EncryptionKey[];
  readonly port: number;
  /** Of the Web UI, exactly as a browser says it. */
  readonly origin: string;
  readonly token: string;
}

/**
 * The configuration of the codec server, from the same environment.
 *
 * @throws ConfigError that names every variable that is missing or wrong
 */
export function readCodecServerConfig(variables: NodeJS.ProcessEnv): CodecServerConfig {
  const schema = z.object({
    CUTOVER_ENCRYPTION_KEYS: keysIn(variables),
    CUTOVER_CODEC_PORT: port.default(8081),
    CUTOVER_CODEC_ORIGIN: url.refine((text) => URL.canParse(text) && new URL(text).origin === text, 'is not an origin'),
    CUTOVER_CODEC_TOKEN: z.string(missing).min(24, 'is shorter than 24 characters'),
  });
  const env = parsed('codec server', schema, variables);
  return {
    keys: env.CUTOVER_ENCRYPTION_KEYS,
    port: env.CUTOVER_CODEC_PORT,
    origin: env.CUTOVER_CODEC_ORIGIN,
    token: env.CUTOVER_CODEC_TOKEN,
  };
}

function parsed<S extends z.ZodTypeAny>(whose: string, schema: S, variables: NodeJS.ProcessEnv): z.output<S> {
  const read = schema.safeParse(withoutEmpty(variables));
  if (read.success) return read.data as z.output<S>;
  throw mistakes(whose, problemsOf(read.error));
}

/** A variable that is set to nothing, as compose files do it, is not set. */
function withoutEmpty(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
}

function problemsOf({ issues }: z.ZodError): string[] {
  return issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
}

function mistakes(whose: string, problems: readonly string[]): ConfigError {
  const lines = problems.map((problem) => `  ${problem}`).join('\n');
  return new ConfigError(
    `The ${whose}'s environment has ${problems.length} mistake(s):\n${lines}\nCorrect them and start the ${whose} again.`,
  );
}
