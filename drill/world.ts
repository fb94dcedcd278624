import { z } from 'zod';
import type { RehearsedApp } from '../rehearsal/apps.ts';
import { lookFromOutside, type Serving } from '../rehearsal/outside.ts';
import type { Platform } from '../rehearsal/platform.ts';
import { certificatesIn } from './certificates.ts';
import { inEachDatabase } from './effects.ts';
import { whatOpens, type Outdated } from './outdated.ts';
import type { Stage } from './stage.ts';

/** What is in place at an app, as somebody sees it who knows nothing of the runbook. Names only: no value of a variable. */
export interface World {
  /** What the app itself says; `nothing` where it does not answer. */
  readonly serves: Serving | 'nothing';
  readonly credentials: readonly string[];
  /** `NAME: add-on, namespace`, without colours. */
  readonly attachments: readonly string[];
  readonly variables: readonly string[];
  /** What the database variable begins with. */
  readonly database: string;
  readonly maintenance: boolean;
  readonly formation: readonly string[];
  readonly revisions: readonly string[];
  readonly seals: number;
  /** Roles of PostgreSQL that bear the name of the credential, with what a rotation appends to it or without. */
  readonly roles: number;
  readonly issues: readonly string[];
  /** What there is to say of each certificate of a soak: `holds`, or why not. */
  readonly certificates: readonly string[];
  /** Of each URL that was rotated. */
  readonly outdated: readonly Outdated[];
}

const attachment = z.object({
  name: z.string(),
  addon: z.object({ name: z.string() }),
  namespace: z.string().nullable(),
});
const named = z.object({ name: z.string() });

/** What the platform answers to somebody with the app's token. */
async function ask<T>({ heroku }: Platform, path: string, schema: z.ZodType<T>): Promise<T> {
  const headers = { accept: 'application/vnd.heroku+json; version=3', authorization: `Bearer ${heroku.token}` };
  const response = await fetch(`${heroku.url}${path}`, { headers, signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`GET ${path} answers ${response.status}`);
  return schema.parse(await response.json());
}

async function servedBy({ heroku }: Platform, app: RehearsedApp): Promise<World['serves']> {
  for (const serving of ['role', 'owner', 'sqlite'] as const)
    if ((await lookFromOutside(heroku.webUrl(app.herokuApp), app, serving)).ok) return serving;
  return 'nothing';
}

/** The variables of the app, with their values. */
export function configVars({ platform, app }: Stage): Promise<Record<string, string>> {
  return ask(platform, `/apps/${app.herokuApp}/config-vars`, z.record(z.string()));
}

/** Looks at everything that a procedure may leave. */
export async function lookAt(stage: Stage): Promise<World> {
  const { platform, app } = stage;
  const { herokuApp: name, addon } = app;
  const basic = z.array(named);
  const [serves, credentials, attachments, vars, { maintenance }, formation] = await Promise.all([
    servedBy(platform, app),
    ask(platform, `/postgres/v0/databases/${addon.name}/credentials`, basic),
    ask(platform, `/apps/${name}/addon-attachments`, z.array(attachment)),
    configVars(stage),
    ask(platform, `/apps/${name}`, z.object({ maintenance: z.boolean() })),
    ask(platform, `/apps/${name}/formation`, z.array(z.object({ type: z.string(), quantity: z.number() }))),
  ]);
  return {
    serves,
    credentials: credentials.map((one) => one.name).sort(),
    attachments: attachments
      .map((one) => `${withoutColour(one.name)}: ${one.addon.name}, ${one.namespace ?? 'default'}`)
      .sort(),
    variables: Object.keys(vars).map(withoutColour).sort(),
    database: (vars['DATABASE_URL'] ?? '').split(':')[0] ?? '',
    maintenance,
    formation: formation.map(({ type, quantity }) => `${type}=${quantity}`).sort(),
    ...(await catalogOf(platform, app)),
    issues: platform.github
      .issues(app.repository)
      .map(({ title, comments }) => `${title} (${comments.length})`)
      .sort(),
    certificates: await certificatesIn(stage.certificates, name),
    outdated: await whatOpens(stage),
  };
}

const withoutColour = (name: string): string => name.replace(/HEROKU_POSTGRESQL_[A-Z]+/, 'HEROKU_POSTGRESQL_<COLOUR>');

type Catalog = Pick<World, 'revisions' | 'seals' | 'roles'>;

/** What PostgreSQL has, in whichever of its databases. */
async function catalogOf({ postgres }: Platform, { role }: RehearsedApp): Promise<Catalog> {
  let roles = 0;
  const found = await inEachDatabase(postgres, async (query) => {
    const rowsOf = async (table: string): Promise<Record<string, unknown>[]> => {
      const [there] = await query('SELECT to_regclass($1) IS NOT NULL AS there', [table]);
      return there?.['there'] === true ? query(`SELECT * FROM ${table}`) : [];
    };
    roles = (await query("SELECT 1 FROM pg_roles WHERE rolname = $1 OR rolname LIKE $1 || '\\_rotation\\_%'", [role]))
      .length;
    return { versions: await rowsOf('public.alembic_version'), seals: await rowsOf('cutover.seal') };
  });
  return {
    roles,
    revisions: found.flatMap(({ versions }) => versions.map((row) => String(row['version_num']))),
    seals: found.flatMap(({ seals }) => seals).length,
  };
}
