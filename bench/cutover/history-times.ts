import { defaultPayloadConverter } from '@temporalio/common';
import { timeOf, type HistoryEvent } from '../event-time.ts';
import { sum } from '../statistics.ts';
import type { StepTime } from './step-time.ts';

/** From when to when something was, in milliseconds since 1970. */
type Interval = readonly [from: number, to: number];

/** Where the time of a run went, in milliseconds; by the server's time stamps, so that all of it adds up. */
export interface Shares {
  /** From the start of the run to the end of its last step. */
  readonly total: number;
  /** Activities at work. */
  readonly activities: number;
  /** Activities that waited for the worker to take them. */
  readonly activityWaits: number;
  /** Workflow tasks that waited for the worker, while no step was under way. */
  readonly workflowWaits: number;
  /** Workflow tasks at work, while no step was under way. */
  readonly workflowTasks: number;
  /** What is left: mostly approvals on their way. */
  readonly rest: number;
  readonly steps: readonly StepTime[];
}

interface Attempt {
  readonly step: string;
  readonly scheduled: number;
  readonly started: number;
  readonly ended: number;
}

/**
 * Works out where the time went until a step had ended.
 *
 * @throws Error where the step has not ended in that history
 */
export function sharesOf(events: readonly HistoryEvent[], lastStep: string): Shares {
  const attempts = attemptsIn(events);
  const last = attempts.findIndex(({ step }) => step === lastStep);
  const first = events[0];
  if (last < 0 || first === undefined) throw new Error(`the history does not tell how ${lastStep} ended`);
  const performed = attempts.slice(0, last + 1);
  const end = performed.at(-1)?.ended ?? NaN;
  const total = end - timeOf(first);
  const between = gapsBetween(timeOf(first), performed);
  const tasks = workflowTasksIn(events);
  const activities = sum(performed.map(({ started, ended }) => ended - started));
  const activityWaits = sum(performed.map(({ scheduled, started }) => started - scheduled));
  const workflowWaits = sum(tasks.map(({ scheduled, started }) => overlap([scheduled, started], between)));
  const workflowTasks = sum(tasks.map(({ started, ended }) => overlap([started, ended], between)));
  return {
    total,
    activities,
    activityWaits,
    workflowWaits,
    workflowTasks,
    rest: total - activities - activityWaits - workflowWaits - workflowTasks,
    steps: performed.map(({ step, started, ended }) => ({ step, ms: ended - started })),
  };
}

/** The activities of steps that have ended, in their order; those beside the steps are no part of their way. */
function attemptsIn(events: readonly HistoryEvent[]): Attempt[] {
  const scheduled = new Map<string, { step: string; at: number }>();
  const started = new Map<string, number>();
  const attempts: Attempt[] = [];
  for (const event of events) {
    const asked = event.activityTaskScheduledEventAttributes;
    const begun = event.activityTaskStartedEventAttributes;
    const done = event.activityTaskCompletedEventAttributes;
    if (asked != null) {
      const [input] = asked.input?.payloads ?? [];
      const call = input == null ? undefined : defaultPayloadConverter.fromPayload<{ step?: string } | null>(input);
      const step = call?.step;
      if (step !== undefined) scheduled.set(String(event.eventId), { step, at: timeOf(event) });
    }
    if (begun != null) started.set(String(begun.scheduledEventId), timeOf(event));
    if (done == null) continue;
    const key = String(done.scheduledEventId);
    const from = scheduled.get(key);
    if (from === undefined) continue;
    attempts.push({ step: from.step, scheduled: from.at, started: started.get(key) ?? from.at, ended: timeOf(event) });
  }
  return attempts;
}

function workflowTasksIn(events: readonly HistoryEvent[]): Omit<Attempt, 'step'>[] {
  const byId = new Map(events.map((event) => [String(event.eventId), event]));
  const at = (id: unknown): number => timeOf(byId.get(String(id)) ?? {});
  return events.flatMap((event) => {
    const done = event.workflowTaskCompletedEventAttributes;
    return done == null
      ? []
      : [{ scheduled: at(done.scheduledEventId), started: at(done.startedEventId), ended: timeOf(event) }];
  });
}

/** The times at which no step was asked for. */
function gapsBetween(start: number, performed: readonly Attempt[]): Interval[] {
  return performed.map(({ scheduled }, index): Interval => [performed[index - 1]?.ended ?? start, scheduled]);
}

function overlap([from, to]: Interval, gaps: readonly Interval[]): number {
  return sum(gaps.map(([begin, end]) => Math.max(0, Math.min(to, end) - Math.max(from, begin))));
}
