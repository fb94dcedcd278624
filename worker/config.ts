import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const missing = { required_error: 'is missing' };
const secret = z.string(missing);
const url = z
  .string()
  .url('is not a URL')
  .transform((text) => text.replace(/\/+$/, ''));
const folder = z.string().refine((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory(), 'is not a folder');
const pemFile = z.string().transform((path, context) => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const message = `cannot be read (${(error as NodeJS.ErrnoException).code}); expected the path of a PEM file`;
    context.addIssue({ code: z.ZodIssueCode.custom, message });
    return z.NEVER;
  }
});

const environment = z.object({
  TEMPORAL_ADDRESS: z.string().default('127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  CUTOVER_TASK_QUEUE: z.string().default('cutover'),
  CUTOVER_TARGETS: folder.default(fileURLToPath(new URL('../targets', import.meta.url))),
  CUTOVER_DATABASE_CA: pemFile.optional(),
  CUTOVER_AUDIT_DIR: folder.optional(),
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
  // A variable that is set to nothing, as compose files do it, is not set.
  const parsed = environment.safeParse(
    Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== '')),
  );
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.')} ${issue.message}`);
    throw new ConfigError(
      `The worker's environment has ${problems.length} mistake(s):\n${problems.join('\n')}\nSet them and start the worker again.`,
    );
  }
  const env = parsed.data;
  return {
    temporal: { address: env.TEMPORAL_ADDRESS, namespace: env.TEMPORAL_NAMESPACE, taskQueue: env.CUTOVER_TASK_QUEUE },
    targets: env.CUTOVER_TARGETS,
    databaseCa: env.CUTOVER_DATABASE_CA,
    auditFolder: env.CUTOVER_AUDIT_DIR,
    heroku: { apiUrl: env.HEROKU_API_URL, dataUrl: env.HEROKU_DATA_URL, token: env.HEROKU_API_KEY },
    github: { apiUrl: env.GITHUB_API_URL, token: env.GITHUB_TOKEN },
    hostEnv: { PATH: env.PATH, HOME: env.HOME, LANG: env.LANG },
  };
}
