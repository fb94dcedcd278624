import { afterEach, beforeEach, expect, jest } from '@jest/globals';
import type { ApplicationFailure } from '@temporalio/common';
import type { StepCall, StepId } from '../../../workflows/steps.ts';
import type { FailureType } from '../../../workflows/failures.ts';
import { failures } from '../../../workflows/failures.ts';
import { useOwnTime, useQuickTime } from './in-activity.ts';
import type { World } from './world.ts';

/** For a test file whose steps wait: minutes pass at once. */
export function withQuickTime(): void {
  beforeEach(useQuickTime);
  afterEach(useOwnTime);
}

/**
 * Has the app of a world answer over HTTP: the router's 503 while it is in maintenance, else what `answers` says.
 */
export function answerOverHttp(
  { heroku }: World,
  answers: (path: string) => { status: number; body: unknown } = () => ({ status: 200, body: {} }),
): void {
  jest.spyOn(globalThis, 'fetch').mockImplementation((input) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    const { status, body } = heroku.details.maintenance ? { status: 503, body: null } : answers(pathname);
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  });
}

afterEach(() => {
  jest.restoreAllMocks();
});

/** What a person is told to do: every refusal says it. */
export const remedy =
  /\b(attach|promote|unset|detach|deploy|mend|correct|read|see|scale|put|retarget|reopen|merge|unfollow|end|give|add|start again|try again|tried again|run again|looked at again|by hand|approval|capture|have them revoked|settles|settled)\b/i;

/** Expects a step to be refused for its own reason, with the remedy, and to leave the world as it was. */
export async function expectRefusal(
  world: World,
  step: StepId,
  type: FailureType,
  message: RegExp,
  { call = {}, changes = false }: { call?: Partial<StepCall>; changes?: boolean } = {},
): Promise<ApplicationFailure> {
  const before = world.snapshot();
  const failure: unknown = await world.perform(step, call).then(
    (result) => result,
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({
    type,
    nonRetryable: failures[type].handling !== 'retried',
    message: expect.stringMatching(message),
  });
  expect((failure as Error).message).toMatch(remedy);
  expect((failure as Error).message).not.toContain(world.heroku.password);
  if (!changes) expect(world.snapshot()).toEqual(before);
  return failure as ApplicationFailure;
}
