import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { startOf } from './behaviours.ts';

const root = fileURLToPath(new URL('../histories', import.meta.url));

/** A history, by the release that recorded it and its file there. */
export interface Recorded {
  readonly release: string;
  readonly file: string;
}

/** Every history that was ever kept, whichever release recorded it. */
export const recorded: readonly Recorded[] = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name: release }) => readdirSync(join(root, release)).map((file) => ({ release, file })));

export const textOf = ({ release, file }: Recorded): string => readFileSync(join(root, release, file), 'utf8');
export const behaviourOf = (file: string): string => file.replace(/\.\d+\.json$/, '');

/** Replays a history with the code of a bundle; answers what went wrong. */
export async function replayOn(
  workflowBundle: NonNullable<WorkerOptions['workflowBundle']>,
  file: string,
  text: string,
): Promise<Error | undefined> {
  const { app } = startOf(behaviourOf(file)).input;
  const history = historyFromJSON(JSON.parse(text));
  for await (const { error } of Worker.runReplayHistories({ workflowBundle }, [
    { workflowId: `cutover-${app}`, history },
  ])) {
    return error;
  }
  return new Error('nothing was replayed');
}
