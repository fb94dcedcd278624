import { ownStep } from '../workflows/rehearsal-steps.ts';
import { compareWrites, countUndisturbed, rotation, type Miscounted } from './counts.ts';
import { approvalProblems, gateProblems } from './gates.ts';
import type { Seen } from './seen.ts';
import { starts, type Drilled } from './starts.ts';
import type { World } from './world.ts';

/** What was wrong with the world behind one case. */
export interface Verdict extends Miscounted {
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
  const { duplicates, lost } = seen.case.disturbance === 'none' ? countUndisturbed(seen) : compareWrites(seen, control);
  return {
    duplicates,
    lost,
    problems: [
      ...seen.absent.map(({ id }) => `${id} did not take place`),
      ...endProblems(seen),
      ...parkingProblems(seen),
      ...worldProblems(seen, control),
      ...gateProblems(seen),
      ...approvalProblems(seen),
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

/** The steps that a person had tried again, one for each time. */
export function triedAgain({ record }: Pick<Seen, 'record'>): string[] {
  return record.summary.decisions.filter(({ what }) => what === 'resolved').map(({ step }) => step ?? '');
}

/**
 * The runbook recovers by itself: a person has only that tried again which the platform refused. An app whose database ends may
 * fail a suite, which is for a person to judge. And a way back goes on without a step that is parked: while the role's URL is
 * attached, the platform does not let go of its credential either.
 */
function parkingProblems({ cases, record }: Seen): string[] {
  const counted = (disturbance: string): number => cases.filter((one) => one.disturbance === disturbance).length;
  const holds = cases.filter(
    ({ disturbance, step }) => disturbance === 'parked' && step !== null && ownStep(step) === 'unbind-url',
  ).length;
  const [least, most] = [counted('parked'), counted('parked') + counted('postgres-killed') + holds];
  const steps = triedAgain({ record });
  const isRight = least <= steps.length && steps.length <= most;
  return unless(isRight, `a person had ${steps.join(', ') || 'nothing'} tried again; expected ${least} times`);
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
  return [...problems, ...general, ...differencesOf(world, control.world, one.disturbance === 'undoing')];
}

/** How far a cutover had come before the kill switch shows in these. */
const ofItsWay: readonly (keyof World)[] = ['revisions', 'issues'];

function differencesOf(world: World, control: World, onItsWay: boolean): string[] {
  const compared = (Object.keys(control) as (keyof World)[]).filter((key) => !(onItsWay && ofItsWay.includes(key)));
  return compared.flatMap((key) => {
    const [is, should] = [JSON.stringify(world[key]), JSON.stringify(control[key])];
    return unless(is === should, `${key}: ${is}, and undisturbed ${should}`);
  });
}

function recordProblems({ findings, record, status }: Seen): string[] {
  return [
    ...findings.map(({ entry, problem }) => `the record does not hold: ${entry ?? ''} ${problem}`),
    ...unless(record.summary.result === (status.outcome?.result ?? null), `the record says ${record.summary.result}`),
  ];
}
