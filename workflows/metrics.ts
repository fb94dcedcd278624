import { metricMeter } from '@temporalio/workflow';
import { messageNames } from './messages.ts';
import type { RunState } from './state.ts';
import type { RunEvent } from './transition.ts';
import type { Status } from './view.ts';

/**
 * What a run tells the worker's metrics, once and not again when it is replayed. It is no command, so that none of it
 * stands in the history. Labels are words of the runbook: never an app, a name or a reason.
 */
export function measure(before: RunState, event: RunEvent, after: RunState, phase: Status['phase'], now: number): void {
  if (event.type === 'messageRefused') countRefused(event.message, 'signal');
  if (event.type === 'ended') {
    count('cutover_runs_ended', 'Runs that have ended, by how', {
      procedure: after.procedure,
      result: event.outcome.result,
    });
  }
  if (before.stage === after.stage) return;
  count('cutover_stages_entered', 'Stages that runs have come to', {
    procedure: after.procedure,
    stage: after.stage,
    phase: phase ?? 'end',
  });
  const since = waitingSince(before);
  if (since === undefined) return;
  metricMeter
    .createHistogram(
      'cutover_waiting_for_people',
      'float',
      'seconds',
      'How long runs have waited for a decision of people',
    )
    .record(Math.max(0, now - since.at) / 1000, { stage: before.stage, at: since.what });
}

/**
 * Counts a message that was refused.
 *
 * @param name as it was sent: only the runbook's own become a label
 */
export function countRefused(name: string, door: 'signal' | 'update'): void {
  const message = messageNames.find((known) => known === name) ?? 'other';
  count('cutover_messages_refused', 'Messages that could not count', { message, door });
}

function count(name: string, description: string, tags: Record<string, string>): void {
  metricMeter.createCounter(name, undefined, description).add(1, tags);
}

/** Since when a state waits for people, in milliseconds since 1970, and at which gate or step. */
function waitingSince({ stage, at, gates, journal }: RunState): { what: string; at: number } | undefined {
  const what = at === null ? 'none' : 'gate' in at ? at.gate : at.step;
  if (stage === 'waiting') {
    const opened = at !== null && 'gate' in at ? gates[at.gate]?.openedAt : undefined;
    return opened === undefined ? undefined : { what, at: opened };
  }
  if (stage !== 'parked' && stage !== 'seal-parked') return undefined;
  const parked = journal.findLast(({ event }) => event === 'stepFailed' || event === 'rejected');
  return parked && { what, at: parked.at };
}
