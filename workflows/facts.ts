import { z } from 'zod';
import { stagingSoakFacts } from './certificate.ts';
import { preview } from './preview.ts';

/** What the pull request of the target is and does; read before anything else, because it decides the sequence. */
export const pullRequestFacts = z.object({
  number: z.number().int(),
  repository: z.string(),
  title: z.string(),
  base: z.string(),
  merged: z.boolean(),
  /** Alembic version files that it adds, changes or renames. */
  revisionFiles: z.array(z.string()),
});
export type PullRequestFacts = z.infer<typeof pullRequestFacts>;

/** What a plan rests on. Each gate binds its approval to a digest of these; see `factsBoundBy`. */
export const facts = z.object({
  app: z.string(),
  targetDigest: z.string(),
  database: z.object({
    attachment: z.string(),
    addonId: z.string(),
    addon: z.string(),
    plan: z.string(),
    /** Other apps that have the add-on attached: they share the database. */
    sharedWith: z.array(z.string()),
    /** Why the add-on must be promoted first; null where the variable is its own already. */
    promote: z.string().nullable(),
  }),
  release: z.object({ version: z.number().int(), slug: z.string(), commit: z.string().nullable() }),
  releaseCommand: z.string().nullable(),
  /** Why the kill switch would not work, or null where it would. */
  killSwitchBlocked: z.string().nullable(),
  /** What else the app is configured by: everything but the runbook's own variables and attachments. */
  config: z.object({
    /** Config vars that no attachment provides, by name. */
    names: z.array(z.string()),
    /** SHA-256 over those variables with their values, in hex: the values themselves stay on the platform. */
    digest: z.string(),
    /** Attachments as `NAME: add-on (namespace)`. */
    attachments: z.array(z.string()),
  }),
  migrations: z.object({
    heads: z.array(z.string()),
    current: z.string().nullable(),
    pending: z.array(z.string()),
    /** Those of the pending revisions that name the role: it must exist before they run. */
    namingRole: z.array(z.string()),
  }),
  matrixDigest: z.string(),
  role: z.object({
    credential: z.string(),
    state: z.string(),
    bound: z.boolean(),
    flag: z.boolean(),
  }),
  pullRequest: pullRequestFacts.nullable(),
  /** What the target file asks of the staging soak, and what was found; missing where it asks nothing. */
  stagingSoak: stagingSoakFacts.optional(),
});
export type Facts = z.infer<typeof facts>;

/** A configuration in which more attachments are expected than a plan has seen. */
export function withAttachments(config: Facts['config'], more: readonly string[]): Facts['config'] {
  return { ...config, attachments: [...new Set([...config.attachments, ...more])].sort() };
}

/** Shown beside the facts and not bound: these may change without a new approval. */
export const observations = z.object({
  tables: z.number().int(),
  rows: z.number().int(),
  dynos: z.array(z.string()),
  serverVersion: z.string(),
  maintenance: z.boolean(),
  /** Sessions of the database, and how many it takes. */
  connections: z.object({ used: z.number().int(), limit: z.number().int() }),
  /** Seconds from the kill switch until the app served again, in the rehearsal of that day; null where none is noted. */
  killSwitch: z.object({ seconds: z.number(), on: z.string() }).nullish(),
});
export type Observations = z.infer<typeof observations>;

/** A gate's plan: what people approve, and the digest that their approval names. */
export const plan = z.object({ facts, observations, digest: z.string(), preview: preview.optional() });
export type Plan = z.infer<typeof plan>;

/** The gates of a cutover that open on a plan, in their order. */
export const planGates = ['go', 'rm-11', 'launch'] as const;
/** `soak` is the staging soak's, and passes by itself. */
const gatesOnFacts = [...planGates, 'soak'] as const;
/** Every gate that opens on a plan of the facts. */
export type PlanGate = (typeof gatesOnFacts)[number];
/** Every gate that opens on a plan, of whichever procedure. */
export const surveyedGates = [...gatesOnFacts, 'rotate'] as const;
export type SurveyedGate = (typeof surveyedGates)[number];

/**
 * Every gate. `window` lets a quorum write outside the change windows; `uncounted-rows` lets one pull the kill switch while
 * PostgreSQL cannot be asked.
 */
export const gateIds = [...surveyedGates, 'window', 'uncounted-rows'] as const;
export type GateId = (typeof gateIds)[number];

export function isPlanGate(gate: string): gate is PlanGate {
  return (gatesOnFacts as readonly string[]).includes(gate);
}

export function isSurveyedGate(gate: string): gate is SurveyedGate {
  return (surveyedGates as readonly string[]).includes(gate);
}

/**
 * The facts that the writes behind a gate rely on. `go` opens everything, so it binds everything; behind `rm-11` the
 * migration has already happened and only what RM-11 builds on is bound.
 */
export function factsBoundBy(gate: PlanGate, all: Facts): Partial<Facts> {
  switch (gate) {
    case 'go':
      return all;
    case 'rm-11': {
      const { app, targetDigest, database, config, migrations, matrixDigest, role, pullRequest } = all;
      return { app, targetDigest, database, config, migrations, matrixDigest, role, pullRequest };
    }
    // Days may pass in the watch, with deploys in them: the launch is of this database, at this schema, under this role.
    case 'launch': {
      const { app, targetDigest, database, migrations, matrixDigest, role } = all;
      return { app, targetDigest, database, migrations, matrixDigest, role };
    }
    // What was soaked is what ran all the time, the release included.
    case 'soak': {
      const { app, targetDigest, database, release, config, migrations, matrixDigest, role } = all;
      return { app, targetDigest, database, release, config, migrations, matrixDigest, role };
    }
  }
}

/** What differs between two values, a line for each field: `release.version: 7, now 8`. */
export function differences(before: unknown, after: unknown, path = ''): string[] {
  if (isFields(before) && isFields(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => differences(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  const [was, is] = [written(before), written(after)];
  return was === is ? [] : [`${path}: ${was}, now ${is}`];
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function written(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(', ') || 'none';
  return value === undefined || value === null ? 'none' : String(value);
}
