import { setTimeout as delay } from 'node:timers/promises';
import { queryStatus } from '../rehearsal/query-status.ts';
import { createPeople } from '../rehearsal/people.ts';
import type { Status } from '../workflows/view.ts';
import type { Run, Stage } from './stage.ts';

/** Milliseconds between two looks at a run. */
const lookEveryMs = 150;
/** Milliseconds within which a run must be over, whatever was done to it. */
const limitMs = 300_000;

/** Sees each status before people answer it; true where they are to wait with their answer. */
export type Meddler = (status: Status, run: Run) => Promise<boolean>;

/**
 * Plays the people until a run has ended, or is as wanted. A step that is parked is tried again: what made it fail is over.
 *
 * @throws Error where that takes too long
 */
export async function play(
  { platform, app }: Stage,
  run: Run,
  signal: AbortSignal,
  meddle: Meddler = () => Promise.resolve(false),
  until: (status: Status) => boolean = () => false,
): Promise<Status> {
  const people = createPeople(run, platform, app);
  const resolved = new Set<string>();
  for (const deadline = Date.now() + limitMs; ;) {
    // A worker that stands still is asked too, and does not answer: then the run is looked at again.
    const status = await queryStatus(run).catch((error: unknown) => {
      if (signal.aborted || Date.now() > deadline) throw error;
      return undefined;
    });
    if (status === undefined) {
      await delay(lookEveryMs, undefined, { signal });
      continue;
    }
    if (status.stage === 'ended' || until(status)) return status;
    if (Date.now() > deadline)
      throw new Error(`the run is still ${status.stage} after ${limitMs / 1000} s: ${whereOf(status)}`);
    if (!(await meddle(status, run))) {
      if (status.stage === 'parked' || status.stage === 'seal-parked') await tryAgain(run, status, resolved);
      else await people.answer(status);
    }
    await delay(lookEveryMs, undefined, { signal });
  }
}

async function tryAgain(run: Run, { waitingFor }: Status, resolved: Set<string>): Promise<void> {
  const { step, attempt } = waitingFor?.message ?? {};
  const question = `${String(step)} ${String(attempt)}`;
  if (resolved.has(question)) return;
  resolved.add(question);
  await run.signal('resolve', { step, attempt, by: 'Ada', action: 'retry', reason: 'what made it fail is over' });
}

/** What a run that does not get on is at, for people. */
function whereOf({ items, waitingFor }: Status): string {
  const now = items.filter(({ state }) => state === 'running' || state === 'parked' || state === 'waiting');
  const failures = now.map(
    ({ id, state, failure }) => `${id} ${state}${failure ? `, ${failure.type}: ${failure.message}` : ''}`,
  );
  return [...failures, waitingFor?.what].filter(Boolean).join('; ');
}

/** How a run is asked for, and where it stands when it is disturbed. */
export const atGate =
  (gate: string) =>
  ({ stage, items }: Status): boolean =>
    stage === 'waiting' && items.some(({ id, state }) => id === gate && state === 'waiting');
