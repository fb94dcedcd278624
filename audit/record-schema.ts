import { z } from 'zod';

/** Of this layout; a record of another one is checked with the release that wrote it. */
export const recordFormat = 'cutover-record/1';

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal');
/** As the history has it: ISO 8601, UTC, up to nanoseconds. */
const instant = z.string();
const entryNumber = z.number().int().positive();

/** Who did something: what they called themselves, and what the server knew of them. */
export const actor = z
  .object({
    claimed: z.string().nullable(),
    /** What the sender's client said of itself: anyone may say anything there. */
    identity: z.string().nullable(),
    /** What the server established of the sender, where it does. */
    principal: z.string().nullable(),
  })
  .strict();
export type Actor = z.infer<typeof actor>;

export const entryKinds = [
  'start',
  'carried',
  'journal',
  'activity',
  'signal',
  'update',
  'cancel',
  'memo',
  'trouble',
  'event',
  'end',
] as const;
export type EntryKind = (typeof entryKinds)[number];

export const entry = z
  .object({
    seq: entryNumber,
    at: instant,
    kind: z.enum(entryKinds),
    /** The journal's event, the activity, the signal or update, or the way in which the run ended. */
    name: z.string(),
    text: z.string(),
    who: actor.nullable(),
    /** The entry of the message that this one answers, matched by order and by what both say. */
    message: entryNumber.nullable(),
    data: z.record(z.unknown()),
    /** The events of the history that the entry was made of, and their digest. */
    source: z.object({ run: z.string(), events: z.array(z.string()).min(1), digest }).strict(),
    prev: digest,
    digest,
  })
  .strict();
export type Entry = z.infer<typeof entry>;

const attempt = z
  .object({
    entry: entryNumber,
    attempt: z.number().int().nullable(),
    from: instant,
    to: instant.nullable(),
    /** How often it was tried before it ended. */
    tries: z.number().int(),
    outcome: z.enum(['completed', 'failed', 'timed-out', 'cancelled', 'running']),
    did: z.string().nullable(),
    failure: z.object({ type: z.string(), message: z.string() }).nullable(),
  })
  .strict();
const step = z
  .object({
    step: z.string(),
    title: z.string().nullable(),
    attempts: z.array(attempt).min(1),
    evidence: z.unknown(),
  })
  .strict();
export type StepSummary = z.infer<typeof step>;

const change = z
  .object({
    entry: entryNumber,
    step: z.string(),
    title: z.string().nullable(),
    at: instant,
    did: z.string().nullable(),
    /** The platform's release that the change made, where its evidence names one. */
    release: z.number().nullable(),
    /** The newest release that the run had seen by then: the one that was served, where the change made none. */
    during: z.number().nullable(),
    evidence: z.unknown(),
  })
  .strict();
export type Change = z.infer<typeof change>;

const decision = z
  .object({
    entry: entryNumber,
    at: instant,
    what: z.string(),
    text: z.string(),
    who: actor,
    gate: z.string().nullable(),
    step: z.string().nullable(),
    attempt: z.number().int().nullable(),
    reason: z.string().nullable(),
    /** Digest of the plan that was open for the gate when the decision fell. */
    plan: z.string().nullable(),
    message: entryNumber.nullable(),
    /** What else the journal says of it. */
    more: z.record(z.unknown()),
  })
  .strict();
export type Decision = z.infer<typeof decision>;

const gate = z
  .object({ entry: entryNumber, gate: z.string(), openedAt: instant, digest: z.string().nullable() })
  .strict();
const plan = z
  .object({ entry: entryNumber, step: z.string(), at: instant, digest: z.string(), content: z.unknown() })
  .strict();

export const summary = z
  .object({
    app: z.string().nullable(),
    mode: z.string().nullable(),
    requestedBy: actor,
    startedAt: instant,
    /** Null while the run goes on. */
    endedAt: instant.nullable(),
    status: z.enum(['running', 'completed', 'failed', 'cancelled', 'terminated', 'timed-out']),
    /** What the run itself said at its end. */
    result: z.string().nullable(),
    reason: z.string().nullable(),
    /** Who ended it from outside: terminated it, or asked for its cancellation. */
    endedBy: actor.nullable(),
    plans: z.array(plan),
    gates: z.array(gate),
    decisions: z.array(decision),
    /** Messages that did not count, each with the reason that was recorded. */
    refused: z.array(decision),
    /** Messages that no entry answers: doubled ones, and those that came too late to be read. */
    unanswered: z.array(entryNumber),
    steps: z.array(step),
    changes: z.array(change),
    undone: z.array(change),
    inPlace: z.array(change),
    /** Steps that began and did not end well: what they did is not known from the history. */
    unsettled: z.array(z.string()),
  })
  .strict();
export type Summary = z.infer<typeof summary>;

export const record = z
  .object({
    format: z.literal(recordFormat),
    /** The release of this project that wrote the record. */
    writtenBy: z.string(),
    workflow: z.object({ id: z.string().nullable(), type: z.string() }).strict(),
    runs: z
      .array(z.object({ run: z.string(), events: z.number().int(), from: instant, to: instant, digest }).strict())
      .min(1),
    /** The run before the first of these, where the server had it no more. */
    continues: z.string().nullable(),
    /** Payloads that could not be read, encrypted ones among them. */
    unreadable: z.number().int(),
    summary,
    entries: z.array(entry).min(1),
    /** Digest of the last entry: whoever knows it knows the whole chain. */
    head: digest,
  })
  .strict();
export type AuditRecord = z.infer<typeof record>;
