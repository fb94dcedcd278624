import { expect, test } from '@jest/globals';
import { disturbances, shared } from '../../../drill/case.ts';
import { allCases } from '../../../drill/cases.ts';
import { stepsOf } from '../../../drill/lists.ts';
import { namedCases } from '../../../drill/named-cases.ts';
import { smallSample } from '../../../drill/sample.ts';
import { drilled, starts } from '../../../drill/starts.ts';
import { runState } from '../../../workflows/state.ts';
import { stepIds, steps } from '../../../workflows/steps.ts';

const all = allCases();

test('every step of every procedure is killed behind its effect', () => {
  expect(all.length).toBeGreaterThanOrEqual(200);
  for (const procedure of drilled) {
    const after = all.filter((one) => one.procedure === procedure && one.disturbance === 'after');
    expect(after.map(({ step }) => step)).toEqual(stepsOf(procedure).map(({ id }) => id));
  }
});

test('every procedure that a run can perform is drilled, and every step that there is', () => {
  const procedures = new Set(drilled.map((name) => starts[name].procedure));
  expect(runState.shape.procedure.options.filter((procedure) => !procedures.has(procedure))).toEqual([]);
  const killed = new Set(all.filter(({ disturbance }) => disturbance === 'after').map(({ step }) => step));
  expect(stepIds.filter((id) => !killed.has(id))).toEqual([]);
});

test('every disturbance is tried, each case once, and what only looks is not killed during a write', () => {
  expect(new Set(all.map(({ disturbance }) => disturbance))).toEqual(new Set(Object.keys(disturbances)));
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  const during = all.flatMap(({ disturbance, step }) => (disturbance === 'during' && step !== null ? [step] : []));
  expect(during.filter((step) => !steps[step].writes)).toEqual([]);
});

test('what shares a run is of one procedure and of different steps; what changes its course has one alone', () => {
  const groups = shared(all, 5);
  expect(groups.flat()).toHaveLength(all.length);
  for (const group of groups) {
    expect(group.length).toBeLessThanOrEqual(5);
    expect(new Set(group.map(({ procedure }) => procedure)).size).toBe(1);
    expect(new Set(group.map(({ step }) => step)).size).toBe(group.length);
    const kinds = group.map(({ disturbance }) => disturbance);
    if (group.length > 1) for (const kind of ['none', 'undoing', 'two-workers']) expect(kinds).not.toContain(kind);
  }
});

test('a small drill has some of every disturbance, and every case that once found something', () => {
  const small = smallSample(1);
  expect(smallSample(1)).toEqual(small);
  const kinds = new Set(small.map(({ disturbance }) => disturbance));
  expect(kinds.size).toBe(Object.keys(disturbances).length - 1);
  expect(small.map(({ id }) => id)).toEqual(expect.arrayContaining(Object.keys(namedCases)));
});
