import { z } from 'zod';

/** `×` is a ratio of two things that were measured side by side. */
const units = ['×', 'ms', 's', 'MiB', 'KiB', 'bytes', 'events', 'requests', 'runs', '/s'] as const;
export type Unit = (typeof units)[number];

/** One number, and what it takes to read it rightly. */
const figure = z
  .object({
    what: z.string(),
    value: z.number(),
    unit: z.enum(units),
    /** How many measurements it was worked out of, where that is more than one. */
    of: z.number().int().positive().optional(),
    /** The least and the most of those. */
    range: z.tuple([z.number(), z.number()]).optional(),
    /** It should be no more than this. */
    atMost: z.number().optional(),
    /** How it grows with the work, in a few words. */
    grows: z.string().min(1),
  })
  .strict();
export type Figure = z.infer<typeof figure>;

/** Figures that belong side by side: one row for each thing, one column for each way. */
const comparison = z
  .object({ title: z.string(), columns: z.array(z.string()), rows: z.array(z.array(z.string())) })
  .strict();
export type Comparison = z.infer<typeof comparison>;

const measured = z
  .object({
    id: z.string(),
    title: z.string(),
    figures: z.array(figure),
    comparisons: z.array(comparison),
    /** What was seen besides, a sentence each; Markdown. */
    notes: z.array(z.string()),
    /** When it began: a day and a time. */
    on: z.string().datetime(),
    /** Fewer repetitions and smaller numbers than the whole benchmark. */
    quick: z.boolean(),
    /** How busy the machine was with other things as it began: its load average of one minute. */
    load: z.number(),
    seconds: z.number(),
    /** Why there are no figures. */
    failed: z.string().optional(),
  })
  .strict();
export type Measured = z.infer<typeof measured>;
/** What a measurement itself says; the rest is seen from outside. */
export type Findings = Pick<Measured, 'figures'> & Partial<Pick<Measured, 'comparisons' | 'notes'>>;

const results = z
  .object({
    format: z.literal(1),
    version: z.string(),
    machine: z
      .object({
        cpu: z.string(),
        cores: z.number().int(),
        memoryMiB: z.number().int(),
        system: z.string(),
        node: z.string(),
      })
      .strict(),
    measurements: z.array(measured),
  })
  .strict();
export type Results = z.infer<typeof results>;

/**
 * What a file says that `--json` or `--write` has written.
 *
 * @throws Error a sentence that says what is wrong with it
 */
export function readResults(text: string): Results {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
  const read = results.safeParse(parsed);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new Error(`${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'is not what the benchmark writes'}`);
}

/**
 * The figures of a run in the place of those of an earlier one, which keeps what was not measured anew.
 *
 * @param order of the measurements, by their ids
 * @throws Error where the two do not belong side by side
 */
export function merged(earlier: Results, later: Results, order: readonly string[]): Results {
  if (earlier.version !== later.version || JSON.stringify(earlier.machine) !== JSON.stringify(later.machine))
    throw new Error('the figures that are there are of another machine or version: measure everything, without --only');
  const all = [...later.measurements, ...earlier.measurements];
  const measurements = order.flatMap((id) => all.find((one) => one.id === id) ?? []);
  return { ...later, measurements };
}

/** Whether a figure is as it should be; undefined where nobody said how it should be. */
export function meets({ value, atMost }: Figure): boolean | undefined {
  return atMost === undefined ? undefined : value <= atMost;
}

/** Every figure of a run: ratios first, since they hold on another machine too. */
export function ratiosFirst({ measurements }: Pick<Results, 'measurements'>): { ratios: Figure[]; others: Figure[] } {
  const figures = measurements.flatMap((one) => one.figures);
  return { ratios: figures.filter(({ unit }) => unit === '×'), others: figures.filter(({ unit }) => unit !== '×') };
}
