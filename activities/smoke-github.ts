import { activityInfo } from '@temporalio/activity';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import type { WorkflowRun } from './clients/github.ts';
import { fail } from './fail.ts';
import { perform, type Seen } from './perform.ts';
import { pause } from './scope.ts';
import { deployedSlug, markOf, type Services } from './services.ts';
import type { GithubSmoke, Target } from './target.ts';

type SmokeEvidence = Evidence<'smoke'>;

/** Milliseconds until a run that was just dispatched is surely listed [assumed]. */
const listingDelayMs = 3_000;

/**
 * Dispatches the smoke suite and waits for its conclusion. The marker among its inputs finds the run again: after an
 * interruption, and on servers that do not tell a run's id. A run that is queued, or that waits for the approval of its
 * environment, has not failed: it is waited for until the deadline.
 */
export async function runSmokeOnGithub(
  services: Services,
  call: StepCall,
  { app, role }: Target,
  smoke: GithubSmoke,
): Promise<StepResult<SmokeEvidence>> {
  const { github } = services;
  const marker = markOf(call);
  const { commit: deployed } = await deployedSlug(services, app);
  const deadline = Date.now() + smoke.withinMinutes * 60_000;

  // A dispatch that an earlier attempt sent may not be listed yet; sending another would run the suite twice.
  let mayBeUnlisted = activityInfo().attempt > 1;
  let dispatched: number | undefined;
  const find = async (): Promise<WorkflowRun | undefined> => {
    const run = await github.findRun(smoke.repository, smoke.workflow, marker, dispatched);
    if (run !== undefined || !mayBeUnlisted) return run;
    mayBeUnlisted = false;
    await pause(listingDelayMs);
    return github.findRun(smoke.repository, smoke.workflow, marker);
  };

  const probe = async (): Promise<Seen<SmokeEvidence>> => {
    const run = await find();
    if (run === undefined) return { is: 'absent', what: `no run of ${smoke.workflow} is marked ${marker}` };
    if (deployed !== null && run.head_sha !== deployed) {
      throw fail(
        'SmokeWrongCommit',
        `The suite ran for ${run.head_sha.slice(0, 12)}, and ${app} runs ${deployed.slice(0, 12)} (${run.html_url}). Deploy what ${smoke.ref} holds, or correct the target file, then try again.`,
      );
    }
    if (run.status !== 'completed') {
      if (Date.now() < deadline) return { is: 'underway', what: `the suite is ${run.status}: ${run.html_url}` };
      throw fail(
        'SmokeOverdue',
        `After ${smoke.withinMinutes} minutes the suite is still ${run.status}; expected a conclusion. See ${run.html_url}: ` +
          '"waiting" wants an approval of its environment, "queued" a runner. Then try again.',
      );
    }
    if (run.conclusion !== 'success') {
      throw fail(
        'SmokeFailed',
        `The suite concluded ${run.conclusion ?? 'nothing'}; expected success. Read ${run.html_url}, mend what it found, then try again or abort.`,
      );
    }
    return {
      is: 'done',
      evidence: {
        by: `${smoke.repository} ${smoke.workflow}`,
        link: run.html_url,
        commit: run.head_sha,
        conclusion: run.conclusion,
      },
    };
  };

  const act = async (): Promise<void> => {
    const inputs = { marker, ...(call.asRole === true ? { expect_user: role.credential } : {}) };
    dispatched = await github.dispatch(smoke.repository, smoke.workflow, smoke.ref, inputs);
  };
  // The probe keeps the deadline itself, for it can tell what the suite was doing.
  return perform({ probe, act, within: smoke.withinMinutes * 60_000 + 60_000 });
}
