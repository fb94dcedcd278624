import { describe, expect, test } from '@jest/globals';
import { planGates } from '../../../workflows/facts.ts';
import { known, nextItem } from '../../../workflows/procedures.ts';
import { steps, stepIds } from '../../../workflows/steps.ts';
import type { RunEvent } from '../../../workflows/transition.ts';
import { view } from '../../../workflows/view.ts';
import { sampleDigest, sampleEvidence, sampleFacts } from '../../workflow/sample-evidence.ts';
import { samplePolicy, soloPolicy } from '../../workflow/sample-target.ts';
import { readingPolicy } from './deciding.ts';
import { events } from './events.ts';
import {
  approved,
  digestOf,
  done,
  failed,
  opened,
  passed,
  preflight,
  read,
  reading,
  started,
  walk,
  walkOn,
  walkTo,
} from './walk.ts';

const toUpgrade = [...preflight, ...passed('go'), ...done('confirm')];

describe('at each stage', () => {
  test('starting: nothing has begun, and nothing is waited for', () => {
    const status = view(walk());
    expect(status).toMatchObject({
      app: 'an-app',
      requestedBy: 'Rita',
      stage: 'starting',
      phase: 'preflight',
      procedure: 'cutover',
      mayRollBack: [],
      waitingFor: null,
      outcome: null,
    });
    expect(status.items.every((item) => item.state === 'ahead')).toBe(true);
  });

  test('working: the step that runs is shown as running, those before it as done', () => {
    const status = view(walk(read, ...done('config-check'), started('inspect-pull-request')));
    expect(status).toMatchObject({ stage: 'working', mayRollBack: ['Ada', 'Bo', 'Cy', 'Rita', 'Kim'] });
    expect(status.items.map((item) => [item.id, item.state])).toEqual([
      ['config-check', 'done'],
      ['inspect-pull-request', 'running'],
    ]);
    expect(status.waitingFor).toBeNull();
    expect(status.items[0]).toMatchObject({ did: 'observed', evidence: sampleEvidence['config-check'] });
  });

  test('parked: the message names step and attempt, and the choices are those that resolve takes', () => {
    const status = view(walk(...toUpgrade, started('upgrade', 3), failed('upgrade')));
    expect(status).toMatchObject({ stage: 'parked', phase: 'rm-10' });
    expect(status.waitingFor).toEqual({
      what: 'a decision about the step upgrade, attempt 3',
      signal: 'resolve',
      message: { step: 'upgrade', attempt: 3, by: '<your name>', action: 'retry', reason: '<why>' },
      choices: ['retry', 'undo-rm-11', 'kill-switch', 'abort'],
      from: ['Rita', ...samplePolicy.approvers, ...samplePolicy.onCall],
      needed: 1,
      round: 3,
      changes: [],
      until: null,
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
    const status = view(walkTo());
    expect(status.phase).toBeNull();
    expect(status.items.filter((item) => item.state !== 'done')).toEqual([]);
    expect(status.plans).toEqual({
      go: sampleEvidence.survey,
      'rm-11': sampleEvidence['survey-rm-11'],
      launch: sampleEvidence['survey-launch'],
      soak: null,
    });
  });
});

describe('at a gate', () => {
  test('the message that would open it is ready to send, for its own digest', () => {
    const status = view(walk(...preflight, opened('go', { expiresAt: 99, changes: ['release.version: 7, now 8'] })));
    expect(status.waitingFor).toEqual({
      what: 'approval of the gate go',
      signal: 'approve',
      message: { gate: 'go', by: '<your name>', plan: sampleDigest.go },
      choices: [],
      from: samplePolicy.approvers,
      needed: 1,
      round: 1,
      changes: ['release.version: 7, now 8'],
      until: 99,
    });
    expect(status.items.find((item) => item.id === 'go')).toMatchObject({ state: 'waiting', approvedBy: null });
    expect(status.plans).toEqual({ go: sampleEvidence.survey, 'rm-11': null, launch: null, soak: null });
  });

  test.each(planGates)('%s: its message is what decide takes for an approval', (gate) => {
    const message = view(walk(read, opened(gate))).waitingFor;
    expect(message).toMatchObject(
      gate === 'launch'
        ? { signal: 'launch', message: { plan: sampleDigest.launch, backup: { continuousProtection: true } } }
        : { signal: 'approve', message: { gate, plan: sampleDigest[gate] } },
    );
  });

  test('of a quorum, those who are still missing are counted', () => {
    const state = walkOn(walkTo('go', readingPolicy({ quorum: 2 })), opened('go'), approved('go', { needed: 1 }));
    expect(view(state).waitingFor).toMatchObject({ needed: 1, from: samplePolicy.approvers });
    expect(view(state).items.find((item) => item.id === 'go')).toMatchObject({ approvedBy: 'Ada' });
  });

  test('a company of one is asked to type the app, and then told until when it can take it back', () => {
    const solo = readingPolicy({ ...soloPolicy, coolingOffMs: 300_000 });
    expect(view(walk(solo, opened('go'))).waitingFor?.message).toMatchObject({ confirm: "<the app's name>" });
    const cooling = walk(solo, opened('go'), approved('go', { by: 'Rita', alone: true }), events.decided);
    expect(view(cooling).waitingFor).toMatchObject({
      what: 'the cooling-off time of the gate go, in which the approval can be taken back',
      signal: 'reject',
      message: { gate: 'go', plan: sampleDigest.go },
      needed: 0,
      until: (cooling.gates.go?.decidedAt ?? 0) + 300_000,
    });
  });

  test('a plan whose kill switch will not work is approved by saying so', () => {
    const blocked = { ...sampleEvidence.survey, facts: { ...sampleFacts, killSwitchBlocked: 'its release command' } };
    expect(view(walk(read, ...done('survey', blocked), opened('go'))).waitingFor?.message).toMatchObject({
      accepts: 'no-kill-switch',
    });
  });

  test('that opens on no plan, what it is about is said, and a reason is asked for', () => {
    expect(
      view(walk(read, opened('window', { about: 'a freeze until Monday', expiresAt: 5 }))).waitingFor,
    ).toMatchObject({
      what: 'the next change window: a freeze until Monday',
      signal: 'approve',
      message: { gate: 'window', plan: digestOf('window'), reason: '<why>' },
      until: 5,
    });
  });

  test('that was rejected, who said so and how to go on', () => {
    const status = view(walk(...preflight, opened('go'), events.rejected));
    expect(status.waitingFor).toMatchObject({
      what: 'a decision about the rejected gate go, attempt 1',
      message: { step: 'go', attempt: 1, action: 'retry' },
    });
    expect(status.items.find((item) => item.id === 'go')).toMatchObject({
      state: 'parked',
      failure: { type: 'Rejected', message: 'Bo: not tonight' },
    });
  });
});

describe('the choices about what is parked', () => {
  const choices = (...path: RunEvent[]) => view(walk(...path)).waitingFor?.choices;
  const parked = [started('smoke'), failed('smoke')];

  test.each([
    ['on the way', [read, ...parked], ['retry', 'undo-rm-11', 'kill-switch', 'abort']],
    ['where there is no SQLite', [reading({ hasRollback: false }), ...parked], ['retry', 'undo-rm-11', 'abort']],
    [
      'in the undo',
      [read, { ...events.killed, kind: 'undo-rm-11' as const }, ...parked],
      ['retry', 'kill-switch', 'abort'],
    ],
    ['in the kill switch', [read, events.killed, ...parked], ['retry', 'abort']],
    ['once the launch has begun', [read, events.sealing, ...parked], ['retry', 'abort']],
  ] satisfies [string, RunEvent[], string[]][])('%s', (_, path, expected) => {
    expect(choices(...path)).toEqual(expected);
  });
});

test('a way back is shown behind what was done before it', () => {
  const status = view(
    walk(...toUpgrade, started('upgrade'), events.killed, ...done('read-seal'), started('survey-way-back')),
  );
  expect(status).toMatchObject({ procedure: 'kill-switch', wayBack: { by: 'Kim', reason: 'customers wait' } });
  const ids = status.items.map((item) => item.id);
  expect(ids.slice(0, ids.indexOf('read-seal'))).toEqual([
    'config-check',
    'inspect-pull-request',
    'await-pull-request',
    'survey',
    'go',
    'confirm',
    'upgrade',
  ]);
  expect(status.items.find((item) => item.id === 'survey-way-back')).toMatchObject({ state: 'running' });
});

describe('the next item', () => {
  test('is the first that is not done', () => {
    expect(nextItem(walk(read))?.id).toBe('config-check');
    expect(nextItem(walk(...preflight))?.id).toBe('go');
    expect(nextItem(walk(...preflight, opened('go')))?.id).toBe('go');
    expect(nextItem(walk(...preflight, ...passed('go')))?.id).toBe('confirm');
    expect(nextItem(walk(...toUpgrade))?.id).toBe('upgrade');
  });

  test('is a step again that was begun and has not ended well', () => {
    expect(nextItem(walk(read, started('config-check')))?.id).toBe('config-check');
    expect(nextItem(walk(read, started('config-check'), failed('config-check')))?.id).toBe('config-check');
  });

  test('is the survey again once its gate is void, whatever was done behind it', () => {
    const later = walk(...toUpgrade, ...done('upgrade'), events.voided);
    expect(nextItem(later)?.id).toBe('survey');
    expect(nextItem(walkOn(later, ...done('survey'), ...passed('go'), ...done('confirm')))?.id).toBe('verify-schema');
  });
});

describe('what is known', () => {
  test('comes from the evidence of steps that are done, never of those that are not', () => {
    expect(known(walk(read))).toMatchObject({ hasFollowUps: true, hasPullRequest: true, pullRequest: undefined });
    expect(known(walk(read, ...done('config-check'), started('inspect-pull-request'))).pullRequest).toBeUndefined();
    expect(known(walk(...preflight))).toMatchObject({
      pullRequest: sampleEvidence['inspect-pull-request'],
      go: sampleEvidence.survey.facts,
      migrated: undefined,
    });
    expect(known(walk(...toUpgrade, ...done('upgrade'))).migrated).toBe(true);
  });
});

test('what was promoted stays in the list once the plan is made again behind it', () => {
  const plan = {
    ...sampleEvidence.survey,
    facts: { ...sampleFacts, database: { ...sampleFacts.database, promote: 'it is empty' } },
  };
  const before = walk(
    ...preflight.slice(0, -2),
    ...done('survey', plan),
    ...passed('go'),
    ...done('confirm'),
    ...done('promote'),
    events.voided,
  );
  const again = walkOn(before, ...done('survey'));
  expect(view(again).items.find((item) => item.id === 'promote')).toMatchObject({ state: 'done', did: 'acted' });
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
