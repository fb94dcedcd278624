import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { replace } from '../worker/replace.ts';
import type { Status } from '../workflows/view.ts';
import { cacheFolder } from './cache.ts';

const rehearsed = z.object({
  /** When it ended: a day and a time. */
  on: z.string().datetime(),
  /** `clean` where none was asked for. */
  scenario: z.string(),
  /** Milliseconds of each step that ended, by its id. */
  steps: z.record(z.number()),
});

/** How long the steps of the last rehearsal took that came to a good end: on stand-ins, so a lower bound. */
export type Rehearsed = z.infer<typeof rehearsed>;

/** Where rehearsals leave their durations, a file for each app. */
export function durationsFolder(env: NodeJS.ProcessEnv = process.env): string {
  return path.join(cacheFolder(env), 'durations');
}

export async function keepDurations(folder: string, status: Status, scenario: string): Promise<void> {
  const steps = status.items.flatMap(({ kind, id, did, startedAt, finishedAt }) =>
    kind === 'step' && did && startedAt !== undefined && finishedAt != null ? [[id, finishedAt - startedAt]] : [],
  );
  const kept: Rehearsed = { on: new Date().toISOString(), scenario, steps: Object.fromEntries(steps) };
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `${status.app}.json`);
  // Whole or not at all: another rehearsal may be writing or reading it.
  await replace(file, `${JSON.stringify(kept, null, 2)}\n`);
}

/** Null where no rehearsal has left any, or what it left cannot be read. */
export async function readDurations(folder: string, app: string): Promise<Rehearsed | null> {
  const text = await readFile(path.join(folder, `${app}.json`), 'utf8').catch(() => '{}');
  try {
    return rehearsed.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
