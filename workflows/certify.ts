import { workflowInfo } from '@temporalio/workflow';
import type { CertificateClaim } from './certificate.ts';
import { evidenceOf } from './evidence.ts';
import type { Plan } from './facts.ts';
import { viewSoak } from './soak-clock.ts';
import type { RunState } from './state.ts';
import type { Evidence } from './steps.ts';

/** What a run says of its soak once the clock has run out, or undefined before. */
export function claimOf(state: RunState): CertificateClaim | undefined {
  const rules = state.target?.soak;
  const clock = viewSoak(state.soak, rules);
  const facts = evidenceOf<Plan>(state, 'survey-soak')?.facts;
  if (clock === null || rules === undefined || facts === undefined) return undefined;
  const gates = Object.entries(state.gates);
  return {
    requestedBy: state.input.requestedBy,
    approvals: gates.flatMap(([gate, { approvals }]) => approvals.map(({ by }) => ({ gate, by }))),
    buildId: workflowInfo().currentDeploymentVersion?.buildId ?? null,
    commit: facts.release.commit,
    head: facts.migrations.heads.join(', '),
    matrixDigest: facts.matrixDigest,
    soak: {
      forSeconds: seconds(rules.forMs),
      everySeconds: seconds(rules.everyMs),
      onRed: rules.onRed,
      onGap: rules.onGap,
      since: written(clock.since),
      until: written(clock.lastAt),
      cleanSeconds: seconds(clock.cleanMs),
      clockSince: written(clock.clockSince),
      samples: clock.samples,
      red: clock.red,
      gaps: clock.gaps,
      gapSeconds: seconds(clock.gapMs),
      restarts: clock.restarts,
    },
    rehearsedRollback: rehearsedRollback(state),
    notRehearsed: rules.whyNot,
  };
}

function rehearsedRollback(state: RunState): CertificateClaim['rehearsedRollback'] {
  const { steps } = state;
  const serving = evidenceOf<Evidence<'verify-serving'>>(state, 'verify-serving-rehearsal');
  const from = steps['read-seal-rehearsal']?.startedAt;
  const back = steps['promote-again']?.startedAt;
  const to = steps['verify-sessions-again']?.finishedAt;
  if (serving?.secondsSinceKilled == null || from === undefined || back === undefined || to == null) return null;
  return { at: written(from), seconds: serving.secondsSinceKilled, secondsBack: seconds(to - back) };
}

const written = (at: number): string => new Date(at).toISOString();
const seconds = (ms: number): number => Math.round(ms / 100) / 10;
