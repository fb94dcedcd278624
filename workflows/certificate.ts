import { z } from 'zod';
import { lengthText } from './soak-clock.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');
const instant = z.string().datetime();

/** What a soak saw, in seconds: as the certificate says it, and as the run tells the activity that writes it. */
const soaked = z
  .object({
    forSeconds: z.number(),
    everySeconds: z.number(),
    onRed: z.enum(['restart', 'pause']),
    onGap: z.enum(['restart', 'pause']),
    since: instant,
    until: instant,
    cleanSeconds: z.number(),
    /** When the clock last began from nothing. */
    clockSince: instant,
    samples: z.number().int(),
    red: z.number().int(),
    gaps: z.number().int(),
    gapSeconds: z.number(),
    /** How often clean time was lost. */
    restarts: z.number().int(),
  })
  .strict();

const rehearsedRollback = z
  .object({
    at: instant,
    /** From the kill switch until the app served on SQLite. */
    seconds: z.number(),
    /** From there until it served from PostgreSQL as the role again. */
    secondsBack: z.number(),
  })
  .strict();

const approvals = z.array(z.object({ gate: z.string(), by: z.string() }).strict());

/** What a run says of its soak. */
export const certificateClaim = z
  .object({
    requestedBy: z.string(),
    approvals,
    /** Of the worker that asked for the certificate; null where it has none. */
    buildId: z.string().nullable(),
    commit: z.string().nullable(),
    /** The head of the slug's revisions, at which the database is. */
    head: z.string(),
    matrixDigest: digest,
    soak: soaked,
    rehearsedRollback: rehearsedRollback.nullable(),
    /** Why the way back was not rehearsed; null where it was. */
    notRehearsed: z.string().nullable(),
  })
  .strict();
export type CertificateClaim = z.infer<typeof certificateClaim>;

/** What is signed. Strict: what is not known was not looked at, and does not count. */
export const certificate = certificateClaim
  .extend({
    format: z.literal('cutover-certificate/1'),
    app: z.string(),
    targetDigest: digest,
    issuedAt: instant,
    /** For people who want to look it up; nothing is read there when a certificate is checked. */
    run: z.object({ workflowId: z.string(), runId: z.string(), link: z.string().nullable() }).strict(),
  })
  .strict();
export type Certificate = z.infer<typeof certificate>;

/** In base64: 64 bytes of Ed25519, or an armoured SSH signature. */
export const certificateSignature = z.string().max(10_000);

/** The file: what is signed, and the signature. */
export const certificateFile = z.object({ certificate, signature: certificateSignature.nullable() }).strict();
export type CertificateFile = z.infer<typeof certificateFile>;

/**
 * Reads the text of a certificate's file.
 *
 * @returns the file, or what is wrong in the text: at which field, empty for all of it, and why
 */
export function parseCertificate(text: string): CertificateFile | { readonly field: string; readonly why: string } {
  const parsed = certificateFile.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return { field: issue?.path.join('.') ?? '', why: issue?.message ?? 'not as expected' };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a plan binds of the soak that came before it. */
export const stagingSoakFacts = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('observed'),
    app: z.string(),
    /** Of the certificate, in hex. */
    digest: z.string(),
    issuedAt: z.string(),
    cleanSeconds: z.number(),
    /** From the kill switch until the app served, where that was rehearsed. */
    rollbackSeconds: z.number().nullable(),
    run: z.string(),
  }),
  z.object({ kind: z.literal('attested'), by: z.string(), on: z.string(), link: z.string() }),
]);
export type StagingSoakFacts = z.infer<typeof stagingSoakFacts>;

/** A plan's line about the soak, or what the outcome and the record say of it. */
export function stagingSoakText(soak: StagingSoakFacts): string {
  if (soak.kind === 'attested') return `attested, not observed: by ${soak.by}, ${soak.on}, ${soak.link}`;
  const { app, cleanSeconds, issuedAt, rollbackSeconds, digest: full } = soak;
  const back = rollbackSeconds === null ? 'way back not rehearsed' : `way back rehearsed in ${rollbackSeconds} s`;
  return `observed on ${app}: ${lengthText(cleanSeconds * 1000)} clean, ${back}; certificate ${full.slice(0, 12)} of ${issuedAt}`;
}

/** A certificate in a line. */
export function certificateText({ soak, rehearsedRollback: back, notRehearsed, commit, head }: Certificate): string {
  const rehearsed =
    back === null ? `the way back was not rehearsed: ${notRehearsed}` : `the way back took ${back.seconds} s`;
  return (
    `${lengthText(soak.cleanSeconds * 1000)} clean in ${soak.samples} samples, ${soak.red} red, ${soak.gaps} gaps; ` +
    `${rehearsed}; commit ${commit?.slice(0, 12) ?? 'unknown'}, head ${head}`
  );
}
