import { describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { runState, type RunState, type Stage } from '../../../workflows/state.ts';
import { allows, edges, transition, type EventType } from '../../../workflows/transition.ts';
import { wayBackSteps } from '../../../workflows/way-back.ts';
import { events, eventTypes } from './events.ts';
import { digestOf, done, passed, preflight, read, started, walk, walkOn } from './walk.ts';

const notes: EventType[] = ['messageRefused', 'messageHandled', 'identified'];
const asked: EventType[] = ['reminded', 'continued'];

/** Every edge that there is; what is not here must be refused. Written out once more, so that the table cannot drift. */
const expected: Record<Stage, { readonly [To in Stage]?: readonly EventType[] }> = {
  starting: { starting: notes, working: ['targetRead'], ended: ['ended'] },
  working: {
    working: [
      ...notes,
      'stepStarted',
      'stepDone',
      'stepGivenUp',
      'drifted',
      'killed',
      'rollbackRefused',
      'resumed',
      'rotated',
      'voided',
    ],
    waiting: ['gateOpened'],
    parked: ['stepFailed'],
    sealing: ['sealing'],
    ended: ['ended'],
  },
  waiting: {
    waiting: [...notes, ...asked, 'approved', 'approvedBeforehand', 'decided', 'sampled', 'soaked'],
    working: ['gatePassed', 'voided', 'killed', 'rollbackRefused', 'rotationAsked', 'rotationDropped'],
    parked: ['rejected'],
    ended: ['ended'],
  },
  parked: { parked: [...notes, ...asked], working: ['resolved', 'killed', 'rotationDropped'], ended: ['ended'] },
  sealing: {
    sealing: [...notes, 'stepStarted', 'stepDone', 'stepGivenUp', 'drifted'],
    'seal-parked': ['stepFailed'],
    ended: ['ended'],
  },
  'seal-parked': { 'seal-parked': [...notes, ...asked], sealing: ['resolved'], ended: ['ended'] },
  ended: {},
};
const stages = Object.keys(expected) as Stage[];

const working = [read, started('survey')] as const;
const sealing = [read, events.sealing, started('survey')] as const;
/** A state in each stage, reached by walking. */
const inStage: Record<Stage, RunState> = {
  starting: walk(),
  working: walk(...working),
  waiting: walk(read, events.gateOpened),
  parked: walk(...working, events.stepFailed),
  sealing: walk(...sealing),
  'seal-parked': walk(...sealing, events.stepFailed),
  ended: walk(...working, events.ended),
};

const pairs = stages.flatMap((stage) =>
  eventTypes.map((type) => ({
    stage,
    type,
    to: stages.find((to) => expected[stage][to]?.includes(type)),
  })),
);

describe('edges', () => {
  test.each(pairs.filter((pair) => pair.to !== undefined))('$type while $stage: $to', ({ stage, type, to }) => {
    const before = inStage[stage];
    const copy = structuredClone(before);
    const after = transition(before, events[type], 5);
    expect(after.stage).toBe(to);
    expect(allows(before, type)).toBe(true);
    expect(before).toEqual(copy);
    // What any edge leads to can be carried by continue-as-new.
    expect(runState.parse(JSON.parse(JSON.stringify(after)))).toEqual(JSON.parse(JSON.stringify(after)));
  });

  test.each(pairs.filter((pair) => pair.to === undefined))('$type while $stage is refused', ({ stage, type }) => {
    const act = () => transition(inStage[stage], events[type], 5);
    expect(allows(inStage[stage], type)).toBe(false);
    expect(act).toThrow(ApplicationFailure);
    expect(act).toThrow(expect.objectContaining({ type: 'InvalidTransition', nonRetryable: true }));
  });

  test.each(stages)('every edge from %s says why it is there', (stage) => {
    for (const [, reason] of Object.values(edges[stage])) expect(reason).toMatch(/^[a-z].{10,}[^.]$/);
  });

  test('once the launch has begun, nothing leads back', () => {
    const seen = new Set<Stage>(['sealing']);
    for (const stage of seen) for (const [to] of Object.values(edges[stage])) seen.add(to);
    expect([...seen].sort()).toEqual(['ended', 'seal-parked', 'sealing']);
    for (const stage of seen)
      for (const type of ['killed', 'voided'] as const) expect(edges[stage][type]).toBeUndefined();
  });
});

describe('what an event changes', () => {
  test('a step is where the run stands until it is done, and a new attempt forgets the failure of the last', () => {
    expect(inStage.working).toMatchObject({
      at: { step: 'survey' },
      steps: { survey: { attempt: 1, did: null, startedAt: 1002 } },
    });
    const after = transition(inStage.working, events.stepDone, 7);
    expect(after).toMatchObject({ at: null, steps: { survey: { did: 'observed', finishedAt: 7 } } });
    const again = walk(...working, events.stepFailed, events.resolved, { ...events.stepStarted, attempt: 2 });
    expect(again.steps.survey).toMatchObject({ attempt: 2, failure: null, did: null });
  });

  test('a parked step keeps its failure, and the run stands at it', () => {
    expect(inStage.parked).toMatchObject({
      at: { step: 'survey' },
      steps: { survey: { failure: { type: 'PlatformRefused' } } },
    });
  });

  test('a step that is given up is none that the run stands at, until it is decided about', () => {
    const givenUp = walk(...working, events.stepGivenUp);
    expect(givenUp).toMatchObject({ at: null, steps: { survey: { givenUp: true, did: null } } });
    expect(transition(givenUp, events.stepFailed, 9)).toMatchObject({
      at: { step: 'survey' },
      steps: { survey: { givenUp: false } },
    });
  });

  test('approvals are written into their gate, and only what is decided opens it', () => {
    const two = walkOn(inStage.waiting, { ...events.approved, needed: 1 }, { ...events.approved, by: 'Bo' });
    expect(two.gates.go).toMatchObject({ decidedAt: null, approvals: [{ by: 'Ada' }, { by: 'Bo' }] });
    expect(walkOn(two, events.decided, events.gatePassed)).toMatchObject({
      at: null,
      gates: { go: { open: false, decidedAt: 1001, passedAt: 1002, round: 1 } },
    });
  });

  test('a voided gate is asked in another round, on a new survey, and nothing of the old approval counts', () => {
    const before = walk(...preflight, ...passed('go'), ...done('confirm'), ...done('upgrade'));
    const after = transition(before, events.voided, 9);
    expect(Object.keys(after.steps)).not.toEqual(expect.arrayContaining(['survey']));
    expect(after.steps).toMatchObject({ upgrade: { did: 'acted' } });
    expect(after.steps.confirm).toBeUndefined();
    expect(after.gates.go).toMatchObject({
      open: false,
      approvals: [],
      passedAt: null,
      replaced: (before.steps.survey?.evidence as { facts: unknown }).facts,
    });
    expect(walkOn(after, events.gateOpened).gates.go).toMatchObject({ round: 2, approvals: [], rejection: null });
  });

  test('a rejected gate is asked anew after a decision to try again', () => {
    const rejected = walk(...preflight, events.gateOpened, events.rejected);
    expect(rejected).toMatchObject({ stage: 'parked', at: { gate: 'go' }, gates: { go: { rejection: { by: 'Bo' } } } });
    const again = walkOn(rejected, { ...events.resolved, step: 'go', surveys: ['survey', 'confirm'] });
    expect(again).toMatchObject({ stage: 'working', at: null, gates: { go: { open: false, passedAt: null } } });
    expect(again.steps.survey).toBeUndefined();
  });

  describe('a way back', () => {
    test('begins anew, whatever an earlier one has seen, and remembers what it was asked of', () => {
      const first = walk(read, events.killed, ...done('read-seal'), ...done('fence'));
      expect(first).toMatchObject({ procedure: 'kill-switch', wayBack: { from: 'cutover', by: 'Kim', refused: null } });
      const undo = walk(read, { ...events.killed, kind: 'undo-rm-11' }, ...done('read-seal'), ...done('flag-off'));
      const escalated = walkOn(undo, { ...events.killed, by: 'Ada' });
      expect(escalated).toMatchObject({ procedure: 'kill-switch', wayBack: { from: 'cutover', by: 'Ada' } });
      for (const step of wayBackSteps) expect(escalated.steps[step]).toBeUndefined();
    });

    test.each(['go', 'launch', 'window'] as const)('closes the gate %s at which it finds the run', (gate) => {
      const killed = walk(read, { ...events.gateOpened, gate, digest: digestOf(gate) }, events.killed);
      expect(killed).toMatchObject({ stage: 'working', at: null, gates: { [gate]: { open: false, passedAt: null } } });
    });

    test('that is refused leaves the cutover as it was', () => {
      const before = walk(...preflight, ...passed('go'), ...done('confirm'), ...done('upgrade'));
      const resumed = walkOn(
        before,
        events.killed,
        ...done('read-seal'),
        ...done('fence'),
        events.rollbackRefused,
        ...done('lift-fence'),
        events.resumed,
      );
      expect(resumed).toEqual({ ...before, stage: 'working' });
    });
  });

  test('refused messages, message ids and drift are kept, and not without bound', () => {
    let state = inStage.working;
    for (let index = 0; index < 600; index++) {
      state = transition(state, { ...events.messageRefused, why: `no ${index}` }, index);
      state = transition(state, { ...events.messageHandled, id: `m-${index}` }, index);
      state = transition(state, events.drifted, index);
    }
    expect(state.refusedMessages).toHaveLength(20);
    expect(state.refusedMessages.at(-1)).toEqual({ at: 599, message: 'approve', by: null, why: 'no 599' });
    expect(state.handledMessages).toHaveLength(500);
    expect(state.handledMessages.at(-1)).toBe('m-599');
    expect(state.drift).toHaveLength(50);
  });

  test('continuing is counted, and ending says how', () => {
    expect(transition(inStage.waiting, events.continued, 1).continued).toBe(1);
    expect(inStage.ended).toMatchObject({ at: null, outcome: { result: 'completed' } });
  });
});
