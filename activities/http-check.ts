import { z } from 'zod';

/** The largest number of tables, statements and the like that a person can still review. */
export const few = 500;

/** A path of the app, and what it must answer. */
export const httpCheck = z
  .object({
    path: z.string().regex(/^\//, 'a path that begins with /'),
    status: z.number().int().default(200),
    /** Fields that the JSON answer must have. */
    json: z.record(z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
  })
  .strict();
export type HttpCheck = z.infer<typeof httpCheck>;
