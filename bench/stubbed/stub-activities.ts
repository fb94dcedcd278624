import { Context } from '@temporalio/activity';
import { canonicalDigest } from '../../activities/canonical-json.ts';
import type { HerokuClient } from '../../activities/clients/heroku.ts';
import type { Activities } from '../../activities/index.ts';
import { sampleEvidence } from '../../test/workflow/sample-evidence.ts';
import { sampleSummary } from '../../test/workflow/sample-target.ts';
import { stepIds, steps, type StepCall, type StepId } from '../../workflows/steps.ts';

export interface StubOptions {
  /** Asked by each step, where the platform's limit is to be met. */
  readonly heroku: Pick<HerokuClient, 'tokenExpiresIn'> | undefined;
  /** Told when a step begins and when it has ended, in milliseconds since 1970. */
  readonly listener: (step: StepId, app: string, what: 'began' | 'ended', at: number) => void;
}

/** Requests of a step to the platform: about what a real one makes when it finds everything in place. */
const requestsOfStep = 2;

/** Milliseconds between two heartbeats, as at production's boundary: a step may have to wait for the limit. */
const heartbeatEveryMs = 2_000;

async function makeRequests(heroku: Pick<HerokuClient, 'tokenExpiresIn'>): Promise<void> {
  const context = Context.current();
  const heart = setInterval(() => context.heartbeat(), heartbeatEveryMs);
  try {
    for (let left = requestsOfStep; left > 0; left -= 1) await heroku.tokenExpiresIn();
  } finally {
    clearInterval(heart);
  }
}

/**
 * Activities that do nothing but answer what a step would have seen. They keep nothing: what a worker with them holds is
 * the engine's, and the workflow's.
 */
export function createStubActivities({ heroku, listener }: StubOptions): Activities {
  const perform = async ({ step, app }: StepCall): Promise<unknown> => {
    listener(step, app, 'began', Date.now());
    if (heroku !== undefined) await makeRequests(heroku);
    listener(step, app, 'ended', Date.now());
    return { did: steps[step].writes ? 'acted' : 'observed', evidence: sampleEvidence[step] };
  };
  const others = {
    readTarget: () => Promise.resolve({ ...sampleSummary, hasPullRequest: false, pullRequest: null }),
    writeRecord: () => Promise.resolve(null),
    readWindow: () => Promise.resolve({ open: true }),
    digestOf: (value: unknown) => Promise.resolve(canonicalDigest(value)),
    identifySender: () =>
      Promise.resolve({ identity: Context.current().info.workflowExecution?.workflowId, principal: null }),
  };
  return {
    ...Object.fromEntries(stepIds.map((step) => [steps[step].activity, perform])),
    ...others,
  } as unknown as Activities;
}
