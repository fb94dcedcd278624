import { z } from 'zod';
import type { Activities } from '../activities/index.ts';

/** How a step's work behaves in time; `proxies.ts` turns a class into timeouts and a retry policy. */
export type WorkClass = 'read' | 'write' | 'migration' | 'smoke' | 'poll';

/** The activities that a step can name: those that take a step call. */
type StepActivity = Exclude<
  keyof Activities,
  'readTarget' | 'writeRecord' | 'readWindow' | 'digestOf' | 'identifySender' | 'tellPeople'
>;

export interface StepDefinition<E extends z.ZodTypeAny> {
  /** One line for people: what the step does. */
  readonly title: string;
  /** The command of the page that the runbook replaces, for the plan and the documents. */
  readonly insteadOf?: string;
  readonly activity: StepActivity;
  readonly work: WorkClass;
  /** True where the step changes the world. */
  readonly writes: boolean;
  /** The steps whose effect this one takes away, for the record. */
  readonly undoes?: readonly string[];
  /**
   * For the record. True where it takes something away and puts something in its place; false where nothing stands of it
   * once it is done, as of a restart or a run of the suite.
   */
  readonly leaves?: boolean;
  /** What the step saw: redacted, small, and checked before it enters the history. */
  readonly evidence: E;
}

export function defineStep<E extends z.ZodTypeAny>(definition: StepDefinition<E>): StepDefinition<E> {
  return definition;
}

export const restartEvidence = z.object({
  release: z.number().int(),
  dynos: z.array(z.object({ name: z.string(), state: z.string(), since: z.string() })),
});
export const confirmEvidence = z.object({ digest: z.string() });
export const smokeEvidence = z.object({
  by: z.string(),
  link: z.string().nullable(),
  commit: z.string().nullable(),
  conclusion: z.string(),
});

/** How many dynos each process type has. */
export const formation = z.array(z.object({ type: z.string(), quantity: z.number().int() }));
export const countEvidence = z.object({
  /** Tables that were counted; each of them is empty. */
  tables: z.number().int(),
  /** Tables that were not counted: they hold no customer's data. */
  ignored: z.array(z.string()),
  /** The add-ons whose databases were counted. */
  addons: z.array(z.string()),
});
export const sessionsEvidence = z.object({ role: z.number().int(), owner: z.number().int() });

export const backupEvidence = z.object({
  kind: z.enum(['backup', 'continuous-protection']),
  addon: z.string(),
  plan: z.string(),
  id: z.string().nullable(),
  finishedAt: z.string().nullable(),
});
