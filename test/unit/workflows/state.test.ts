import { describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import {
  initialState,
  runState,
  transition,
  type RunEvent,
  type RunState,
  type Stage,
} from '../../../workflows/state.ts';

const digest = 'a1'.repeat(32);
const target = { digest, hasPullRequest: true, pullRequest: 'owner/name#1', historyEventLimit: 10_000 };

/** One event of each type; a new type does not type-check without one. */
const events: { readonly [T in RunEvent['type']]: Extract<RunEvent, { type: T }> } = {
  targetRead: { type: 'targetRead', target },
  stepStarted: { type: 'stepStarted', step: 'survey', attempt: 1 },
  stepDone: { type: 'stepDone', step: 'survey', did: 'observed', evidence: { seen: 1 } },
  stepFailed: { type: 'stepFailed', step: 'survey', failure: { type: 'PlatformRefused', message: 'no' } },
  gateOpened: { type: 'gateOpened', gate: 'go', digest },
  approved: { type: 'approved', gate: 'go', by: 'Ada' },
  resolved: { type: 'resolved', step: 'survey', by: 'Ada', reason: 'mended' },
  messageRefused: { type: 'messageRefused', message: 'approve', by: null, why: 'no gate is open' },
  messageHandled: { type: 'messageHandled', id: 'm-1' },
  continued: { type: 'continued' },
  ended: { type: 'ended', outcome: { result: 'completed', reason: 'done', by: null } },
};
const types = Object.keys(events) as RunEvent['type'][];

/** Every edge that there is; what is not here must be refused. Written out once more, so that the table cannot drift. */
const edges: Record<Stage, Partial<Record<RunEvent['type'], Stage>>> = {
  starting: { targetRead: 'working', messageRefused: 'starting', messageHandled: 'starting', ended: 'ended' },
  working: {
    stepStarted: 'working',
    stepDone: 'working',
    stepFailed: 'parked',
    gateOpened: 'waiting',
    messageRefused: 'working',
    messageHandled: 'working',
    ended: 'ended',
  },
  waiting: {
    approved: 'working',
    messageRefused: 'waiting',
    messageHandled: 'waiting',
    continued: 'waiting',
    ended: 'ended',
  },
  parked: {
    resolved: 'working',
    messageRefused: 'parked',
    messageHandled: 'parked',
    continued: 'parked',
    ended: 'ended',
  },
  ended: {},
};
const stages = Object.keys(edges) as Stage[];

/** A state in each stage, reached by walking. */
function walk(...path: RunEvent[]): RunState {
  return path.reduce(
    (state, event, index) => transition(state, event, 1000 + index),
    initialState({ app: 'an-app', requestedBy: 'Rita' }, 1),
  );
}
const working = [events.targetRead, events.stepStarted] as const;
const inStage: Record<Stage, RunState> = {
  starting: walk(),
  working: walk(...working),
  waiting: walk(events.targetRead, events.gateOpened),
  parked: walk(...working, events.stepFailed),
  ended: walk(...working, events.ended),
};

const pairs = stages.flatMap((stage) => types.map((type) => ({ stage, type, to: edges[stage][type] })));

describe('edges', () => {
  test.each(pairs.filter((pair) => pair.to !== undefined))('$type while $stage: $to', ({ stage, type, to }) => {
    const before = inStage[stage];
    const copy = structuredClone(before);
    expect(transition(before, events[type], 5).stage).toBe(to);
    expect(before).toEqual(copy);
  });

  test.each(pairs.filter((pair) => pair.to === undefined))('$type while $stage is refused', ({ stage, type }) => {
    const act = () => transition(inStage[stage], events[type], 5);
    expect(act).toThrow(ApplicationFailure);
    expect(act).toThrow(expect.objectContaining({ type: 'InvalidTransition', nonRetryable: true }));
  });
});

describe('what an event changes', () => {
  test('a step is where the run stands until it is done, and a new attempt forgets the failure of the last', () => {
    expect(inStage.working).toMatchObject({
      at: { step: 'survey' },
      steps: { survey: { attempt: 1, did: null, startedAt: 1001 } },
    });
    const done = transition(inStage.working, events.stepDone, 7);
    expect(done).toMatchObject({
      at: null,
      steps: { survey: { did: 'observed', evidence: { seen: 1 }, finishedAt: 7 } },
    });
    const again = walk(...working, events.stepFailed, events.resolved, { ...events.stepStarted, attempt: 2 });
    expect(again.steps.survey).toMatchObject({ attempt: 2, failure: null, did: null });
  });

  test('a parked step keeps its failure, and the run stands at it', () => {
    expect(inStage.parked).toMatchObject({
      at: { step: 'survey' },
      steps: { survey: { failure: { type: 'PlatformRefused' } } },
    });
  });

  test('an approval is written into its gate', () => {
    expect(transition(inStage.waiting, events.approved, 9).gates).toEqual({
      go: { digest, openedAt: 1001, approvedBy: 'Ada', approvedAt: 9 },
    });
  });

  test('refused messages and message ids are kept, and not without bound', () => {
    let state = inStage.waiting;
    for (let index = 0; index < 600; index++) {
      state = transition(state, { ...events.messageRefused, why: `no ${index}` }, index);
      state = transition(state, { ...events.messageHandled, id: `m-${index}` }, index);
    }
    expect(state.refusedMessages).toHaveLength(20);
    expect(state.refusedMessages.at(-1)).toEqual({ at: 599, message: 'approve', by: null, why: 'no 599' });
    expect(state.handledMessages).toHaveLength(500);
    expect(state.handledMessages.at(-1)).toBe('m-599');
  });

  test('continuing is counted, and ending says how', () => {
    expect(transition(inStage.waiting, events.continued, 1).continued).toBe(1);
    expect(inStage.ended).toMatchObject({ at: null, outcome: { result: 'completed' } });
  });
});

describe('carried state', () => {
  const full = walk(
    ...working,
    events.stepDone,
    events.gateOpened,
    events.messageRefused,
    events.messageHandled,
    events.continued,
    events.approved,
    { type: 'stepStarted', step: 'upgrade', attempt: 1 },
    { type: 'stepFailed', step: 'upgrade', failure: { type: 'MigrationFailed', message: 'line\nbreak' } },
  );
  const whole: RunState = {
    ...full,
    journal: [{ seq: 1, at: 1, event: 'targetRead', text: 'target file', data: { target: {} } }],
    outcome: { result: 'refused', reason: 'staged', by: null },
  };

  test('survives JSON and its own check, whole', () => {
    const carried: unknown = JSON.parse(JSON.stringify(whole));
    expect(runState.parse(carried)).toEqual(whole);
  });

  test.each(Object.entries(inStage))('in the stage %s too', (_, state) => {
    expect(runState.parse(JSON.parse(JSON.stringify(state)))).toEqual(state);
  });

  const mutations: Record<string, unknown> = {
    'another version': { ...whole, version: 2 },
    'an unknown stage': { ...whole, stage: 'launched' },
    'an unknown step': { ...whole, steps: { ...whole.steps, mystery: whole.steps.survey } },
    'an unknown gate': { ...whole, gates: { launch: whole.gates.go } },
    'a missing field': { ...whole, journal: undefined },
    'an input with more in it': { ...whole, input: { ...whole.input, approvers: ['Mallory'] } },
    'a clock that is none': { ...whole, startedAt: 'today' },
  };
  test.each(Object.entries(mutations))('%s is refused', (_, mutated) => {
    expect(runState.safeParse(mutated).success).toBe(false);
  });
});
