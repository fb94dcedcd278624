import type { StepId } from '../workflows/steps.ts';
import type { Drilled } from './starts.ts';
import type { Moment } from './workers/kill-points.ts';

/** What is done to a run, or to what it needs. */
export const disturbances = {
  none: 'nothing: what the others are compared with',
  before: 'SIGKILL of the worker when the step is about to act; in a step that only looks, as it begins',
  during: 'SIGKILL when a service has taken the write, and nobody has heard of it yet',
  after: 'SIGKILL when the effect is there, and was not reported',
  parked: 'the platform refuses the step, so that it is parked; SIGKILL; then a person has it tried again',
  undoing: 'SIGKILL during the step, and the kill switch is pulled while no worker is there',
  'temporal-killed': "SIGKILL of Temporal's server in the step; it is started again with its database file",
  'postgres-killed': 'PostgreSQL ends in the step as by a crash, and is started again',
  'platform-away': 'every request to the platform is answered with 503 for a while',
  'two-workers': 'a worker stands still in the step until another has taken it over, and then goes on beside it',
  messages: 'doubled, early, late and wrong messages, in random order, at every question',
} as const;
export type Disturbance = keyof typeof disturbances;

/** One disturbance of one run of what is drilled. */
export interface Case {
  /** `procedure/step/disturbance`: what `--only` looks at. */
  readonly id: string;
  /** A procedure, or one of the ways in which it is begun; see `starts.ts`. */
  readonly procedure: Drilled;
  readonly disturbance: Disturbance;
  /** The step in which it is disturbed; null where it is not one step's. */
  readonly step: StepId | null;
  /** Tells cases apart that are alike but for chance. */
  readonly round?: number;
}

export function isMoment(disturbance: Disturbance): disturbance is Moment {
  return disturbance === 'before' || disturbance === 'during' || disturbance === 'after';
}

/** The id of a procedure's undisturbed run. */
export const controlOf = (procedure: Drilled): string => `${procedure}/none`;

/** The disturbances that want a run to themselves: the one changes where it goes, the other leaves a worker standing still. */
const alone: readonly Disturbance[] = ['none', 'undoing', 'two-workers', 'temporal-killed', 'messages'];

/**
 * Cases that one run can take, put together: those of one procedure, in different steps.
 *
 * @param most how many
 */
export function shared(cases: readonly Case[], most: number): Case[][] {
  const groups: Case[][] = [];
  for (const one of cases) {
    const takes = (group: readonly Case[]): boolean =>
      group.length < most &&
      group.every(
        (other) => other.procedure === one.procedure && other.step !== one.step && !alone.includes(other.disturbance),
      );
    const group = alone.includes(one.disturbance) ? undefined : groups.find(takes);
    if (group === undefined) groups.push([one]);
    else group.push(one);
  }
  return groups;
}
