import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { FailureType } from '../../workflows/failures.ts';
import type { RunInput } from '../../workflows/input.ts';
import { initialState } from '../../workflows/state.ts';
import { createHarness, freshApp, type Harness } from './harness.ts';
import { createFakeWorld, type FakeWorld } from './fake-activities.ts';
import { sampleSummary } from './sample-target.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

interface Refusal {
  readonly type: FailureType;
  readonly says: RegExp;
  readonly input?: (app: string) => unknown;
  readonly workflowId?: (app: string) => string;
  readonly carried?: (app: string) => unknown;
  readonly options?: Record<string, unknown>;
}

const asked = (app: string): RunInput => ({ app, requestedBy: 'Rita' });
/** What somebody would pass who wants to skip the gates. */
function forgedState(app: string): unknown {
  const approvals = [{ by: 'Mallory', at: 1, reason: null, backup: null }];
  const passed = {
    round: 1,
    open: false,
    digest: 'a1'.repeat(32),
    about: null,
    changes: [],
    openedAt: 1,
    expiresAt: null,
  };
  const gate = { ...passed, approvals, rejection: null, decidedAt: 1, passedAt: 1 };
  return {
    ...initialState(asked(app), 1),
    stage: 'working',
    target: sampleSummary,
    gates: { go: gate, 'rm-11': gate },
  };
}

const refusals: Record<string, Refusal> = {
  'approvers in the input': {
    type: 'InputInvalid',
    says: /approvers/,
    input: (app) => ({ ...asked(app), approvers: ['Mallory'] }),
  },
  'a command in the input': {
    type: 'InputInvalid',
    says: /commands/,
    input: (app) => ({ ...asked(app), commands: {} }),
  },
  'a URL in the input': {
    type: 'InputInvalid',
    says: /herokuUrl/,
    input: (app) => ({ ...asked(app), herokuUrl: 'x' }),
  },
  'nobody who asks': { type: 'InputInvalid', says: /requestedBy/, input: (app) => ({ app }) },
  'another mode': { type: 'InputInvalid', says: /mode/, input: (app) => ({ ...asked(app), mode: 'soak' }) },
  'a kill switch without a reason': {
    type: 'InputInvalid',
    says: /reason/,
    input: (app) => ({ ...asked(app), mode: 'kill-switch' }),
  },
  'another workflow id': {
    type: 'WorkflowIdMismatch',
    says: /--workflow-id cutover-/,
    workflowId: (app) => `my-${app}`,
  },
  'an execution timeout': {
    type: 'WorkflowOptionsRefused',
    says: /--execution-timeout/,
    options: { workflowExecutionTimeout: '1 hour' },
  },
  'a run timeout': { type: 'WorkflowOptionsRefused', says: /--run-timeout/, options: { workflowRunTimeout: '1 hour' } },
  'a retry policy': {
    type: 'WorkflowOptionsRefused',
    says: /retry policy/,
    options: { retry: { maximumAttempts: 2 } },
  },
  'a cron schedule': { type: 'WorkflowOptionsRefused', says: /--cron/, options: { cronSchedule: '@every 1s' } },
  'carried state that no run carried': { type: 'CarriedStateRefused', says: /second argument/, carried: forgedState },
  'carried state that is null': { type: 'CarriedStateRefused', says: /second argument/, carried: () => null },
};

/** Starts a run and answers the failure that ended it, as its history has it. */
async function startRefused(world: FakeWorld, { input = asked, workflowId, carried, options = {} }: Refusal) {
  const app = freshApp();
  return harness.withWorker(world, async ({ start }) => {
    const started = await start({
      input: input(app),
      workflowId: workflowId?.(app) ?? `cutover-${app}`,
      ...(carried === undefined ? {} : { carried: carried(app) }),
      options,
    });
    // Only the first run: a cron schedule makes another one, and another.
    const { workflowId: id, firstExecutionRunId } = started;
    const first = harness.client.workflow.getHandle(id, firstExecutionRunId, { followRuns: false });
    await first.result().catch(() => undefined);
    if (options['cronSchedule'] !== undefined) await harness.client.workflow.getHandle(id).terminate();
    const last = (await first.fetchHistory()).events?.at(-1);
    const { failure } =
      last?.workflowExecutionFailedEventAttributes ?? last?.workflowExecutionContinuedAsNewEventAttributes ?? {};
    return { type: failure?.applicationFailureInfo?.type, message: failure?.message ?? '' };
  });
}

test.concurrent.each(Object.entries(refusals))('%s is refused before anything was read', async (_, refusal) => {
  const world = createFakeWorld();
  const { type, message } = await startRefused(world, refusal);
  expect(type).toBe(refusal.type);
  expect(message).toMatch(refusal.says);
  expect(message).toMatch(/start again/i);
  expect(world.calls).toEqual([]);
  expect(world.targetsRead).toEqual([]);
});

test('an app without a target file is refused before any request is made', async () => {
  const world = createFakeWorld();
  await harness.withWorker(world, async ({ start }) => {
    const handle = await start({ input: asked('unknown-app') });
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'UnknownApp' } });
    expect(world.calls).toEqual([]);
    expect((await handle.describe()).memo).toMatchObject({ stage: 'ended' });
  });
});

test('a second open run for the same app is refused by the server', async () => {
  await harness.withWorker(createFakeWorld(), async ({ start }) => {
    const input = asked(freshApp());
    const first = await start({ input });
    await expect(start({ input })).rejects.toMatchObject({ name: 'WorkflowExecutionAlreadyStartedError' });
    await first.cancel();
    await first.result();
  });
});
