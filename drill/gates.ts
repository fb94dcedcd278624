import type { AuditRecord, Decision } from '../audit/record-schema.ts';
import { ownStep } from '../workflows/rehearsal-steps.ts';
import { steps, type StepId } from '../workflows/steps.ts';
import type { Seen } from './seen.ts';
import { drillApprovals } from './stage.ts';
import { stepAt } from './workers/diary.ts';

/**
 * The gate whose plan a step rests on, of each step that changes the world. It is written down here and not asked of the
 * runbook, whose mistake it may be; the steps of a way back rest on none.
 */
const restsOn: Partial<Record<StepId, string>> = {
  ...{ credential: 'go', promote: 'go', upgrade: 'go', restart: 'go', smoke: 'go' },
  ...{ 'bind-url': 'rm-11', grants: 'rm-11', flag: 'rm-11', 'restart-rm-11': 'rm-11', 'smoke-rm-11': 'rm-11' },
  ...{ seal: 'launch', 'open-follow-ups': 'launch' },
  ...{ 'rotate-credential': 'rotate', 'restart-rotated': 'rotate', 'smoke-rotated': 'rotate' },
};
/** What a soak takes back and takes once more rests on the last plan that was approved before it. */
const beforeSoak = 'rm-11';

/** The gate that must be approved before a step writes; undefined for one that needs none. */
export function gateOfWrite(step: StepId): string | undefined {
  return ownStep(step) === step ? restsOn[step] : beforeSoak;
}

/** Approvals that do not count by the policy that every drilled app has, and which no run may take for one. */
export function approvalProblems({ records }: Pick<Seen, 'records'>): string[] {
  return records.flatMap((record) =>
    approvalsIn(record).flatMap((one) => {
      const why = approvalProblem(record, one);
      return why === undefined ? [] : [`an approval of ${one.gate} by ${one.who.claimed} counted: ${why}`];
    }),
  );
}

const approvalsIn = ({ summary }: AuditRecord): Decision[] =>
  summary.decisions.filter(({ what }) => what === 'approved');

function approvalProblem(
  { entries, summary }: AuditRecord,
  { who, gate, plan, message }: Decision,
): string | undefined {
  const { claimed } = who;
  if (claimed === null || !drillApprovals.approvers.includes(claimed)) return 'may not approve';
  if (claimed === summary.requestedBy.claimed) return 'asked for the run';
  const sent = entries.find(({ seq }) => seq === message);
  const payload = (sent?.data['payload'] ?? {}) as Readonly<Record<string, unknown>>;
  if (payload['by'] !== claimed) return 'no message of theirs says so';
  if (payload['plan'] !== plan) return 'the message names another plan';
  return (payload['gate'] ?? 'launch') === gate ? undefined : 'the message is of another gate';
}

/** When a gate had the approvals that it wants, by the history: of that many different people, of one plan. */
function approvedAt(records: readonly AuditRecord[], gate: string): number {
  const byPlan = new Map<string | null, Set<string | null>>();
  for (const one of records.flatMap(approvalsIn).filter((approval) => approval.gate === gate)) {
    const people = byPlan.get(one.plan) ?? new Set();
    byPlan.set(one.plan, people.add(one.who.claimed));
    if (people.size >= drillApprovals.quorum) return Date.parse(one.at);
  }
  return Infinity;
}

/**
 * No write of a step before its gate was approved, by the stand-ins' clock, PostgreSQL's and the history's; and none in a step
 * that only looks, but what a dyno goes on with in the database.
 */
export function gateProblems({ writes, effects, diary, records }: Seen): string[] {
  const early = (at: number, what: string, step: string): string[] => {
    const gate = Object.hasOwn(steps, step) ? gateOfWrite(step as StepId) : undefined;
    const isEarly = gate !== undefined && approvedAt(records, gate) > at;
    return isEarly ? [`${what} was made in ${step} before ${gate} was approved`] : [];
  };
  const asked = writes
    // The pull request is merged by people.
    .filter(({ what }) => !what.endsWith('/merge'))
    .flatMap(({ at, what }) => {
      const step = stepAt(diary, at);
      if (step === undefined) return [`${what} was made before any step`];
      const looks = Object.hasOwn(steps, step) && !steps[step as StepId].writes;
      return looks ? [`${what} was made in ${step}, which only looks`] : early(at, what, step);
    });
  const tookEffect = effects.flatMap(({ at, what }) => {
    const step = stepAt(diary, at);
    return step === undefined ? [`${what} before any step`] : early(at, what, step);
  });
  return [...asked, ...tookEffect];
}
