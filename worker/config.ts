import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { readKeys, type EncryptionKey } from './codec/keys.ts';

const missing = { required_error: 'is missing' };
const secret = z.string(missing);
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
const folder = z.string().refine((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory(), 'is not a folder');
const fileOf = (what: string) =>
  z.string().transform((path, context) => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      const message = `cannot be read (${(error as NodeJS.ErrnoException).code}); expected the path of ${what}`;
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
  TEMPORAL_ADDRESS: z.string().default('127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  CUTOVER_TASK_QUEUE: z.string().default('cutover'),
  CUTOVER_TARGETS: folder.default(fileURLToPath(new URL('../targets', import.meta.url))),
  CUTOVER_DATABASE_CA: fileOf('a PEM file').optional(),
  CUTOVER_AUDIT_DIR: folder.optional(),
  CUTOVER_WEBHOOK_URL: webhook.optional(),
  CUTOVER_WEBHOOK_URL_FILE: fileOf("a file with the webhook's URL").pipe(webhook).optional(),
  CUTOVER_WEB_UI_URL: url.refine((text) => webhook.safeParse(text).success, 'has a user in it').optional(),
  HEROKU_API_URL: url.default('https://api.heroku.com'),
  HEROKU_DATA_URL: url.default('https://api.data.heroku.com'),
  HEROKU_API_KEY: secret,
  GITHUB_API_URL: url.default('https://api.github.com'),
  GITHUB_TOKEN: secret,
  PATH: z.string().default('/usr/local/bin:/usr/bin:/bin'),
  HOME: z.string().default('/'),
  LANG: z.string().default('C.UTF-8'),
});

export interface WorkerConfig {
  readonly temporal: { readonly address: string; readonly namespace: string; readonly taskQueue: string };
  /** Folder of the target files. */
  readonly targets: string;
  /** PEM of the CA with which PostgreSQL's certificate is verified; without one it is recorded by fingerprint. */
  readonly databaseCa: string | undefined;
  /** Folder for the records of runs; without one, none is written. */
  readonly auditFolder: string | undefined;
  readonly heroku: { readonly apiUrl: string; readonly dataUrl: string; readonly token: string };
  readonly github: { readonly apiUrl: string; readonly token: string };
  /** Where people are told what happens, a secret; without it nobody is. */
  readonly webhookUrl: string | undefined;
  /** Base URL of Temporal's Web UI, for links to runs. */
  readonly webUiUrl: string | undefined;
  /** With which payloads are encrypted, the first, and decrypted, all of them; undefined for payloads in clear. */
  readonly encryptionKeys: readonly EncryptionKey[] | undefined;
  /** What a command on this host is given of the environment: nothing that could be a secret. */
  readonly hostEnv: Readonly<Record<string, string>>;
}

/** A mistake in the worker's own configuration: told in a sentence for each variable, without a stack trace. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * The worker's configuration. The only reader of the environment.
 *
 * @throws ConfigError that names every variable that is missing or wrong
 */
export function readConfig(variables: NodeJS.ProcessEnv): WorkerConfig {
  const env = parsed(
    'worker',
    environment
      .extend({ CUTOVER_ENCRYPTION_KEYS: keysIn(variables).optional() })
      .refine(
        ({ CUTOVER_WEBHOOK_URL: url, CUTOVER_WEBHOOK_URL_FILE: file }) => url === undefined || file === undefined,
        {
          path: ['CUTOVER_WEBHOOK_URL_FILE'],
          message: 'is set, and CUTOVER_WEBHOOK_URL too: expected one of them',
        },
      ),
    variables,
  );
  return {
    temporal: { address: env.TEMPORAL_ADDRESS, namespace: env.TEMPORAL_NAMESPACE, taskQueue: env.CUTOVER_TASK_QUEUE },
    targets: env.CUTOVER_TARGETS,
    databaseCa: env.CUTOVER_DATABASE_CA,
    auditFolder: env.CUTOVER_AUDIT_DIR,
    heroku: { apiUrl: env.HEROKU_API_URL, dataUrl: env.HEROKU_DATA_URL, token: env.HEROKU_API_KEY },
    github: { apiUrl: env.GITHUB_API_URL, token: env.GITHUB_TOKEN },
    webhookUrl: env.CUTOVER_WEBHOOK_URL ?? env.CUTOVER_WEBHOOK_URL_FILE,
    webUiUrl: env.CUTOVER_WEB_UI_URL,
    encryptionKeys: env.CUTOVER_ENCRYPTION_KEYS,
    hostEnv: { PATH: env.PATH, HOME: env.HOME, LANG: env.LANG },
  };
}

/** What a worker knows from its start and must not say. */
export function tokensOf({ heroku, github, webhookUrl, encryptionKeys = [] }: WorkerConfig): string[] {
  const keys = encryptionKeys.flatMap(({ bytes }) => [bytes.toString('base64'), bytes.toString('hex')]);
  return [heroku.token, github.token, ...(webhookUrl === undefined ? [] : partsOfWebhook(webhookUrl)), ...keys];
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
    CUTOVER_CODEC_PORT: z.coerce.number().int().min(0).max(65_535).default(8081),
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
  // A variable that is set to nothing, as compose files do it, is not set.
  const read = schema.safeParse(Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== '')));
  if (read.success) return read.data as z.output<S>;
  const problems = read.error.issues.map((issue) => `  ${issue.path.join('.')} ${issue.message}`);
  throw new ConfigError(
    `The ${whose}'s environment has ${problems.length} mistake(s):\n${problems.join('\n')}\nSet them and start the ${whose} again.`,
  );
}
