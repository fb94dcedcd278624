import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const url = z
  .string()
  .url()
  .transform((text) => text.replace(/\/+$/, ''));
const secret = z.string().min(1);

const environment = z.object({
  TEMPORAL_ADDRESS: z.string().default('127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  CUTOVER_TASK_QUEUE: z.string().default('cutover'),
  CUTOVER_TARGETS: z.string().default(fileURLToPath(new URL('../targets', import.meta.url))),
  CUTOVER_DATABASE_CA: z.string().optional(),
  HEROKU_API_URL: url.default('https://api.heroku.com'),
  HEROKU_DATA_URL: url.default('https://api.data.heroku.com'),
  HEROKU_API_KEY: secret,
  GITHUB_API_URL: url.default('https://api.github.com'),
  GITHUB_TOKEN: secret,
});

export interface WorkerConfig {
  readonly temporal: { readonly address: string; readonly namespace: string; readonly taskQueue: string };
  /** Folder of the target files. */
  readonly targets: string;
  /** PEM of the CA with which PostgreSQL's certificate is verified; without one it is recorded by fingerprint. */
  readonly databaseCa: string | undefined;
  readonly heroku: { readonly apiUrl: string; readonly dataUrl: string; readonly token: string };
  readonly github: { readonly apiUrl: string; readonly token: string };
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
  const parsed = environment.safeParse(variables);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(
      `The worker's environment has ${problems.length} mistake(s):\n${problems.join('\n')}\nSet them and start the worker again.`,
    );
  }
  const env = parsed.data;
  return {
    temporal: { address: env.TEMPORAL_ADDRESS, namespace: env.TEMPORAL_NAMESPACE, taskQueue: env.CUTOVER_TASK_QUEUE },
    targets: env.CUTOVER_TARGETS,
    databaseCa: env.CUTOVER_DATABASE_CA === undefined ? undefined : readPem(env.CUTOVER_DATABASE_CA),
    heroku: { apiUrl: env.HEROKU_API_URL, dataUrl: env.HEROKU_DATA_URL, token: env.HEROKU_API_KEY },
    github: { apiUrl: env.GITHUB_API_URL, token: env.GITHUB_TOKEN },
  };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(
      `CUTOVER_DATABASE_CA: ${path} cannot be read (${(error as NodeJS.ErrnoException).code}). Give the path of a PEM file.`,
    );
  }
}
