import { gateBefore } from '../workflows/sop.ts';
import { steps, type StepId } from '../workflows/steps.ts';
import { listOf } from './lists.ts';
import type { Seen } from './seen.ts';
import { starts, type Drilled } from './starts.ts';
import type { World } from './world.ts';
import { countsOf } from './writes.ts';

/** What was wrong with the world behind one case. */
export interface Verdict {
  /** Writes that were made more often than they should, a line for each. */
  readonly duplicates: readonly string[];
  /** Writes that were not made, a line for each. */
  readonly lost: readonly string[];
  /** Everything else that does not hold. */
  readonly problems: readonly string[];
}

/** How a case must end. */
export function endOf({ disturbance, procedure }: Seen['case']): string {
  return disturbance === 'undoing' ? starts['kill-switch'].ends : starts[procedure].ends;
}

/** The undisturbed run with which a case is compared. */
export function comparedWith({ disturbance, procedure }: Seen['case']): Drilled {
  return disturbance === 'undoing' ? 'kill-switch' : procedure;
}

/**
 * Holds the world against what must be true of it, whatever was done to the run.
 *
 * @param control what was seen of the same procedure where nothing was done to it; the case itself, where it is that
 */
export function judge(seen: Seen, control: Seen): Verdict {
  const { duplicates, lost } = compareWrites(seen, control);
  return {
    duplicates,
    lost,
    problems: [
      ...seen.absent.map(({ id }) => `${id} did not take place`),
      ...endProblems(seen),
      ...worldProblems(seen, control),
      ...gateProblems(seen),
      ...seen.leaks.map((leak) => `secret ${leak}`),
      ...recordProblems(seen),
    ],
  };
}

function endProblems({ case: one, status }: Seen): string[] {
  const { outcome, stage } = status;
  const expected = endOf(one);
  if (outcome?.result !== expected) return [`the run is ${outcome?.result ?? stage}, and should be ${expected}`];
  const failed = status.items.filter(({ failure, state }) => failure && state !== 'done');
  return failed.map(({ id, failure }) => `${id} has failed in the end: ${failure?.type}`);
}

/** What must be true in the end, from outside. */
const worlds: Record<Drilled, (world: World, writes: Seen['writes']) => string[]> = {
  cutover: launched,
  plan: withoutRole,
  'kill-switch': (world) => [
    ...unless(world.serves === 'sqlite' && world.database.startsWith('sqlite'), `it serves as ${world.serves}`),
    ...withoutRole(world),
  ],
  'undo-rm-11': (world) => [...unless(world.serves === 'owner', `it serves as ${world.serves}`), ...withoutRole(world)],
  'staging-soak': (world) => [
    ...asRole(world, 0),
    ...unless(world.certificates.join() === 'holds', `certificates: ${world.certificates.join(', ') || 'none'}`),
  ],
  'rotation-owner': rotated,
  'rotation-role': rotated,
};

function asRole({ serves, credentials, roles, seals }: World, sealed: number): string[] {
  return [
    ...unless(serves === 'role', `it serves as ${serves}`),
    ...unless(credentials.length === 2 && roles === 1, `credentials: ${credentials.join(', ')}; ${roles} roles`),
    ...unless(seals === sealed, `${seals} seals`),
  ];
}

function launched(world: World): string[] {
  return asRole(world, 1);
}

function rotated(world: World, writes: Seen['writes']): string[] {
  const asked = writes.filter(({ what }) => rotation.test(what)).length;
  return [
    ...launched(world),
    ...unless(asked === 1, `the platform was asked for ${asked} rotations`),
    ...unless(world.outdated.length === 1, `${world.outdated.length} passwords were to be replaced`),
    ...world.outdated.flatMap(({ login, sessions }) => [
      ...unless(login === 'refused', 'the old password still lets somebody in'),
      ...unless(sessions === 0, `${sessions} sessions of the old password are left`),
    ]),
  ];
}

function withoutRole({ credentials, attachments, variables, roles, seals }: World): string[] {
  const bound = attachments.filter((one) => one.includes('credential:'));
  const flags = variables.filter((name) => name.startsWith('FLAG_'));
  return [
    ...unless(credentials.length === 1 && roles === 0, `a credential is left: ${credentials.join(', ')}`),
    ...unless(bound.length === 0, `an attachment is left: ${bound.join('; ')}`),
    ...unless(flags.length === 0, `a flag is left: ${flags.join(', ')}`),
    ...unless(seals === 0, 'the database is sealed'),
  ];
}

function unless(holds: boolean, problem: string): string[] {
  return holds ? [] : [problem];
}

function worldProblems({ case: one, world, writes }: Seen, control: Seen): string[] {
  const problems = worlds[comparedWith(one)](world, writes);
  const general = [
    ...unless(!world.maintenance, 'the app is in maintenance'),
    ...unless(world.formation.join() === control.world.formation.join(), `the formation is ${world.formation.join()}`),
  ];
  // How far a cutover had come before the kill switch shows in what is left of it.
  const different = one.disturbance === 'undoing' ? [] : differencesOf(world, control.world);
  return [...problems, ...general, ...different];
}

function differencesOf(world: World, control: World): string[] {
  return (Object.keys(control) as (keyof World)[]).flatMap((key) => {
    const [is, should] = [JSON.stringify(world[key]), JSON.stringify(control[key])];
    return unless(is === should, `${key}: ${is}, and undisturbed ${should}`);
  });
}

const restart = /^DELETE .*\/formations\/web$/;
const suite = /^POST .*\/dispatches$/;
/** What a fence makes for its numbers: a schema and a table, and that neither everybody nor the role may see them. */
const madeForFence: readonly { readonly what: RegExp; readonly times: number }[] = [
  { what: /^CREATE .* cutover(\.fence.*)? in the catalog$/, times: 1 },
  { what: /^REVOKE (TABLE|SCHEMA)\b.* in the catalog$/, times: 2 },
];
const rotation = /^POST .*\/credentials_rotation$/;

/**
 * How often a write may be made more or less often than in the undisturbed run, and why. Restarts: a release restarts the
 * dynos too, and whichever comes first is enough; another attempt that a person asked for is another restart, or another run
 * of the suite. A fence keeps its numbers in the run where the database is away, and then makes no table for them.
 */
function tolerance(what: string, { case: one, status }: Seen): { more: number; less: number } {
  const again = (activity: string): number =>
    status.items
      .filter(({ id }) => Object.hasOwn(steps, id) && steps[id as StepId].activity === activity)
      .reduce((total, { attempt = 1 }) => total + attempt - 1, 0);
  if (restart.test(what)) return { more: 2 + again('restartDynos'), less: Infinity };
  const ofFence = isKeptInRun(status) ? madeForFence.find((made) => made.what.test(what)) : undefined;
  if (ofFence !== undefined) return { more: 0, less: ofFence.times };
  if (suite.test(what)) return { more: again('runSmoke'), less: one.disturbance === 'undoing' ? Infinity : 0 };
  return { more: 0, less: one.disturbance === 'undoing' ? Infinity : 0 };
}

function isKeptInRun({ items }: Seen['status']): boolean {
  return items.some(({ evidence }) => (evidence as { keptIn?: unknown } | null | undefined)?.keptIn === 'run');
}

/** What was counted at the stand-ins and in the catalog. */
function madeIn({ writes, effects }: Seen): Record<string, number> {
  return countsOf([...writes.map(({ what }) => what), ...effects]);
}

function compareWrites(seen: Seen, control: Seen): Pick<Verdict, 'duplicates' | 'lost'> {
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
  return { duplicates, lost };
}

/** By the stand-ins' clock and the history's: no write of a step before somebody approved the gate that it rests on. */
function gateProblems({ case: { procedure }, writes, diary, record }: Seen): string[] {
  const items = listOf(procedure);
  const approvedAt = (gate: string): number => {
    const found = record.summary.decisions.find((one) => one.gate === gate && one.what === 'approved');
    return found === undefined ? Infinity : Date.parse(found.at);
  };
  // The pull request is merged by people.
  return writes
    .filter(({ what }) => !what.endsWith('/merge'))
    .flatMap(({ at, what }) => {
      const step = diary.findLast((line) => line.at <= at)?.step;
      if (step === undefined) return [`${what} was made before any step`];
      if (!items.some(({ id }) => id === step)) return [];
      const gate = gateBefore(items, step as StepId);
      return unless(
        gate === undefined || approvedAt(gate) <= at,
        `${what} was made in ${step} before ${gate} was approved`,
      );
    });
}

function recordProblems({ findings, record, status }: Seen): string[] {
  return [
    ...findings.map(({ entry, problem }) => `the record does not hold: ${entry ?? ''} ${problem}`),
    ...unless(record.summary.result === (status.outcome?.result ?? null), `the record says ${record.summary.result}`),
  ];
}
