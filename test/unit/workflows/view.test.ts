import { describe, expect, test } from '@jest/globals';
import { initialState, transition, type RunEvent, type RunState } from '../../../workflows/state.ts';
import { steps, stepIds, type StepId } from '../../../workflows/steps.ts';
import { known, nextItem, view } from '../../../workflows/view.ts';
import { sampleDigest, sampleEvidence } from '../../workflow/sample-evidence.ts';

const target = {
  digest: 'd1'.repeat(32),
  hasPullRequest: true,
  pullRequest: 'owner/name#1',
  historyEventLimit: 10_000,
};
const read: RunEvent = { type: 'targetRead', target };
const started = (step: StepId, attempt = 1): RunEvent => ({ type: 'stepStarted', step, attempt });
const done = (step: StepId): RunEvent[] => [
  started(step),
  { type: 'stepDone', step, did: steps[step].writes ? 'acted' : 'observed', evidence: sampleEvidence[step] },
];
const failed = (step: StepId): RunEvent => ({
  type: 'stepFailed',
  step,
  failure: { type: 'PlatformRefused', message: 'no' },
});
const opened = (gate: 'go' | 'rm-11'): RunEvent => ({ type: 'gateOpened', gate, digest: sampleDigest[gate] });
const approved = (gate: 'go' | 'rm-11'): RunEvent => ({ type: 'approved', gate, by: 'Ada' });

function walk(...path: RunEvent[]): RunState {
  return path.reduce(
    (state, event, index) => transition(state, event, 10 + index),
    initialState({ app: 'an-app', requestedBy: 'Rita' }, 1),
  );
}
const preflight = [
  read,
  ...done('config-check'),
  ...done('inspect-pull-request'),
  ...done('await-pull-request'),
  ...done('survey'),
];

describe('at each stage', () => {
  test('starting: nothing has begun, and nothing is waited for', () => {
    const status = view(walk());
    expect(status).toMatchObject({
      app: 'an-app',
      requestedBy: 'Rita',
      stage: 'starting',
      phase: 'preflight',
      waitingFor: null,
      outcome: null,
    });
    expect(status.items.every((item) => item.state === 'ahead')).toBe(true);
  });

  test('working: the step that runs is shown as running, those before it as done', () => {
    const status = view(walk(read, ...done('config-check'), started('inspect-pull-request')));
    expect(status.stage).toBe('working');
    expect(status.items.map((item) => [item.id, item.state])).toEqual([
      ['config-check', 'done'],
      ['inspect-pull-request', 'running'],
    ]);
    expect(status.waitingFor).toBeNull();
    expect(status.items[0]).toMatchObject({
      did: 'observed',
      evidence: sampleEvidence['config-check'],
      startedAt: 11,
      finishedAt: 12,
    });
  });

  test('waiting: the message that would open the gate is ready to send, for its own digest', () => {
    const status = view(walk(...preflight, opened('go')));
    expect(status.waitingFor).toEqual({
      what: 'approval of the gate go',
      signal: 'approve',
      message: { gate: 'go', by: '<your name>', plan: sampleDigest.go },
      choices: [],
    });
    expect(status.items.find((item) => item.id === 'go')).toMatchObject({
      kind: 'gate',
      state: 'waiting',
      approvedBy: null,
    });
    expect(status.plans).toEqual({ go: sampleEvidence.survey, 'rm-11': null });
  });

  test('parked: the message names step and attempt, and the choices are those that resolve takes', () => {
    const status = view(walk(...preflight, opened('go'), approved('go'), started('upgrade', 3), failed('upgrade')));
    expect(status).toMatchObject({ stage: 'parked', phase: 'rm-10' });
    expect(status.waitingFor).toEqual({
      what: 'a decision about the step upgrade, attempt 3',
      signal: 'resolve',
      message: { step: 'upgrade', attempt: 3, by: '<your name>', action: 'retry', reason: '<why>' },
      choices: ['retry', 'abort'],
    });
    expect(status.items.find((item) => item.id === 'upgrade')).toMatchObject({
      state: 'parked',
      attempt: 3,
      failure: { type: 'PlatformRefused' },
    });
  });

  test('ended: nothing is waited for, whatever was', () => {
    for (const before of [
      [...preflight, opened('go')],
      [read, started('config-check'), failed('config-check')],
    ]) {
      const status = view(walk(...before, { type: 'ended', outcome: { result: 'aborted', reason: 'so', by: 'Ada' } }));
      expect(status).toMatchObject({ stage: 'ended', waitingFor: null, outcome: { result: 'aborted' } });
    }
  });

  test('completed: every item is done and no phase is left', () => {
    const rest: RunEvent[] = [];
    for (let state = walk(...preflight), item = nextItem(state); item !== undefined; item = nextItem(state)) {
      const events = item.kind === 'gate' ? [opened(item.id), approved(item.id)] : done(item.id);
      rest.push(...events);
      state = events.reduce((next, event) => transition(next, event, 99), state);
    }
    const status = view(walk(...preflight, ...rest));
    expect(status.phase).toBeNull();
    expect(status.items.filter((item) => item.state !== 'done')).toEqual([]);
    expect(status.plans['rm-11']).toEqual(sampleEvidence['survey-rm-11']);
  });
});

describe('the next item', () => {
  test('is the first that is not done', () => {
    expect(nextItem(walk(read))?.id).toBe('config-check');
    expect(nextItem(walk(...preflight))?.id).toBe('go');
    expect(nextItem(walk(...preflight, opened('go')))?.id).toBe('go');
    expect(nextItem(walk(...preflight, opened('go'), approved('go')))?.id).toBe('upgrade');
  });

  test('is a step again that was begun and has not ended well', () => {
    expect(nextItem(walk(read, started('config-check')))?.id).toBe('config-check');
    expect(nextItem(walk(read, started('config-check'), failed('config-check')))?.id).toBe('config-check');
  });
});

describe('what is known', () => {
  test('comes from the evidence of steps that are done, never of those that are not', () => {
    expect(known(walk(read))).toEqual({ hasPullRequest: true, pullRequest: undefined, go: undefined, rm11: undefined });
    expect(known(walk(read, ...done('config-check'), started('inspect-pull-request'))).pullRequest).toBeUndefined();
    expect(known(walk(...preflight))).toMatchObject({
      pullRequest: sampleEvidence['inspect-pull-request'],
      go: sampleEvidence.survey.facts,
    });
  });
});

test('looking changes nothing', () => {
  const state = walk(...preflight, opened('go'));
  const copy = structuredClone(state);
  view(state);
  nextItem(state);
  expect(state).toEqual(copy);
});

test.each(stepIds)('%s: its sample evidence is what its schema takes, and the status shows it as it is', (step) => {
  expect(steps[step].evidence.parse(sampleEvidence[step])).toEqual(sampleEvidence[step]);
});
