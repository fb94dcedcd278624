import { workflowInfo } from '@temporalio/workflow';
import type { ZodTypeAny } from 'zod';
import type { StepDefinition } from './step-definition.ts';
import { baselineOf } from './baseline.ts';
import { renderReport } from './details.ts';
import { evidenceOf } from './evidence.ts';
import { isPlanGate, type Plan, type PullRequestFacts, type SurveyedGate } from './facts.ts';
import { itemsOf } from './procedures.ts';
import { claimOf } from './certify.ts';
import type { RotationPlan } from './rotation-plan.ts';
import type { Need, Phase, StepItem } from './sop.ts';
import type { RunState } from './state.ts';
import { steps, type Evidence, type StepCall, type StepId } from './steps.ts';
import { view } from './view.ts';

/** What each need of an item is met with. */
const needs: Record<Need, (state: RunState) => Partial<StepCall>> = {
  formation: (state) => {
    const formation = evidenceOf<Evidence<'survey-way-back'>>(state, 'survey-way-back')?.formation;
    return formation === undefined ? {} : { formation };
  },
  killedAt: ({ wayBack }) => (wayBack === null ? {} : { killedAt: wayBack.at }),
  rehearsedFormation: (state) => {
    const seen = evidenceOf<Evidence<'survey-way-back'>>(state, 'survey-way-back-rehearsal');
    return seen === undefined ? {} : { formation: seen.formation };
  },
  rehearsedKillAt: ({ steps: done }) => {
    const began = done['read-seal-rehearsal']?.startedAt;
    return began === undefined ? {} : { killedAt: began };
  },
  baselineOfWatch: (state) => baselineOfSamples(state, 'survey-launch'),
  baselineOfSoak: (state) => baselineOfSamples(state, 'survey-soak'),
  backup: (state) => {
    const backup = lastApproval(state)?.backup;
    const notBefore = state.steps['verify-sessions']?.finishedAt;
    return { ...(backup ? { backup } : {}), ...(notBefore == null ? {} : { backupNotBefore: notBefore }) };
  },
  seal: (state) => ({
    seal: {
      by: launchedBy(state),
      planDigest: state.gates.launch?.digest ?? null,
      backup: evidenceOf<Evidence<'check-backup'>>(state, 'check-backup') ?? null,
    },
  }),
  report: (state) => ({ report: renderReport(view(state)) }),
  certificate: (state) => {
    const certificate = claimOf(state);
    return certificate === undefined ? {} : { certificate };
  },
  rotation: (state) => {
    const { credential = 'owner' } = state.rotation ?? {};
    const plan = evidenceOf<RotationPlan>(state, 'survey-rotation');
    const rotatedAt = rotatedAtOf(state);
    return {
      rotation: {
        credential,
        ...(plan === undefined ? {} : { facts: plan.facts, planDigest: plan.digest }),
        ...(rotatedAt === undefined ? {} : { rotatedAt }),
      },
    };
  },
  // A dyno from before the rotation has the old password in its environment, whatever release it says.
  sinceRotated: (state) => {
    const since = rotatedAtOf(state);
    return since === undefined ? {} : { since, freshDynos: true };
  },
};

function baselineOfSamples(state: RunState, survey: StepId): Partial<StepCall> {
  const facts = evidenceOf<Plan>(state, survey)?.facts;
  return facts === undefined
    ? {}
    : { baselineRelease: facts.release.version, baselineRevision: facts.migrations.current };
}

function rotatedAtOf(state: RunState): number | undefined {
  return evidenceOf<Evidence<'rotate-credential'>>(state, 'rotate-credential')?.rotatedAt;
}

function lastApproval(state: RunState) {
  return state.gates.launch?.approvals.at(-1);
}

/** Who approved the launch, as the seal names them. */
export function launchedBy(state: RunState): string {
  return state.gates.launch?.approvals.map((one) => one.by).join(', ') ?? 'unknown';
}

/** Before the approval; back; and back and forth in the rehearsal of it, which rests on no plan of its own. */
const notForward: readonly Phase[] = ['preflight', 'way-back', 'rehearsal'];

/** A step that changes the world and goes forward, and so waits for its time and its approval. */
export function isForwardWrite({ id, phase }: StepItem): boolean {
  return steps[id].writes && !notForward.includes(phase);
}

/** What an activity is told about a step of this run. */
export function stepCall(state: RunState, item: StepItem, gate: SurveyedGate | undefined): StepCall {
  return stepCallOf(state, item, gate, workflowInfo().firstExecutionRunId);
}

/** @param run marks what the run leaves in other systems */
export function stepCallOf(state: RunState, item: StepItem, gate: SurveyedGate | undefined, run: string): StepCall {
  const record = state.steps[item.id];
  const approved = item.matrixOf && evidenceOf<Plan>(state, item.matrixOf)?.facts;
  const planFor = item.planFor ?? item.confirms;
  const pullRequest = planFor && evidenceOf<PullRequestFacts>(state, 'inspect-pull-request');
  const baseline = gate && isForwardWrite(item) ? baselineOf(state, gate) : undefined;
  const { undoes, leaves }: Pick<StepDefinition<ZodTypeAny>, 'undoes' | 'leaves'> = steps[item.id];
  return {
    app: state.input.app,
    step: item.id,
    attempt: record?.attempt ?? 1,
    run,
    since: record?.startedAt ?? 0,
    targetDigest: state.target?.digest ?? '',
    ...(undoes === undefined ? {} : { undoes: [...undoes, ...undoneAgain(state, undoes)] }),
    ...(leaves === undefined ? {} : { leaves }),
    ...(item.tolerates === undefined || item.tolerates.length === 0 ? {} : { tolerates: item.tolerates }),
    ...(item.freshDynos === undefined ? {} : { freshDynos: item.freshDynos }),
    ...(item.asRole === undefined ? {} : { asRole: item.asRole }),
    ...(planFor !== undefined && isPlanGate(planFor) ? { gate: planFor } : {}),
    ...(item.planFor === 'go' && state.procedure === 'plan' ? { preview: true } : {}),
    ...(item.confirms === undefined ? {} : { approved: state.gates[item.confirms]?.digest ?? '' }),
    ...(approved === undefined ? {} : { matrixDigest: approved.matrixDigest }),
    ...(pullRequest ? { pullRequest } : {}),
    ...(baseline === undefined ? {} : { baseline, inPlace: inPlace(state) }),
    ...Object.assign({}, ...(item.needs ?? []).map((need) => needs[need](state))),
  };
}

/** A way back behind a rehearsal takes away what that has put in place once more. */
function undoneAgain(state: RunState, undoes: readonly string[]): string[] {
  return undoes.map((id) => `${id}-again`).filter((id) => Object.hasOwn(state.steps, id));
}

/** The writes that this run has seen in place: whoever takes one of them away has changed what the next rests on. */
function inPlace(state: RunState): StepId[] {
  return itemsOf(state).flatMap((item) =>
    item.kind === 'step' && isForwardWrite(item) && state.steps[item.id]?.did ? [item.id] : [],
  );
}
