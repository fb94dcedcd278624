import { describe, expect, test } from '@jest/globals';
import { initialState, runState, type RunState } from '../../../workflows/state.ts';
import { events } from './events.ts';
import { done, failed, opened, passed, preflight, sampleInput, started, walk } from './walk.ts';

describe('carried state', () => {
  const full = walk(
    ...preflight,
    events.messageRefused,
    events.messageHandled,
    opened('go', { changes: ['release.version: 7, now 8'], expiresAt: 99 }),
    events.continued,
    events.voided,
    ...done('survey'),
    ...passed('go'),
    ...done('confirm'),
    events.drifted,
    started('upgrade'),
    failed('upgrade'),
  );
  const whole: RunState = {
    ...full,
    journal: [{ seq: 1, at: 1, event: 'targetRead', text: 'target file', data: { target: {} } }],
    watch: events.sampled.watch,
    wayBack: { kind: 'kill-switch', by: 'Kim', reason: 'so', at: 5, from: 'cutover', refused: null },
    outcome: { result: 'refused', reason: 'line\nbreak', by: null },
  };

  test('survives JSON and its own check, whole', () => {
    const carried: unknown = JSON.parse(JSON.stringify(whole));
    expect(runState.parse(carried)).toEqual(whole);
  });

  const mutations: Record<string, unknown> = {
    'another version': { ...whole, version: 2 },
    'an unknown stage': { ...whole, stage: 'launched' },
    'an unknown procedure': { ...whole, procedure: 'soak' },
    'an unknown step': { ...whole, steps: { ...whole.steps, mystery: whole.steps.survey } },
    'an unknown gate': { ...whole, gates: { mystery: whole.gates.go } },
    'a missing field': { ...whole, journal: undefined },
    'a policy without a quorum': {
      ...whole,
      target: whole.target && { ...whole.target, policy: { ...whole.target.policy, quorum: undefined } },
    },
    'an input with more in it': { ...whole, input: { ...whole.input, approvers: ['Mallory'] } },
    'a clock that is none': { ...whole, startedAt: 'today' },
  };
  test.each(Object.entries(mutations))('%s is refused', (_, mutated) => {
    expect(runState.safeParse(mutated).success).toBe(false);
  });
});

describe('a new run', () => {
  test('is a cutover, unless it is asked for something else', () => {
    expect(initialState(sampleInput, 5)).toMatchObject({ procedure: 'cutover', wayBack: null, startedAt: 5 });
    expect(initialState({ ...sampleInput, mode: 'plan' }, 5)).toMatchObject({ procedure: 'plan', wayBack: null });
  });

  test.each(['kill-switch', 'undo-rm-11'] as const)('for %s has its requester to thank for it', (mode) => {
    expect(initialState({ ...sampleInput, mode, reason: 'wedged' }, 5)).toMatchObject({
      procedure: mode,
      wayBack: { kind: mode, by: 'Rita', reason: 'wedged', at: 5, from: null, refused: null },
    });
  });
});
