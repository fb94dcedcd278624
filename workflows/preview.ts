import { z } from 'zod';

/**
 * What a cutover would do, besides what its plan says already: mode `plan` only. Nobody signs it: what is signed (slug,
 * matrix, target file) is the end, and this is how far today is from it. It says no SQL and no value, because it stays in
 * the history.
 */
export const preview = z.object({
  /** The pending revisions, oldest first, with the SHA-256 of their files in the slug; null where no file is named so. */
  revisions: z.array(z.object({ revision: z.string(), sha256: z.string().nullable() })),
  /** What prints their SQL in a one-off dyno of the slug, and the SHA-256 of what it printed, in hex. */
  sql: z.object({ command: z.string(), sha256: z.string(), lines: z.number().int() }).nullable(),
  /** Why there is no SQL; null where there is, or where there is nothing to run. */
  noSql: z.string().nullable(),
  /** Privileges that applying the matrix would give (`+ GRANT …`) and take (`- REVOKE …`). */
  privileges: z.array(z.string()),
  /** Statements of the matrix whose effect is not told beforehand. */
  asTheyStand: z.array(z.string()),
  /** Config vars that would be set (`+ NAME`), changed (`~ NAME`) and unset (`- NAME`): names only. */
  vars: z.array(z.string()),
  /** What would stop a step that comes later, as far as it can be seen now. */
  obstacles: z.array(z.string()),
});
export type Preview = z.infer<typeof preview>;
