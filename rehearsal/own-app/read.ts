import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { targetSchema, type TargetFile } from '../../activities/target.ts';
import type { DeployedApp } from '../apps.ts';
import type { AppOptions } from '../deploy-app.ts';
import { findMigrations, requireApp } from './look.ts';

/** An app of the user's, as the command line names it; paths are absolute. */
export interface OwnAppOptions {
  readonly dir: string;
  readonly target: string;
  /** What is run in the place of a GitHub workflow. */
  readonly smoke?: string;
  /** File with config vars, a NAME=VALUE a line. */
  readonly vars?: string;
}

/** What a rehearsal needs to know of the user's app. */
export interface OwnApp {
  readonly app: DeployedApp;
  readonly options: AppOptions;
  readonly requirements: string;
  /** Files are named by absolute paths. Without tables or fingerprint where the file has none: they are yet to be seen. */
  readonly target: Record<string, unknown> & { readonly migrations: Record<string, unknown> };
  /** The attachment of its database, and the schema of its tables. */
  readonly database: { readonly attachment: string; readonly schema: string };
  /** What the target file left out and was found, a line for each. */
  readonly found: readonly string[];
}

type Json = Record<string, unknown>;
const part = (whole: Json, name: string): Json => (whole[name] as Json | undefined) ?? {};

/**
 * Reads the user's target file, and finds in the app's folder what it leaves out.
 *
 * @throws with sentences for people: what is missing or cannot be rehearsed, and what to do
 */
export async function readOwnApp({ dir, target: file, smoke, vars }: OwnAppOptions): Promise<OwnApp> {
  const requirements = await requireApp(dir);
  const written = await readTarget(file);
  const found: string[] = [];
  const find = (where: Json, path: string, name: string, value: unknown): void => {
    if (where[name] !== undefined) return;
    where[name] = value;
    found.push(`${path}${name}: ${JSON.stringify(value)}`);
  };
  find(written, '', 'app', path.basename(file, '.json'));
  const database = { ...part(written, 'database') };
  find(database, 'database.', 'attachment', 'DATABASE');
  const migrations = { ...part(written, 'migrations') };
  if (['upgrade', 'history', 'versions'].some((name) => migrations[name] === undefined)) {
    for (const [name, value] of Object.entries(await findMigrations(dir))) find(migrations, 'migrations.', name, value);
  }
  find(migrations, 'migrations.', 'schema', 'public');
  const role = { ...part(written, 'role') };
  const schema = { ...part(written, 'schema') };
  const absolute = (name: unknown): unknown =>
    typeof name === 'string' ? path.resolve(path.dirname(file), name) : name;
  if (role['grants'] !== undefined) role['grants'] = absolute(role['grants']);
  if (schema['fingerprint'] !== undefined) schema['fingerprint'] = absolute(schema['fingerprint']);

  const target = { ...written, database, migrations, role, schema };
  const checked = check(file, target);
  const { pullRequest } = checked;
  const repository = await repositoryOf(dir, checked, smoke);
  return {
    requirements,
    target,
    database: { attachment: checked.database.attachment, schema: checked.migrations.schema },
    found,
    app: {
      source: { dir },
      herokuApp: checked.app,
      addon: { name: checked.database.addon ?? `${checked.app}-db`, plan: 'standard-0' },
      repository,
      base: pullRequest?.base ?? (checked.smoke.kind === 'github' ? checked.smoke.ref : 'main'),
      pull: { number: pullRequest?.number ?? 1, title: 'What the rehearsal merges', files: [] },
      smokeWorkflow: checked.smoke.kind === 'github' ? checked.smoke.workflow : 'smoke.yml',
      issues:
        checked.followUps?.trackingIssue === undefined
          ? []
          : [{ number: checked.followUps.trackingIssue, title: 'Tracking issue' }],
      ...(smoke === undefined ? {} : { smokeCommand: smoke }),
      role: checked.role.credential,
    },
    options: {
      attachAs: checked.database.attachment,
      configVars: vars === undefined ? {} : await readVars(vars),
      // The folder is what is deployed after the merge: merging it is a commit that changes nothing that runs.
      pullFiles: [{ filename: 'README.md', status: 'modified' }],
    },
  };
}

async function readTarget(file: string): Promise<Json> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined)
    throw new Error(`The target file ${file} cannot be read. docs/target-file.md says what it holds.`);
  try {
    const json: unknown = JSON.parse(text);
    if (json !== null && typeof json === 'object' && !Array.isArray(json)) return { ...json };
  } catch (error) {
    throw new Error(`The target file ${file} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  throw new Error(`The target file ${file} holds no JSON object.`);
}

/** As the worker will read it; what is only seen once the schema is there, is taken for given. */
function check(file: string, target: Json): TargetFile {
  const schema = part(target, 'schema');
  const parsed = targetSchema.safeParse({
    ...target,
    migrations: { versionTable: 'alembic_version', ...part(target, 'migrations') },
    schema:
      schema['tables'] === undefined && schema['fingerprint'] === undefined
        ? { ...schema, fingerprint: 'seen' }
        : schema,
  });
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const missing = issue.code === 'invalid_type' && issue.received === 'undefined';
    return `  ${issue.path.join('.') || 'file'}: ${missing ? 'is missing' : issue.message}`;
  });
  throw new Error(
    `The target file ${file} does not yet say all that only you can say (docs/target-file.md explains each):\n${lines.join('\n')}`,
  );
}

/** The one repository that the rehearsal has, with what stands in for its smoke suite. */
async function repositoryOf(
  dir: string,
  { app, smoke, pullRequest, role }: TargetFile,
  command?: string,
): Promise<string> {
  const named = [
    ...(smoke.kind === 'github' ? [smoke.repository] : []),
    ...(pullRequest ? [pullRequest.repository] : []),
    ...(typeof role.grants === 'object' ? [role.grants.repository] : []),
  ];
  const [first = `rehearsal/${app}`, ...others] = [...new Set(named)];
  if (others.length > 0) {
    throw new Error(
      `The target file names ${[first, ...others].join(' and ')}; a rehearsal has one repository. Name one in it.`,
    );
  }
  const own = await stat(path.join(dir, 'smoke.py')).catch(() => undefined);
  if (smoke.kind === 'github' && command === undefined && own === undefined) {
    throw new Error(
      `The smoke suite is the workflow ${smoke.workflow} of ${smoke.repository}, which only GitHub can run. Say with ` +
        '--smoke COMMAND what is to be run in its place, at the root of the app. It gets SMOKE_BASE_URL and ' +
        'SMOKE_EXPECT_USER.',
    );
  }
  return first;
}

async function readVars(file: string): Promise<Record<string, string>> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) throw new Error(`The file of config vars ${file} cannot be read.`);
  const vars: Record<string, string> = {};
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const match = /^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*?)\s*$/.exec(line);
    if (!match) throw new Error(`Line ${index + 1} of ${file} is not NAME=VALUE.`);
    vars[match[1] as string] = (match[2] as string).replace(/^(['"])(.*)\1$/, '$2');
  }
  return vars;
}
