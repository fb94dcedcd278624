import { activityInfo } from '@temporalio/activity';
import type { Evidence, StepCall, StepResult } from '../workflows/steps.ts';
import type { WorkflowRun } from './clients/github.ts';
import { fail } from './fail.ts';
import { perform, type Seen } from './perform.ts';
import { pause } from './scope.ts';
import { markOf, targetOf, type Services } from './services.ts';

type SmokeEvidence = Evidence<'smoke'>;

/** Milliseconds in which a suite must conclude; a queue for runners counts too. */
const deadlineMs = 45 * 60_000;
/** Milliseconds until a run that was just dispatched is surely listed [assumed]. */
const listingDelayMs = 3_000;

/**
 * Dispatches the smoke suite and waits for its conclusion. The marker among its inputs finds the run again: after an
 * interruption, and on servers that do not tell a run's id.
 */
export async function runSmoke(services: Services, call: StepCall): Promise<StepResult<SmokeEvidence>> {
  const { app, smoke, role } = await targetOf(services, call);
  const { github, heroku } = services;
  const marker = markOf(call);
  const slugId = (await heroku.listReleases(app)).find((release) => release.current)?.slug?.id;
  const deployed = slugId === undefined ? null : (await heroku.getSlug(app, slugId)).commit;

  // A dispatch that an earlier attempt sent may not be listed yet; sending another would run the suite twice.
  let patience = activityInfo().attempt > 1 ? 1 : 0;
  const find = async (): Promise<WorkflowRun | undefined> => {
    const run = await github.findRun(smoke.repository, smoke.workflow, marker);
    if (run !== undefined || patience === 0) return run;
    patience = 0;
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
    if (run.status !== 'completed') return { is: 'underway', what: `the suite is ${run.status}: ${run.html_url}` };
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
    await github.dispatch(smoke.repository, smoke.workflow, smoke.ref, inputs);
  };
  return perform({ probe, act, every: 500, within: deadlineMs });
}
