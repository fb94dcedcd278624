import { steps, type StepId } from '../workflows/steps.ts';
import type { Seen } from './seen.ts';
import type { Drilled } from './starts.ts';
import { stepAt } from './workers/diary.ts';
import { countsOf } from './writes.ts';

/** What was made too often, and what was not made, a line for each. */
export interface Miscounted {
  readonly duplicates: readonly string[];
  readonly lost: readonly string[];
}

export const rotation = /^POST .*\/credentials_rotation$/;
const restart = /^DELETE .*\/formations\/web$/;
const suite = /^POST .*\/dispatches$/;
/** What a fence makes for its numbers: a schema and a table, and that neither everybody nor the role may see them. */
const madeForFence: readonly { readonly what: RegExp; readonly times: number }[] = [
  { what: /^CREATE .* cutover(\.fence.*)? in the catalog$/, times: 1 },
  { what: /^REVOKE (TABLE|SCHEMA)\b.* in the catalog$/, times: 2 },
];

/** By its name: each dyno is stopped once. */
const stopped = /^POST .*\/dynos\/[^/]+\/actions\/stop$/;
/** Privileges of the role. */
const privileges = /^(REVOKE|ALTER DEFAULT PRIVILEGES) .* in the catalog$/;

/** The attempts of an activity that a person asked for, or that followed another step, beyond the first ones. */
function again({ status }: Seen, activity: string): number {
  return status.items
    .filter(({ id }) => Object.hasOwn(steps, id) && steps[id as StepId].activity === activity)
    .reduce((total, { attempt = 1 }) => total + attempt - 1, 0);
}

/**
 * How often a write may be made more or less often than in the undisturbed run, and why. Another attempt that a person asked
 * for is another run of the suite. A fence keeps its numbers in the run where the database is away, and then makes no table
 * for them. A way back goes on without the step that revokes, and then the platform takes the privileges along with the role.
 * A dyno that a dead worker has left is stopped by the way back. How far a cutover came before the kill switch is chance.
 */
function tolerance(what: string, seen: Seen): { more: number; less: number } {
  const less = seen.case.disturbance === 'undoing' ? Infinity : 0;
  const ofFence = isKeptInRun(seen) ? madeForFence.find((made) => made.what.test(what)) : undefined;
  if (ofFence !== undefined) return { more: 0, less: ofFence.times };
  if (privileges.test(what) && isRoleTaken(seen)) return { more: Infinity, less: Infinity };
  if (stopped.test(what)) return { more: 1, less };
  return { more: suite.test(what) ? again(seen, 'runSmoke') : 0, less };
}

function isKeptInRun({ status }: Seen): boolean {
  return status.items.some(({ evidence }) => (evidence as { keptIn?: unknown } | null | undefined)?.keptIn === 'run');
}

function isRoleTaken({ status }: Seen): boolean {
  const found = status.items.find(({ id }) => id === 'revoke-grants');
  return (found?.evidence as { exists?: unknown } | null | undefined)?.exists === false;
}

/** What was counted at the stand-ins and in the catalog, but restarts. */
function madeIn({ writes, effects }: Seen): Record<string, number> {
  return countsOf([...writes, ...effects].map(({ what }) => what).filter((what) => !restart.test(what)));
}

/** Holds what was made against the undisturbed run. */
export function compareWrites(seen: Seen, control: Seen): Miscounted {
  const [made, should] = [madeIn(seen), madeIn(control)];
  const duplicates: string[] = [];
  const lost: string[] = [];
  for (const what of new Set([...Object.keys(made), ...Object.keys(should)])) {
    const [is, expected] = [made[what] ?? 0, should[what] ?? 0];
    const { more, less } = tolerance(what, seen);
    const line = `${what}: ${is} times, and undisturbed ${expected}`;
    if (is > expected + more) duplicates.push(line);
    if (is < expected - less) lost.push(line);
  }
  return { duplicates: [...duplicates, ...doubledRestarts(seen)], lost };
}

/**
 * A release restarts the dynos too, and whichever comes first is enough: a step may find nothing to restart. But no step
 * restarts twice, unless a person had it tried again.
 */
function doubledRestarts(seen: Seen): string[] {
  const { writes, diary, status } = seen;
  const of = writes.filter(({ what }) => restart.test(what)).map(({ at }) => stepAt(diary, at) ?? 'no step');
  return Object.entries(countsOf(of)).flatMap(([step, times]) => {
    const { attempt = 1 } = status.items.find(({ id }) => id === step) ?? {};
    return times > attempt ? [`a restart in ${step}: ${times} times, in ${attempt} attempts that were asked for`] : [];
  });
}

/** Writes of which each has one step, or few, that make it. */
const kinds = {
  merge: /^PUT .*\/merge$/,
  credential: /^POST .*\/credentials$/,
  dropped: /^DELETE .*\/credentials\/[^/]+$/,
  attachment: /^POST \/addon-attachments$/,
  detached: /^DELETE \/addon-attachments\//,
  variables: /^PATCH .*\/config-vars$/,
  maintenance: /^PATCH \/apps\/<app>$/,
  suite,
  rotation,
  issue: /^POST .*\/issues$/,
  migration: /^CREATE TABLE table public\.customers /,
  seal: /^CREATE TABLE table cutover\.seal /,
};
type Counts = Partial<Record<keyof typeof kinds, number>>;

/** To the gate of the launch. The add-on gets another attachment before its own name moves, and one for the role. */
const cutOver: Counts = { merge: 1, credential: 1, attachment: 3, variables: 1, suite: 2, migration: 1 };
/** With the follow-ups. */
const launched: Counts = { ...cutOver, seal: 1, issue: 5 };

/** How often each must be made: an undisturbed run is the runbook's as well, and may be wrong. What is not named, never. */
const literal: Readonly<Record<Drilled, Counts>> = {
  cutover: launched,
  plan: {},
  'kill-switch': { ...cutOver, variables: 2, maintenance: 2, detached: 2, dropped: 1 },
  'undo-rm-11': { ...cutOver, variables: 2, suite: 3, detached: 1, dropped: 1 },
  // There and back, and there again.
  'staging-soak': {
    ...{ merge: 1, migration: 1, credential: 2, dropped: 1, attachment: 5, detached: 2 },
    ...{ variables: 4, maintenance: 2, suite: 4 },
  },
  'rotation-owner': { ...launched, suite: 3, rotation: 1 },
  'rotation-role': { ...launched, suite: 3, rotation: 1 },
};

/** Holds an undisturbed run against what is written down of it here. */
export function countUndisturbed(seen: Seen): Miscounted {
  const all = [...seen.writes, ...seen.effects].map(({ what }) => what);
  const should = literal[seen.case.procedure];
  const lines = (Object.keys(kinds) as (keyof typeof kinds)[]).map((kind) => {
    const [is, times] = [all.filter((one) => kinds[kind].test(one)).length, should[kind] ?? 0];
    return { is, times, line: `${kind}: ${is} times, and by its procedure ${times}` };
  });
  return {
    duplicates: lines.filter(({ is, times }) => is > times).map(({ line }) => line),
    lost: lines.filter(({ is, times }) => is < times).map(({ line }) => line),
  };
}
