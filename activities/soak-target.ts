import { z } from 'zod';
import { appName } from '../workflows/input.ts';
import { duration } from '../workflows/policy.ts';
import { few, httpCheck } from './http-check.ts';

/** How a soak of the app goes: that of its staging, most likely. */
export const soakBlock = z
  .object({
    /** How long it must be clean. */
    for: duration.default('72h'),
    /** Between two samples. */
    every: duration.default('5m'),
    /** What a red sample does to the clock: `restart` sets it back to nothing. */
    onRed: z.enum(['restart', 'pause']).default('restart'),
    /** What a time without samples does to it; in `pause` it does not count. */
    onGap: z.enum(['restart', 'pause']).default('pause'),
    /** Whether the kill switch is pulled and the cutover performed once more before the clock begins. */
    rehearseWayBack: z.boolean().default(true),
    /** The endpoint whose errors are counted: no answer, and a status of 500 and above. */
    health: z
      .object({
        path: z.string().regex(/^\//, 'a path that begins with /'),
        /** Requests in each sample. */
        requests: z.number().int().min(1).max(1000).default(20),
        /** Share of them that may fail: above it, the sample is red. */
        maxErrorRate: z.number().min(0).max(1).default(0),
      })
      .strict()
      .optional(),
    /** Asked in each sample besides those of the watch, and of the smoke suite where that is of the kind `http`. */
    checks: z.array(httpCheck).max(few).default([]),
  })
  .strict()
  .refine((block) => block.every <= block.for, { message: 'is longer than soak.for', path: ['every'] });
/** What a cutover of production wants to see of the soak of staging. */
export const stagingCertificate = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('off') }).strict(),
  z
    .object({
      kind: z.literal('required'),
      /** The app that was soaked. */
      app: appName,
      /** In the worker's folder of certificates, or beside the target file where the worker has none; `<app>.json` unless said. */
      file: z.string().min(1).optional(),
      /** File beside the target file with the public key that it must be signed by: PEM, or the .pub of an SSH key. */
      key: z.string().min(1),
      /** How long ago the soak may have ended. */
      maxAge: duration.default('14d'),
    })
    .strict(),
  /** The soak happened elsewhere, and somebody says so. */
  z
    .object({
      kind: z.literal('attested'),
      by: z.string().trim().min(1).max(100),
      on: z.string().date('a day, as in 2026-11-26'),
      link: z.string().url(),
    })
    .strict(),
]);
export type StagingCertificate = z.infer<typeof stagingCertificate>;
