import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

/** The project's folder, in which docker-compose.yml lies. */
export const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

const command = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => (Array.isArray(given) ? given : [given]));

const service = z
  .object({
    image: z.string(),
    entrypoint: command.optional(),
    command: command.optional(),
    environment: z.record(z.string()).default({}),
    healthcheck: z
      .object({ test: z.array(z.string()) })
      .passthrough()
      .optional(),
    ports: z.array(z.string()).default([]),
    networks: z.array(z.string()),
    volumes: z.array(z.union([z.string(), z.object({ source: z.string() }).passthrough()])).optional(),
    secrets: z.array(z.string()).optional(),
    depends_on: z.record(z.object({ condition: z.string() })).default({}),
  })
  .passthrough();

const composeFile = z
  .object({
    services: z.record(service),
    networks: z.record(z.unknown()),
    volumes: z.record(z.unknown()),
    secrets: z.record(z.object({ file: z.string() })),
  })
  .passthrough();

export type ComposeService = z.output<typeof service>;
export type ComposeFile = z.output<typeof composeFile>;

/** `docker-compose.yml`, with its anchors resolved and its variables as they stand. */
export async function readCompose(): Promise<ComposeFile> {
  const text = await readFile(path.join(projectFolder, 'docker-compose.yml'), 'utf8');
  return composeFile.parse(parse(text, { merge: true }));
}

/**
 * A service of it.
 *
 * @throws where the file has none of that name
 */
export function serviceOf(file: ComposeFile, name: string): ComposeService {
  const found = file.services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}

/** The version of Temporal's server that it runs. */
export function serverVersionOf(file: ComposeFile): string {
  const { image } = serviceOf(file, 'temporal');
  const [, version] = /^temporalio\/server:(\d+\.\d+\.\d+)$/.exec(image) ?? [];
  if (version === undefined)
    throw new Error(`docker-compose.yml runs ${image}, and not a version of temporalio/server`);
  return version;
}

/** The path at which the server is asked whether it can be used, as the file's health check does. */
export function healthPathOf(file: ComposeFile): string {
  const asked = serviceOf(file, 'temporal').healthcheck?.test.at(-1) ?? '';
  return new URL(asked).pathname;
}
